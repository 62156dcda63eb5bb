"""What InversionViewer shows of a picture: on the page, and in the notebook that is saved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..kit.sharing import shared_layout
from ..kit.static import SavedPicture
from ..kit.views.inversion_view import InversionView, encoded

if TYPE_CHECKING:
    from ...inversion import Run

SHOW_SECONDS = 0.12
"""The live picture changes at most this often: encoding and the wire are not free."""


class Stage:
    """Target and result.

    Attributes:
        view: the pair on the page.
        saved: both, for the notebook's file.
    """

    def __init__(self, size: int) -> None:
        self.view = InversionView(size=size, layout=shared_layout())
        self.saved = SavedPicture(2 * size)
        self._target: NDArray[np.uint8] | None = None
        self._shown_at = float("-inf")
        self._comparing = self._chosen = False
        self.view.observe(self._on_mode, "mode")

    def compare(self) -> None:
        """Lay the result over the target, to be swiped, unless the reader has chosen a comparison already."""
        if not self._chosen:
            self._comparing = True
            try:
                self.view.mode = "swipe"
            finally:
                self._comparing = False

    def _on_mode(self, _: object) -> None:
        self._chosen = self._chosen or not self._comparing

    def show_target(self, picture: NDArray[np.uint8], name: str) -> None:
        """Put another target uint8 [H, W, 3] in."""
        self._target = picture
        with self.view.hold_sync():
            self.view.target = encoded(picture)
            self.view.names = [f"target: {name}", "result"]

    def show_result(self, picture: NDArray[np.uint8], words: str, *, final: bool = True) -> None:
        """Put another result uint8 [h, w, 3] in. Only final ones keep every bit and reach the saved notebook."""
        with self.view.hold_sync():
            self.view.result = encoded(picture, final)
            self.view.names = [self.view.names[0], words]
        if final and self._target is not None:
            side = self._target.shape[1::-1]
            right = np.asarray(Image.fromarray(picture).resize(side, Image.Resampling.NEAREST))
            pair = np.concatenate([self._target, right], axis=1)
            self.saved.update(encoded(pair), "image/png", f"{self.view.names[0]}; beside it {words}")

    def show_live(self, run: Run, i: int) -> NDArray[np.uint8] | None:
        """Show the picture of the last step and return it, uint8 [H, W, 3]; None where the one before is too young."""
        now = time.monotonic()
        drawn = run.pixels(i) if now - self._shown_at >= SHOW_SECONDS else None
        if drawn is None:
            return None
        self._shown_at = now
        self.show_result(drawn, f"step {run.step}", final=False)
        return drawn
