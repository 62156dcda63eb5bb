"""A clear sheet over a live picture with points on it, each with the place that it should go to, and an arrow between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from .esm import script, style
from .page import View

Floats = NDArray[np.float64]


class PointSheet(View):
    """Points by mouse, finger or keys: a click sets a start, the next one its end; or both in one stroke.

    Keys, while it has the focus: space or Enter sets a start in the middle, then the end; arrows move what is chosen by a
    pixel, with shift by eight; n chooses the next end, Delete takes a point away, Escape one that has no end yet.

    Args:
        on_change: called with nothing when the reader has changed points; not for what the program changes.
        shape: height and width of the picture in pixels.
    """

    _esm = script("points.js")
    _css = style("points.css")

    points: Any = traitlets.List().tag(sync=True, echo_update=False)
    """[start, end] of each, or [start] while it has no end; places are [x, y], in shares of the picture from the top left."""
    marks: Any = traitlets.List().tag(sync=True)
    """Places that are suggested as starts, [name, x, y]; a press close by takes them exactly."""
    chosen = traitlets.Int(-1).tag(sync=True)
    """Which end is chosen: 2 · point for its start, 2 · point + 1 for its end; −1 for none."""
    active = traitlets.Bool(True).tag(sync=True)
    """Whether points can be set and moved; they are seen all the same."""
    step: Any = traitlets.List([1 / 256, 1 / 256]).tag(sync=True)
    """Width and height of a pixel."""
    label = traitlets.Unicode("Points to drag").tag(sync=True)

    def __init__(
        self, on_change: Callable[[], None] = lambda: None, shape: tuple[int, int] = (256, 256), **traits: object
    ) -> None:
        height, width = self.shape = shape
        super().__init__(step=[1 / width, 1 / height], **traits)
        self._on_change, self._setting = on_change, False
        self.observe(self._changed, "points")

    @property
    def handles(self) -> Floats:
        """Starts of the points that have an end, (row, column) in pixels, [n, 2]."""
        return self._pixels(0)

    @property
    def targets(self) -> Floats:
        """Their ends, [n, 2]."""
        return self._pixels(1)

    def show(self, handles: Sequence[Sequence[float]] | Floats, targets: Sequence[Sequence[float]] | Floats) -> None:
        """Put these points in the place of all others; (row, column) in pixels."""
        self.set([[self._share(a), self._share(b)] for a, b in zip(handles, targets, strict=True)])

    def set(self, points: Sequence[Sequence[Sequence[float]]]) -> None:
        """Put these in the place of all others, as `points` has them; nobody is called."""
        outer, self._setting = self._setting, True
        try:
            with self.hold_sync():
                self.points = [[[float(x), float(y)] for x, y in point] for point in points]
                if self.chosen >= 2 * len(self.points):
                    self.chosen = -1
        finally:
            self._setting = outer

    def suggest(self, places: Mapping[str, Sequence[float]]) -> None:
        """Mark these places, (row, column) in pixels by name; {} for none."""
        self.marks = [[name, *self._share(place)] for name, place in places.items()]

    def remove(self) -> None:
        """Take the chosen point away, or the last one where none is chosen."""
        if self.points:
            place = self.chosen // 2 if self.chosen >= 0 else len(self.points) - 1
            self.set([point for k, point in enumerate(self.points) if k != place])
            self.chosen = -1

    def mirror(self) -> None:
        """Add the mirror image of each point, left for right, where there is none yet."""
        there = [point[0] for point in self.points]
        made = [[[1 - x, y] for x, y in point] for point in self.points if len(point) == 2]
        new = [point for point in made if all(self._far(point[0], other) >= 1 for other in there)]
        self.set([*self.points, *new])

    def _far(self, a: Sequence[float], b: Sequence[float]) -> float:
        """Pixels between two places."""
        return float(np.hypot((a[0] - b[0]) / self.step[0], (a[1] - b[1]) / self.step[1]))

    def _pixels(self, end: int) -> Floats:
        places = np.array([point[end] for point in self.points if len(point) == 2], np.float64).reshape(-1, 2)
        # To whole pixels of the picture: the middle of the first is half a pixel from the edge.
        rounded = np.round(places[:, ::-1] * self.shape - 0.5)
        return np.clip(rounded, 0, np.array(self.shape) - 1.0)

    def _share(self, place: Sequence[float] | Floats) -> list[float]:
        row, column = place
        return [(float(column) + 0.5) / self.shape[1], (float(row) + 0.5) / self.shape[0]]

    def _changed(self, _: Any) -> None:
        if not self._setting:
            self._on_change()
