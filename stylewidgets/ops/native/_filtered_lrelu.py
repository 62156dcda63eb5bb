"""The compiled way of `filtered_lrelu` (`_filtered_lrelu.cpp`): float32, on the CPU, without gradients."""

from __future__ import annotations

import ctypes
import math
from functools import lru_cache

import torch
from torch import Tensor

from .. import _buffers
from .build import address, library
from .winograd import plainly_run

_POINTER, _COUNT, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
_LARGEST = 1 << 10
"""Taps and factors above it are left to plain torch."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    made = library("_filtered_lrelu")
    if made is not None:
        made.stylewidgets_filtered_lrelu.argtypes = [
            _POINTER,
            *[_COUNT] * 7,
            _POINTER,
            _POINTER,
            _POINTER,
            _INT,
            _INT,
            _POINTER,
            _INT,
            _INT,
            _INT,
            _COUNT,
            _FLOAT,
            _FLOAT,
            _FLOAT,
            _POINTER,
            _COUNT,
            _COUNT,
            _INT,
        ]
    return made


def usable(x: Tensor, *others: Tensor | None, sizes: tuple[int, ...]) -> bool:
    """Whether `filtered_lrelu` here can stand for the plain operations; compiles the library at the first call."""
    return (
        x.dtype == torch.float32
        and x.device.type == "cpu"
        and x.numel() > 0
        and max(sizes) <= _LARGEST
        and plainly_run([x, *(t for t in others if t is not None)])
        and _library() is not None
    )


def filtered_lrelu(
    x: Tensor,
    bias: Tensor,
    up_filter: Tensor | None,
    down_filter: Tensor | None,
    scale: Tensor | None,
    up: int,
    down: int,
    padding: tuple[int, int],
    gain: float,
    slope: float,
    clamp: float | None,
) -> Tensor:
    """As `stylewidgets.ops.filtered_lrelu.filtered_lrelu`, which has checked the sizes; leaves ``x`` alone."""
    made = _library()
    assert made is not None
    n, c, h, w = x.shape
    x = x.contiguous(memory_format=torch.channels_last)
    one = torch.ones(1, dtype=torch.float32, device="cpu")
    wide = one if up_filter is None else up_filter.detach().float().contiguous()
    low = one if down_filter is None else down_filter.detach().float().contiguous()
    shift, factor = bias.detach().float().contiguous(), None if scale is None else scale.detach().float().contiguous()
    height, width = ((side * up + sum(padding) - len(wide) + 1 - len(low)) // down + 1 for side in (h, w))
    y = _buffers.channels_last(n, c, height, width)
    failed = made.stylewidgets_filtered_lrelu(
        address(x, n, c, h, w, layout=torch.channels_last),
        n,
        h,
        w,
        c,
        h * w * c,
        w * c,
        c,
        None if factor is None else address(factor, n, c),
        address(shift, c),
        address(wide, len(wide)),
        len(wide),
        up,
        address(low, *[len(low)] * low.ndim),
        len(low),
        low.ndim == 2,
        down,
        padding[0],
        gain,
        slope,
        math.inf if clamp is None else clamp,
        y.data_ptr(),
        height,
        width,
        torch.get_num_threads(),
    )
    if failed:
        raise MemoryError(f"no memory for the filters of features {list(x.shape)}")
    return y
