"""Where to look: masks, label maps, or a function that makes them from pictures; and their cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.checks import unknown_name

Segmenter = Callable[[NDArray[np.uint8]], ArrayLike]
"""A picture uint8 [H, W, 3] → labels [H, W], whole numbers; bool for one region. It may have `names`, a text for each."""

OUTSIDE, INSIDE = "elsewhere", "region"


def label_maps(
    regions: ArrayLike | Segmenter, pictures: Sequence[NDArray[np.uint8]], names: Sequence[str] | None = None
) -> tuple[list[NDArray[np.uint8]], tuple[str, ...]]:
    """Labels [H, W] for each picture, and the names of the labels.

    Args:
        regions: a mask or labels [H, W] for all pictures, [n, H, W] for each, or a `Segmenter`. Masks are bool, or whole
            numbers of which 0 and 1 (or 255) are all there is.
        names: of the labels, from 0; those of the segmenter when None.

    Raises:
        ValueError: sizes that do not match, values that are no labels, or an empty mask.
    """
    n = len(pictures)
    if callable(regions):
        names = names if names is not None else getattr(regions, "names", None)
        maps = [np.asarray(regions(picture)) for picture in pictures]
    else:
        given = np.asarray(regions)
        maps = [given] * n if given.ndim == 2 else list(given)
    if len(maps) != n or any(each.ndim != 2 for each in maps):
        raise ValueError(
            f"regions are a mask [H, W], {n} masks [{n}, H, W], or a function of a picture; "
            f"{np.asarray(maps).shape} was given"
        )
    for each, picture in zip(maps, pictures, strict=True):
        if each.shape != picture.shape[:2]:
            raise ValueError(
                f"a region of {list(each.shape)} pixels was given for a picture of {list(picture.shape[:2])}"
            )
    labels = [_labels(each) for each in maps]
    count = 1 + max(int(each.max()) for each in labels)
    if not any(each.any() for each in labels):
        raise ValueError("the region is empty: mark at least one pixel")
    if names is None:
        names = (OUTSIDE, INSIDE) if count <= 2 else [f"label {i}" for i in range(count)]
    if count > len(names):
        raise ValueError(f"labels go up to {count - 1}, but only {len(names)} names were given")
    return labels, tuple(str(name) for name in names)


def _labels(array: NDArray[np.number]) -> NDArray[np.uint8]:
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
        raise ValueError(
            "labels are whole numbers from 0 to 254, masks are bool; fractions were given (use mask > 0.5)"
        )
    values = np.unique(array)
    if set(values.tolist()) <= {0, 255}:
        return (array > 0).astype(np.uint8)
    if values[0] < 0 or values[-1] > 254:
        raise ValueError(f"labels are whole numbers from 0 to 254; {values[0]} to {values[-1]} were given")
    return array.astype(np.uint8)


def index_of(target: str | int | None, names: Sequence[str]) -> int:
    """The label that is asked for: by name or number; 1 (what is marked) when None.

    Raises:
        ValueError: there is no such label.
    """
    if target is None:
        return min(1, len(names) - 1)
    if isinstance(target, str):
        if target not in names:
            raise unknown_name("region", target, names)
        return list(names).index(target)
    if not 0 <= int(target) < len(names):
        raise ValueError(f"region {target} was given; there are 0 to {len(names) - 1}")
    return int(target)


def in_cells(labels: NDArray[np.uint8], shape: tuple[int, int], count: int, target: int) -> NDArray[np.uint8]:
    """Labels of the cells of a grid [h, w]: in each the one with most pixels, where those of `target` count double: lids and
    brows are narrower than a cell.

    When no cell has most of its pixels in `target` although some pixel is, the cell with most of them is taken, so that a
    small brush stroke is not lost.
    """
    height, width = labels.shape
    rows, columns = (np.arange(n) * m // n for n, m in ((height, shape[0]), (width, shape[1])))
    cell = (rows[:, None] * shape[1] + columns[None, :]).ravel()
    votes = np.zeros((shape[0] * shape[1], count))
    np.add.at(votes, (cell, labels.ravel()), 1.0)
    share = votes[:, target].copy()
    votes[:, target] *= 2
    won: NDArray[np.uint8] = votes.argmax(axis=1).astype(np.uint8)
    if share.any() and not (won == target).any():
        won[share.argmax()] = target
    return won.reshape(shape)
