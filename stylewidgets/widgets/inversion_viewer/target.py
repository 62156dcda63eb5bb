"""Where the picture to invert comes from, and the brush for the part of it that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ... import domain
from ...core import pictures
from ...session.session import GeneratorSession
from ..kit.compat import button, forget_upload, set_tooltip, uploaded
from ..kit.controls.paint_pad import PaintPad
from ..kit.controls.source_controls import random_seed
from ..kit.parts import column, note, row, say
from ..kit.views.camera import Camera

Chosen = Callable[[Any, str], None]
"""Called with what `Target.of` takes and a Python expression for it, "" where there is none."""


class TargetPanel(widgets.VBox):
    """Upload, path or address, the camera, a generated picture whose code is known, a picture of the
    domain's world whose factors are known.

    Args:
        session: tells the size and the domain.
        chosen: see `Chosen`.
        guard: runs a callback so that its exceptions are shown.
    """

    def __init__(self, session: GeneratorSession, chosen: Chosen, guard: Callable[[Callable[[], Any]], None]) -> None:
        self._session, self._chosen = session, chosen
        self.upload = widgets.FileUpload(accept="image/*", multiple=False, description="upload a picture")
        self.upload.layout.width = "190px"
        set_tooltip(self.upload, "a picture from your disk")
        self.upload.observe(lambda _: guard(self._on_upload), "value")
        self.path = widgets.Text(
            placeholder="path or address of a picture, then Enter",
            continuous_update=False,
            layout=widgets.Layout(width="270px", max_width="100%"),
        )
        set_tooltip(self.path, "a file beside the notebook, or an http(s) address; Enter takes it")
        self.path.observe(lambda change: guard(self._on_path) if change["new"].strip() else None, "value")
        self.seed = widgets.BoundedIntText(
            1,
            min=0,
            max=2**32 - 1,
            description="seed",
            style={"description_width": "34px"},
            layout=widgets.Layout(width="140px"),
        )
        set_tooltip(self.seed, "which generated picture or render")
        own = [
            button("generated", "a picture of this generator: its code is known", lambda: guard(self.generated), "90px")
        ]
        known = domain.of(session)
        self._world = None if known is None or known.world is None else known.world()
        if known is not None and self._world is not None:
            own.append(
                button(
                    known.noun,
                    f"a rendered {known.noun}: its factors are known, but no code draws it exactly",
                    lambda: guard(self.example),
                    "70px",
                )
            )
        own.append(button("↻", "another seed", self._reroll, "36px"))
        self.camera = Camera(lambda picture: guard(lambda: self._chosen(picture, "")))
        super().__init__(
            [row(self.upload, self.path, self.camera, row(self.seed, *own))], layout=widgets.Layout(width="100%")
        )

    def generated(self) -> None:
        """Take the generator's picture of the seed."""
        seed = int(self.seed.value)
        self._chosen(self._session.latent(seed=seed), f"session.latent(seed={seed})")

    def example(self) -> None:
        """Take the picture that the domain's world draws of the seed. ValueError when it has none."""
        if self._world is None:
            raise ValueError("no pictures with known factors are drawn of what this generator draws")
        self._chosen(*self._world.example(int(self.seed.value), self._session.resolution))

    def _reroll(self) -> None:
        self.seed.value = random_seed()

    def _on_path(self) -> None:
        text = self.path.value.strip()
        self._chosen(text, repr(text))

    def _on_upload(self) -> None:
        for name, data in uploaded(self.upload):
            picture = pictures.read(data, repr(name))
            forget_upload(self.upload)
            self._chosen(picture, repr(name))


class MaskPanel(widgets.VBox):
    """A brush over the target: what is painted counts, or is left out."""

    def __init__(self) -> None:
        self.pad = PaintPad(self._say)
        self._meaning = widgets.Dropdown(
            options=[("counts, and nothing else", False), ("is left out", True)],
            description="what I paint",
            style={"description_width": "80px"},
            layout=widgets.Layout(width="270px", max_width="100%"),
        )
        set_tooltip(self._meaning, "which part of the target the next run has to match")
        self._meaning.observe(lambda _: self._say(), "value")
        self._about = note("")
        super().__init__(
            [
                row(
                    self.pad,
                    column(
                        self._meaning,
                        self._about,
                        note(
                            "Holds for the next run. What does not count is left to the generator: paint out glasses "
                            "or a hand, and it puts a face there."
                        ),
                        flex="1 1 240px",
                    ),
                    align_items="flex-start",
                )
            ],
            layout=widgets.Layout(width="100%"),
        )
        self._say()

    @property
    def inverted(self) -> bool:
        """Whether what is painted is left out."""
        return bool(self._meaning.value)

    @inverted.setter
    def inverted(self, value: bool) -> None:
        self._meaning.value = bool(value)

    def mask(self, side: int) -> NDArray[np.float32] | None:
        """1 where the target counts, float [side, side]; None for everywhere."""
        if not self.pad.mask.any():
            return None
        painted = self.pad.mask_at(side, side)
        return (~painted if self.inverted else painted).astype(np.float32)

    def paint(self, mask: Any) -> None:
        """Paint [h, w] instead of what is there; None takes all paint away."""
        self.pad.mask = np.zeros((1, 1)) if mask is None else mask
        self._say()

    def _say(self) -> None:
        share = 100 * float(self.pad.mask.mean())
        if not share:
            say(self._about, "Nothing is painted: the whole picture counts.")
            return
        say(self._about, f"{100 - share if self.inverted else share:.0f} % of the picture counts.")
