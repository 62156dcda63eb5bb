"""Pictures as arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def fit(array: Pixels, max_side: int | None) -> Pixels:
    """Shrink uint8 [H, W, 3] so that no side is longer than `max_side`; smaller pictures and None leave it as it is."""
    height, width = array.shape[:2]
    longest = max(height, width)
    if max_side is None or longest <= max_side:
        return array
    size = (max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest)))
    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize(size, Image.Resampling.BOX))


def tiled(pictures: Mapping[tuple[int, int], Pixels], rows: int, columns: int) -> Pixels:
    """Pictures of one size, by row and column, as one; black where there is none."""
    height, width = next(iter(pictures.values())).shape[:2]
    made = np.zeros((rows * height, columns * width, 3), np.uint8)
    for (i, j), picture in pictures.items():
        made[i * height : (i + 1) * height, j * width : (j + 1) * width] = picture
    return made
