"""A brush: over a picture of its own, or as a clear sheet over a live one. It paints in the page; a stroke is one message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ....core.pictures import encoded
from .esm import script, style
from .page import View

SIDE = 256
"""Pixels of the mask."""


class Brush(View):
    """What is painted on a picture, by mouse, finger or keys.

    Keys, while the picture has the focus: arrows move the brush, space paints, + and − change its width, e erases, Delete
    takes all paint away.

    Args:
        on_change: called with nothing when the reader has painted; not for what the program paints.
        over: a clear sheet without a picture of its own, which takes part only while it is `active`.
    """

    _esm = script("brush.js")
    _css = style("brush.css")

    paint = traitlets.Bytes(b"").tag(sync=True, echo_update=False, from_json=lambda value, _: bytes(value))
    """`SIDE` × `SIDE` bits, row by row, 1 where there is paint; b"" for none."""
    picture = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """What lies below, encoded; b"" for none."""
    width = traitlets.Int(28, min=4, max=96).tag(sync=True)
    """Of the brush, in pixels of the mask."""
    erasing = traitlets.Bool(False).tag(sync=True)
    """Whether the brush takes paint away."""
    active = traitlets.Bool(True).tag(sync=True)
    """Whether it can be painted at all."""
    over = traitlets.Bool(False).tag(sync=True)
    seen = traitlets.Bool(False).tag(sync=True)
    """Whether a clear sheet shows its paint, faintly, while it is not active."""
    label = traitlets.Unicode("Picture to paint on").tag(sync=True)

    def __init__(self, on_change: Callable[[], None] = lambda: None, **traits: object) -> None:
        super().__init__(**traits)
        self._on_change, self._setting = on_change, False
        self.observe(self._painted, "paint")

    @property
    def mask(self) -> NDArray[np.bool_]:
        """What is painted, bool [SIDE, SIDE]. Assign any [h, w] to paint that."""
        bits = np.frombuffer(self.paint, np.uint8)
        if len(bits) != SIDE * SIDE // 8:
            return np.zeros((SIDE, SIDE), bool)
        return np.unpackbits(bits).reshape(SIDE, SIDE).astype(bool)

    @mask.setter
    def mask(self, mask: ArrayLike) -> None:
        array = np.asarray(mask)
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"a mask has shape [height, width]; {list(array.shape)} was given")
        image = Image.fromarray((array != 0).astype(np.uint8) * 255).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        painted = np.asarray(image) > 127
        outer, self._setting = self._setting, True
        try:
            self.paint = np.packbits(painted).tobytes() if painted.any() else b""
        finally:
            self._setting = outer

    def mask_at(self, height: int, width: int) -> NDArray[np.bool_]:
        """What is painted as bool [height, width]: pixels that are at least half covered, or the most covered one."""
        painted = self.mask
        cover = np.asarray(
            Image.fromarray(painted.astype(np.float32), "F").resize((width, height), Image.Resampling.BOX)
        )
        made = cover >= 0.5
        return made if made.any() or not painted.any() else cover == cover.max()

    def show_picture(self, picture: NDArray[np.uint8]) -> None:
        """Put another picture uint8 [H, W, 3] under the paint."""
        self.picture = encoded(picture, "PNG")

    def clear(self) -> None:
        """Take all paint away."""
        self.paint = b""

    def _painted(self, _: Any) -> None:
        if not self._setting:
            self._on_change()
