"""Where the picture to invert comes from, and the brush for the part of it that counts."""

from __future__ import annotations

from functools import partial

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ... import domain
from ...core import pictures
from ...latent.latent import Latent
from ..kit.controls.source_controls import random_seed
from ..kit.errors import reporting
from ..kit.parts import ROW, WIDE, button, column, control, note, row, say
from ..kit.sharing import shared_layout
from ..kit.views.brush import Brush
from ..kit.views.camera import Camera
from .host import InversionHost


class TargetPanel(widgets.HBox):
    """Path or address, the camera, a generated picture whose code is known, a picture of the domain's world whose factors
    are known. Files from the disk come through the view.

    What is chosen goes to `host.set_target` with a Python expression for it, "" where there is none.
    """

    def __init__(self, host: InversionHost) -> None:
        self._host = host
        self.path = control(
            widgets.Text,
            tip="a file beside the notebook, or an http(s) address; Enter takes it",
            on=self._on_path,
            view=host.view,
            layout={"width": "auto", "flex": "1 1 220px", "max_width": "100%"},
            placeholder="path or address of a picture, then Enter",
            continuous_update=False,
        )
        self.seed = control(
            widgets.BoundedIntText,
            1,
            tip="which generated picture or render",
            style={"description_width": "36px"},
            layout={"width": "150px", "max_width": "100%"},
            min=0,
            max=2**32 - 1,
            description="seed",
        )
        act = partial(button, view=host.view)
        own = [act("generated face", "a picture of this generator: its code is known", self.generated)]
        known = domain.of(host.session)
        self._world = None if known is None or known.world is None else known.world()
        if known is not None and self._world is not None:
            tip = f"a rendered {known.noun}: its factors are known, but no code draws it exactly"
            own.append(act(f"rendered {known.noun}", tip, self.example))
        own.append(act("", "another seed", self._reroll, icon="dice"))
        self.camera = Camera(self._on_camera, layout=shared_layout())
        super().__init__([self.path, self.camera, self.seed, *own], layout=shared_layout(**ROW))

    def _on_camera(self, picture: Image.Image) -> None:
        with reporting(self._host.view):
            self._host.set_target(picture)

    def generated(self) -> None:
        """Take the generator's picture of the seed."""
        seed = int(self.seed.value)
        self._host.set_target(self._host.session.latent(seed=seed), f"session.latent(seed={seed})")

    def example(self) -> None:
        """Take the picture that the domain's world draws of the seed. ValueError when it has none."""
        if self._world is None:
            raise ValueError("no pictures with known factors are drawn of what this generator draws")
        self._host.set_target(*self._world.example(int(self.seed.value), self._host.session.resolution))

    def _reroll(self) -> None:
        self.seed.value = random_seed()

    def _on_path(self, text: str) -> None:
        if text := text.strip():
            self._host.set_target(text, repr(text))

    def take_file(self, name: str, data: bytes) -> None:
        """Take the picture in the bytes of a file. ValueError when it is none."""
        self._host.set_target(pictures.read(data, repr(name)), repr(name))

    def show_seed(self, latent: Latent | None) -> None:
        """Show the seed of a target whose code is known, where it has one."""
        if latent is not None and latent.seed is not None:
            self.seed.value = latent.seed


class MaskPanel(widgets.VBox):
    """A brush over the target: what is painted counts, or is left out."""

    def __init__(self) -> None:
        self.pad = Brush(self._say, layout=shared_layout())
        self._meaning = control(
            widgets.Dropdown,
            tip="which part of the target the next run has to match",
            on=lambda _: self._say(),
            style={"description_width": "80px"},
            layout={"width": "270px", "max_width": "calc(100% - 4px)"},
            options=[("counts, and nothing else", False), ("is left out", True)],
            description="what I paint",
        )
        self._about = note("")
        words = note(
            "Holds for the next run. What does not count is left to the generator: paint out glasses or a hand, and it "
            "puts a face there."
        )
        side = column(self._meaning, self._about, words, flex="1 1 180px", min_width="0")
        super().__init__([row(self.pad, side, align_items="flex-start", grid_gap="8px")], layout=shared_layout(**WIDE))
        self._say()

    @property
    def inverted(self) -> bool:
        """Whether what is painted is left out."""
        return bool(self._meaning.value)

    @inverted.setter
    def inverted(self, value: bool) -> None:
        self._meaning.value = bool(value)

    def mask(self, size: tuple[int, int]) -> NDArray[np.float32] | None:
        """1 where the target counts, float [height, width]; None for everywhere."""
        if not self.pad.mask.any():
            return None
        painted = self.pad.mask_at(*size)
        return (~painted if self.inverted else painted).astype(np.float32)

    def paint(self, mask: ArrayLike | None) -> None:
        """Paint [h, w] instead of what is there; None takes all paint away."""
        self.pad.mask = np.zeros((1, 1)) if mask is None else mask
        self._say()

    def _say(self) -> None:
        share = 100 * float(self.pad.mask.mean())
        if not share:
            say(self._about, "Nothing is painted: the whole picture counts.")
            return
        say(self._about, f"{100 - share if self.inverted else share:.0f} % of the picture counts.")
