"""The compiled steps from features to the picture (`_colours.cpp`): float32, on the CPU, without gradients."""

from __future__ import annotations

import ctypes
import math
from functools import lru_cache

import torch
from torch import Tensor

from .. import _buffers
from ..upfirdn2d import BINOMIAL, Taps, upsample2d
from .build import address, library
from .winograd import plainly_run


class _Colours(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("x", "weight", "bias", "y")),
        *((name, ctypes.c_int64) for name in ("n", "pixels", "inputs", "outputs")),
        ("clamp", ctypes.c_float),
        ("threads", ctypes.c_int64),
    ]


class _Doubling(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("small", "more", "y")),
        *((name, ctypes.c_int64) for name in ("planes", "height", "width", "threads")),
    ]


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    made = library("_colours")
    if made is not None:
        made.stylewidgets_colours.argtypes = [ctypes.POINTER(_Colours)]
        made.stylewidgets_add_doubled.argtypes = [ctypes.POINTER(_Doubling)]
    return made


def available() -> bool:
    """Whether the compiled steps can be had here; compiles them at the first call."""
    return _library() is not None


def usable(x: Tensor, *others: Tensor) -> bool:
    """Whether `to_colours` can stand for the plain operations on these features."""
    return _usable(x, *others) and x.is_contiguous(memory_format=torch.channels_last)


def to_colours(x: Tensor, weight: Tensor, bias: Tensor, clamp: float | None = None) -> Tensor:
    """clamp(weight · x + bias, ±clamp) at each pixel.

    Args:
        x: [N, I, H, W] float32 on the CPU, channels last (`usable`).
        weight: [N, O, I], modulated; made for few colours O.
        bias: [O].
    Returns:
        [N, O, H, W], planar.
    Raises:
        MemoryError: there is none.
    """
    made = _library()
    assert made is not None
    n, inputs, h, w = x.shape
    weight, bias = weight.contiguous(), bias.float().contiguous()
    y = _buffers.planar(n, weight.shape[1], h, w)
    task = _Colours(
        address(x, n, inputs, h, w, layout=torch.channels_last),
        address(weight, n, weight.shape[1], inputs),
        address(bias, weight.shape[1]),
        y.data_ptr(),
        n,
        h * w,
        inputs,
        weight.shape[1],
        math.inf if clamp is None else clamp,
        torch.get_num_threads(),
    )
    if made.stylewidgets_colours(ctypes.byref(task)):
        raise MemoryError(f"no memory for the colours of features {list(x.shape)}")
    return y


def add_doubled(colours: Tensor, img: Tensor | None, taps: Taps = BINOMIAL) -> Tensor:
    """``colours`` [N, C, 2H, 2W] on top of ``img`` [N, C, H, W], twice as large: how the skip architecture adds up pictures.

    Neither is changed. Without a picture it is the colours themselves.
    """
    if img is None:
        return colours
    if taps != BINOMIAL or not _usable(colours, img):
        return upsample2d(img, taps) + colours
    made = _library()
    assert made is not None
    img, colours = img.contiguous(), colours.contiguous()
    n, c, h, w = img.shape
    y = _buffers.planar(n, c, 2 * h, 2 * w)
    task = _Doubling(
        address(img, n, c, h, w),
        address(colours, n, c, 2 * h, 2 * w),
        y.data_ptr(),
        n * c,
        h,
        w,
        torch.get_num_threads(),
    )
    if made.stylewidgets_add_doubled(ctypes.byref(task)):
        raise MemoryError(f"no memory for a picture {list(colours.shape)}")
    return y


def _usable(x: Tensor, *others: Tensor) -> bool:
    return (
        all(t.dtype == torch.float32 and t.device.type == "cpu" for t in (x, *others))
        and plainly_run([x, *others])
        and available()
    )
