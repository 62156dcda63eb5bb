"""Filters as banded matrices, for `filtered_lrelu` as products of small matrices (`triton_filters`): with an upsampling matrix U
and downsampling ones D a tile of the result is Σ over r of D_r · act(U · X · Uᵀ) · D'_rᵀ."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

_TRANSFER = 200  # products that take as long as one number from or to memory: a guess for channels-last features


class Tiles(NamedTuple):
    """Sizes of a square tile: outputs, and the sides of the matrices, powers of two.

    Attributes:
        outputs: that are computed.
        inputs: that are read.
        inner: upsampled samples.
        result: `outputs`, rounded up.
    """

    outputs: int
    inputs: int
    inner: int
    result: int


@lru_cache(maxsize=64)
def tiles(up: int, down: int, up_taps: int, down_taps: int, largest: int) -> Tiles | None:
    """The tile with the least work for each output, with matrices of up to ``largest`` a side; None for filters that no tile
    is large enough for."""
    best: tuple[float, Tiles] | None = None
    for inner in (32, largest):
        for inputs in (16, 32, largest):
            most = min(inner, (inputs - 1) * up - up_taps + 2)  # upsampled samples that so many inputs are enough for
            outputs = (most - down_taps) // down + 1
            if outputs < 1:
                continue
            result = max(16, 1 << (outputs - 1).bit_length())
            products = inner * inputs * (inputs + inner) + result * inner * (inner + result)
            cost = (products + _TRANSFER * (inputs**2 + outputs**2)) / outputs**2
            if best is None or cost < best[0]:
                best = cost, Tiles(outputs, inputs, inner, result)
    return best and best[1]


def largest(x: Tensor) -> int:
    """The largest side of a matrix that the registers have room for: 64 for half precision on tensor cores, else 32."""
    cores = not x.is_cuda or torch.version.hip is not None or torch.cuda.get_device_capability(x.device)[0] >= 8
    return 64 if cores and x.element_size() == 2 else 32


def separable(taps: Tensor) -> tuple[Tensor, Tensor]:
    """Columns and rows [R, T], float64 on the CPU, with Σ over r of column ⊗ row = taps [T, T], to more digits than float32 has.

    Args:
        taps: [T, T], or [T] for taps ⊗ taps.
    """
    taps = taps.detach().cpu().double()
    if taps.ndim == 1:
        return taps[None], taps[None]
    u, s, v = torch.linalg.svd(taps)
    rank = max(1, int((s > s[0] * 1e-9).sum()))
    root = s[:rank, None].sqrt()
    return u.t()[:rank] * root, v[:rank] * root


def down_matrices(taps: Tensor, down: int, sizes: Tiles, dtype: torch.dtype) -> Tensor:
    """[2, R, result, inner] on the device of ``taps``: what output o takes of upsampled sample i, taps[T − 1 − (i − o·down)], of
    the columns and of the rows of `separable`. It waits for the taps: keep it."""
    lines = torch.stack(separable(taps))
    made = lines.new_zeros(*lines.shape[:2], sizes.result, sizes.inner)
    flipped, count = lines.flip(2), lines.shape[2]
    for o in range(sizes.outputs):
        made[:, :, o, o * down : o * down + count] = flipped
    return made.to(taps.device, dtype)
