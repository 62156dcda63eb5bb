"""The last convolution and its colours, a strip of rows at a time."""

from __future__ import annotations

import math

from torch import Tensor

from ...ops import _buffers
from ...ops.native import winograd
from ..layers import SynthesisLayer, ToRGB

LARGE = 32 << 20
"""Bytes of features from which they are made in strips: of 512 pixels and 64 channels twice as many."""
STRIP = 16 << 20
"""Bytes of a strip: less memory than this costs time, as threads wait for each other at the end of each."""


def colours_of(
    conv: SynthesisLayer, torgb: ToRGB, x: Tensor, styles: Tensor, colour_styles: Tensor, noise: Tensor | None
) -> Tensor:
    """``torgb(conv(x, styles, noise), colour_styles)`` to the bit; large features in between are never there as a whole.

    At 1024 pixels they are a third of all the memory that a frame needs.

    Args:
        x: [N, I, H, W].
        styles, colour_styles: [N, C] of the two layers.
        noise: as `SynthesisLayer` takes it.
    Returns:
        [N, colours, H, W] float32.
    """
    n, _, h, w = x.shape
    size = 4 * n * h * w * conv.weight.shape[0]
    if size < LARGE or conv.up != 1 or not winograd.usable(x, conv.weight, conv.bias, styles, noise):
        return torgb(conv(x, styles, noise), colour_styles)  # type: ignore[no-any-return]
    rows = math.ceil(h / math.ceil(size / STRIP) / 4) * 4
    picture = _buffers.planar(n, torgb.weight.shape[0], h, w)
    for first in range(0, h, rows):
        own = slice(first, min(h, first + rows))
        picture[:, :, own] = torgb(conv.strip(x, styles, noise, own), colour_styles)
    return picture
