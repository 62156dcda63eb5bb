"""The chain alive: sliders for z, truncation, a direction, the style of one layer and the noise, and the light that follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...core import pictures
from ...core.checks import unknown_name
from ...latent.direction import Direction
from ...latent.latent import Code, Latent
from ...session.session import GeneratorSession
from ...widgets.kit.parts import control, quiet
from .. import chain
from .chain_view import ChainView

CELLS = 32
"""Cells of a row of styles; longer styles are shown in groups of channels."""
SLIDER = {"width": "380px", "max_width": "100%"}
LABEL = {"description_width": "128px"}


class Chain(widgets.VBox):
    """A picture of the generator that lights up where a slider reaches.

    Args:
        session: a generator, of StyleGAN1, 2 or 3.
        seed: of the face that everything is compared with.
        other: seed of the face whose style one layer can take.
        direction: name of one of the session's directions, or a direction of your own.

    Attributes:
        latent: what the sliders stand for.
        lit: names of the stations that are lit now.
    """

    def __init__(
        self, session: GeneratorSession, seed: int = 12, other: int = 28, direction: str | Direction = "smile"
    ) -> None:
        self._session, self._direction = session, _direction(session, direction)
        z = np.random.RandomState(seed).randn(session.z_dim).astype(np.float32)
        self._before = session.latent(code=Code("z", z))
        self._other = session.flat_styles(session.latent(seed=other))[0] - session.flat_styles(self._before)[0]
        self._usual = chain.usual_w(session)
        self._first = chain.walk(session, self._before)
        self._lights = chain.lights(self._first, self._first, self._usual)
        self.view = ChainView()
        self.sliders = self._make_sliders()
        back = widgets.Button(description="all back", icon="undo", tooltip="every slider to where it began")
        back.on_click(lambda _: self.reset())
        super().__init__([*self.sliders.values(), back, self.view])
        self._show()

    @property
    def latent(self) -> Latent:
        """What the sliders stand for."""
        at = {name: slider.value for name, slider in self.sliders.items()}
        made = self._before
        if at["z"]:
            z = np.array(made.code.array)  # type: ignore[union-attr]  # it starts from z
            z[0] += at["z"]
            made = made.replace(code=Code("z", z))
        made = made.replace(psi=at["truncation"])
        if at.get("direction"):
            made = made.with_edit(self._direction, at["direction"])
        if at["style"]:
            made = made.with_edit(self._of_layer(at["layer"]), at["style"])
        return made.replace(noise_mode="random", noise_seed=at["noise"]) if at.get("noise") else made

    @property
    def lit(self) -> frozenset[str]:
        """Names of the stations that differ from the beginning now."""
        return self._lights.lit

    def set(self, **values: Any) -> frozenset[str]:
        """Move sliders by name, all others to where they began; returns what is lit then."""
        for name in values:
            if name not in self.sliders:
                raise unknown_name("slider", name, self.sliders)
        with quiet(*self.sliders.values()):
            for name, slider in self.sliders.items():
                slider.value = values.get(name, self._start[name])
        self._show()
        return self.lit

    def reset(self) -> None:
        """All sliders to where they began, but the choice of the layer."""
        self.set(layer=self.sliders["layer"].value)

    def _make_sliders(self) -> dict[str, Any]:
        def slider(kind: Any, text: str, tip: str, **values: Any) -> Any:
            return control(kind, description=text, tip=tip, on=self._moved, layout=SLIDER, style=LABEL, **values)

        number: Callable[..., Any] = widgets.FloatSlider
        layers = [layer.name for layer in self._session.layers]
        convolutions = [layer.name for layer in self._session.layers if layer.kind == "conv"]
        made = {
            "z": slider(number, "one number of z", "added to the first one", min=-3, max=3, step=0.1, value=0.0),
            "truncation": slider(
                number, "truncation ψ", "1 is none, 0 the mean of w", min=0, max=1, step=0.02, value=1.0
            ),
            "direction": slider(
                number, f"{self._direction.name}, added to w", "in σ", min=-3, max=3, step=0.1, value=0.0
            ),
            "style": slider(
                number, "style of one layer", "0 its own, 1 that of another face", min=0, max=1, step=0.02, value=0.0
            ),
            "layer": slider(
                widgets.Dropdown,
                "… of layer",
                "whose style it is",
                options=layers,
                value=convolutions[len(convolutions) // 2],
            ),
            "noise": slider(widgets.IntSlider, "noise", "0 is the stored one", min=0, max=20, value=0),
        }
        if not self._session.noise_shapes:
            del made["noise"]
        self._start = {name: each.value for name, each in made.items()}
        return made

    def _of_layer(self, name: str) -> Direction:
        """Towards the other face's style, in one layer alone."""
        sizes = np.cumsum([0] + [layer.channels for layer in self._session.layers])
        k = [layer.name for layer in self._session.layers].index(name)
        vector = np.zeros(sizes[-1], np.float32)
        vector[sizes[k] : sizes[k + 1]] = self._other[sizes[k] : sizes[k + 1]].cpu().numpy()
        return Direction(f"style of {name}", vector, space="s", unit="")

    def _moved(self, _: object) -> None:
        self._show()

    def _show(self) -> None:
        now = chain.walk(self._session, self.latent)
        light = self._lights = chain.lights(self._first, now, self._usual)
        with self.view.hold_sync():
            self.view.z, self.view.w = _levels(light.z), _levels(_grouped(light.w, 64))
            self.view.styles = [[name, _levels(_grouped(share, CELLS))] for name, share in light.styles.items()]
            self.view.layers = [[name, chain.glow(share)] for name, share in light.layers.items()]
            self.view.maps = [_map(features) for features in now.layers.values()]
            self.view.pictures = [
                pictures.encoded(Image.fromarray(p), "PNG") for p in (self._first.picture, now.picture)
            ]
            self.view.picture_level = chain.glow(light.picture)
            self.view.words = [_words(light.levels[name]) for name in chain.STATIONS]


def _direction(session: GeneratorSession, given: str | Direction) -> Direction:
    if isinstance(given, Direction):
        return given
    if given in session.directions:
        return session.directions[given]
    vector = np.eye(session.w_dim, dtype=np.float32)[0]
    return Direction("one number of w", vector)  # a generator without directions still has a w


def _words(share: float) -> str:
    return f"lit: changed by {share:.1%}" if share > chain.DARK else "dark: as before"


def _levels(shares: NDArray[np.floating]) -> list[float]:
    return [round(chain.glow(float(share)), 2) for share in shares]


def _grouped(shares: NDArray[np.floating], cells: int) -> NDArray[np.floating]:
    """At most so many numbers: the largest of each group."""
    return np.array([part.max() for part in np.array_split(shares, min(cells, len(shares)))])


def _map(features: NDArray[np.floating]) -> bytes:
    """Mean strength of the channels at each place, as an encoded grey picture."""
    strength = np.abs(features).mean(axis=0)
    scaled = (strength - strength.min()) / max(float(np.ptp(strength)), 1e-12)
    return pictures.encoded(Image.fromarray((255 * scaled).astype(np.uint8)), "PNG")
