"""A photograph with four points to drag, and boxes of faces to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ...core import pictures
from ..kit.parts import listen
from ..kit.views.esm import script, style
from ..kit.views.page import View

USUAL = ((0.38, 0.47), (0.62, 0.47), (0.41, 0.71), (0.59, 0.71))
"""Where eyes and mouth lie in an aligned picture of FFHQ: there the points begin."""
SHOWN = 840
"""Longest side in pixels of the photograph in the page; the points are in those of the photograph itself."""


class FacePoints(View):
    """Two eyes and two corners of the mouth on a photograph, by mouse, finger or arrow keys; faces are chosen by their boxes.

    Args:
        on_points: called when the reader has moved a point.
        on_box: called with the number of a box that the reader has chosen.
    """

    _esm = script("face_points.js")
    _css = style("face_points.css")

    picture = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded."""
    shape: Any = traitlets.List([1, 1]).tag(sync=True)
    """Width and height of the photograph in pixels."""
    points: Any = traitlets.List([list(point) for point in USUAL]).tag(sync=True, echo_update=False)
    """Eye, eye, mouth, mouth, [x, y] in shares of the picture from the top left."""
    boxes: Any = traitlets.List().tag(sync=True)
    """[left, top, right, bottom] of each face in shares; [] where there is nothing to choose."""
    box = traitlets.Int(-1).tag(sync=True)
    """The chosen one."""
    crop: Any = traitlets.List().tag(sync=True)
    """Corners of the crop, [x, y] in shares; [] where the points are no face's."""

    def __init__(self, on_points: Callable[[], object], on_box: Callable[[int], object], **traits: object) -> None:
        super().__init__(**traits)
        listen(self, lambda _: on_points(), "points")
        listen(self, on_box, "box")

    def show(self, photo: Image.Image) -> None:
        """Put another photograph in, with the points where they usually are in the middle of it."""
        small = photo.copy()
        small.thumbnail((SHOWN, SHOWN))
        side, (width, height) = min(photo.size), photo.size
        with self.hold_sync():
            self.shape, self.boxes, self.box = [width, height], [], -1
            self.place(np.array(USUAL) * side + (np.array(photo.size) - side) / 2)
            self.picture = pictures.encoded(small, "JPEG")

    @property
    def pixels(self) -> NDArray[np.float64]:
        """The points [4, 2] in pixels of the photograph, from its left and top edge."""
        return np.round(np.array(self.points, np.float64) * self.shape, 1)

    def place(self, points: ArrayLike) -> None:
        """Put the points [4, 2], in pixels of the photograph, somewhere else."""
        self.points = (np.clip(np.asarray(points, np.float64) / self.shape, 0, 1)).tolist()

    def outline(self, corners: ArrayLike | None) -> None:
        """Show the crop by its corners [4, 2] in pixels, or none."""
        self.crop = [] if corners is None else (np.asarray(corners, np.float64) / self.shape).tolist()

    def offer(self, boxes: Sequence[Sequence[float]]) -> None:
        """Show boxes (left, top, right, bottom) in pixels, numbered from 1, with the first one chosen."""
        self.boxes = [(np.asarray(box, np.float64) / [*self.shape, *self.shape]).tolist() for box in boxes]
        self.box = 0 if boxes else -1
