"""From z to the picture, station by station, and which of them a change reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..latent.latent import Latent
from ..session.session import GeneratorSession

Array = NDArray[np.float32]
STATIONS = ("z", "w", "styles", "layers", "picture")
"""In the order in which a generator computes them."""
DARK = 1e-5
"""Changes below this share are rounding."""


@dataclass(frozen=True, eq=False)
class Walk:
    """What a generator computes for one latent.

    Attributes:
        z: [z_dim]; zeros for a latent that starts from no z.
        w: [num_ws, w_dim], after truncation and the edits in w.
        styles: by layer, [channels].
        layers: features by layer, [channels, height, width]; convolutions only.
        picture: uint8 [H, W, 3].
    """

    z: Array
    w: Array
    styles: Mapping[str, Array]
    layers: Mapping[str, Array]
    picture: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Lights:
    """How far each station changed, as shares of what is usual there: 0 is not at all.

    Attributes:
        z, w: of each number, [z_dim] and [w_dim]; of w the mean over its rows.
        styles: by layer, [channels].
        layers: by layer.
        picture: mean change of the picture, 1 for from black to white.
    """

    z: Array
    w: Array
    styles: Mapping[str, Array]
    layers: Mapping[str, float]
    picture: float

    @property
    def levels(self) -> dict[str, float]:
        """The largest change of each of STATIONS."""
        return {
            "z": _most(self.z),
            "w": _most(self.w),
            "styles": max(map(_most, self.styles.values()), default=0.0),
            "layers": max(self.layers.values(), default=0.0),
            "picture": self.picture,
        }

    @property
    def lit(self) -> frozenset[str]:
        """Which of STATIONS changed."""
        return frozenset(name for name, level in self.levels.items() if level > DARK)


def walk(session: GeneratorSession, latent: Latent) -> Walk:
    """All stations of one latent. ValueError for a code in s, which has no w, or a generator whose layers cannot be seen."""
    seen = [layer.name for layer in session.layers if layer.kind == "conv"]
    with session.lock:
        styles, states = session.code_styles(latent), session.activations(latent, seen)
        return Walk(
            _z(session, latent),
            session.map(latent)[0].cpu().numpy(),
            {layer.name: style[0].cpu().numpy() for layer, style in zip(session.layers, styles, strict=True)},
            {name: state.x[0].float().cpu().numpy() for name, state in states.items()},
            session.image(latent),
        )


def lights(before: Walk, after: Walk, spread: float) -> Lights:
    """What changed between two walks of one generator.

    Args:
        spread: how far one number of w usually is from its mean; z has 1 by definition.
    """
    return Lights(
        np.abs(after.z - before.z),
        np.abs(after.w - before.w).mean(axis=0) / spread,
        {
            name: np.abs(after.styles[name] - s) / max(float(np.abs(s).mean()), 1e-12)
            for name, s in before.styles.items()
        },
        {name: float(_length(after.layers[name] - x) / max(_length(x), 1e-12)) for name, x in before.layers.items()},
        float(np.abs(after.picture.astype(np.float32) - before.picture).mean() / 255),
    )


def usual_w(session: GeneratorSession) -> float:
    """Root mean square of one number of w − mean, over 500 faces."""
    return float((session.sample_w(500) - session.w_avg).square().mean().sqrt())


def lit(session: GeneratorSession, before: Latent, after: Latent) -> frozenset[str]:
    """Which of STATIONS are reached by the change from one latent to the other."""
    return lights(walk(session, before), walk(session, after), usual_w(session)).lit


def glow(share: float) -> float:
    """How bright a change is shown, 0 to 1: four powers of ten, since what noise does is a thousandth of what z does."""
    return float(np.clip((np.log10(max(share, 1e-9)) + 4) / 4, 0, 1)) if share > DARK else 0.0


def _z(session: GeneratorSession, latent: Latent) -> Array:
    if latent.code is not None and latent.code.space == "z":
        return np.asarray(latent.code.array, np.float32)
    if latent.seed is not None:
        return np.random.RandomState(latent.seed).randn(session.z_dim).astype(np.float32)
    return np.zeros(session.z_dim, np.float32)


def _most(values: Array) -> float:
    return float(values.max(initial=0.0))


def _length(values: Array) -> float:
    return float(np.linalg.norm(values))
