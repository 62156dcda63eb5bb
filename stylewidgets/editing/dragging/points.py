"""Handles, targets and masks as people give them, checked. Points are (row, column) in pixels of the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Points = Sequence[Sequence[float]] | ArrayLike


def checked_points(handles: Points, targets: Points, height: int, width: int) -> tuple[Floats, Floats]:
    """Handles and targets as float64 [n, 2].

    Raises:
        ValueError: none, another number of targets than of handles, a point outside of the picture, two handles at one
            place, or handles that are all at their targets already.
    """
    found = []
    for name, given in (("handles", handles), ("targets", targets)):
        try:
            points = np.array(given, np.float64)
        except (TypeError, ValueError):
            points = np.zeros(0)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
            raise ValueError(
                f"{name} are points (row, column), such as [(40, 60)], one at least; {_short(given)} was given"
            )
        outside = (points < 0) | (points > (height - 1, width - 1))
        if outside.any():
            row, column = points[outside.any(1)][0]
            raise ValueError(
                f"{name} must be inside of the picture, rows 0 to {height - 1} and columns 0 to {width - 1}; "
                f"({row:g}, {column:g}) was given"
            )
        found.append(points)
    first, last = found
    if len(first) != len(last):
        raise ValueError(f"every handle needs a target; {len(first)} handles and {len(last)} targets were given")
    if len(np.unique(first, axis=0)) < len(first):
        raise ValueError("two handles are at the same place, and could not be told apart: take one away")
    if np.array_equal(first, last):
        raise ValueError("every handle is at its target already, so nothing would move: drag a target elsewhere")
    return first, last


def checked_mask(mask: ArrayLike | None, height: int, width: int) -> NDArray[np.bool_] | None:
    """A mask bool [H, W], True where things may move; None where all may.

    Raises:
        ValueError: another shape, or a mask that keeps everything.
    """
    if mask is None:
        return None
    given = np.asarray(mask)
    if given.shape != (height, width):
        raise ValueError(f"a mask has the picture's shape, [{height}, {width}]; {list(given.shape)} was given")
    free = given.astype(bool)
    if not free.any():
        raise ValueError("the mask keeps the whole picture, so nothing could move: paint over what may move")
    return None if free.all() else free


def _short(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 60 else text[:60] + "…"
