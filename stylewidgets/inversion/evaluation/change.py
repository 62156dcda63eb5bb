"""How wrong an edit is as a change of pixels: no network reads the pictures, so it holds for any of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
STEP = 2 / 255
"""What one step of 8 bits is on the scale of [-1, 1]."""
VISIBLE = STEP**2
"""Mean square from which a change can be told from rounding: about one step in every pixel, or 30 steps in one of a thousand."""


def change_error(target: Pixels, truth: Pixels, inverted: Pixels, edited: Pixels) -> Array:
    """Relative error of the change, [N, E]: |(edited − inverted) − (truth − target)|² over |truth − target|².

    0 is the true change, whatever the inversion got wrong before it; 1 is as wrong as no edit at all; more is worse than that,
    since something else has changed as well. nan where the true change cannot be seen, such as that of hidden eyes.

    Args:
        target: the pictures, uint8 [N, H, W, 3].
        truth: what E edits should make of them, uint8 [N, E, H, W, 3].
        inverted: what the codes draw, uint8 [N, H, W, 3].
        edited: what the edited codes draw, uint8 [N, E, H, W, 3].
    """
    found = np.full(truth.shape[:2], np.nan)
    for i, k in np.ndindex(*found.shape):
        wanted = _difference(truth[i, k], target[i])
        size = float(np.square(wanted).mean())
        if size >= VISIBLE:
            found[i, k] = np.square(_difference(edited[i, k], inverted[i]) - wanted).mean() / size
    return found


def _difference(a: Pixels, b: Pixels) -> Array:
    return (a.astype(np.float64) - b) / 127.5
