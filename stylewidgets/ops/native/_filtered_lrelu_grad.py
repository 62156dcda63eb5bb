"""`filtered_lrelu` with gradients on the CPU in compiled code (`_filtered_lrelu_grad.cpp`): float32, separable filters."""

from __future__ import annotations

import ctypes
import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from .. import _buffers
from ..plain_filtered_lrelu import Settings, by_torch
from . import _filtered_lrelu
from .build import address, library

_POINTER, _COUNT, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    made = library("_filtered_lrelu_grad")
    if made is not None:
        made.stylewidgets_filtered_lrelu_grad.argtypes = [
            _POINTER,
            _POINTER,
            *[_COUNT] * 6,
            _POINTER,
            _INT,
            _INT,
            _POINTER,
            _INT,
            _INT,
            _COUNT,
            _COUNT,
            _FLOAT,
            _FLOAT,
            _FLOAT,
            _POINTER,
            _INT,
        ]
    return made


def usable(x: Tensor, up_filter: Tensor | None, down_filter: Tensor | None, *, sizes: tuple[int, ...]) -> bool:
    """Whether `filtered_lrelu` here can stand for the plain operations where only ``x`` may want a gradient."""
    filters = [f for f in (up_filter, down_filter) if f is not None]
    return (
        torch.is_grad_enabled()
        and x.requires_grad
        and not any(f.requires_grad for f in filters)
        and (down_filter is None or down_filter.ndim == 1)
        and _filtered_lrelu.usable(x.detach(), *(f.detach() for f in filters), sizes=sizes)
        and _library() is not None
    )


def filtered_lrelu(x: Tensor, up_filter: Tensor | None, down_filter: Tensor | None, settings: Settings) -> Tensor:
    """`stylewidgets.ops.filtered_lrelu.filtered_lrelu` of features [N, C, H, W] that have their scale and bias."""
    x = x.contiguous(memory_format=torch.channels_last)  # out here, so that what is saved is part of the graph
    result: Tensor = _FilteredLReLU.apply(x, up_filter, down_filter, settings)  # type: ignore[no-untyped-call]
    return result


class _FilteredLReLU(torch.autograd.Function):
    """Forward and gradient are one compiled call each; a gradient of the gradient goes through plain torch."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, up_filter: Tensor | None, down_filter: Tensor | None, settings: Settings
    ) -> Tensor:
        ctx.save_for_backward(x, up_filter, down_filter)
        ctx.settings = settings
        s = settings
        return _filtered_lrelu.filtered_lrelu(
            x, x.new_zeros(x.shape[1]), up_filter, down_filter, None, s.up, s.down, s.padding, s.gain, s.slope, s.clamp
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, up_filter, down_filter = ctx.saved_tensors
        if torch.is_grad_enabled():  # it will be differentiated again
            y = by_torch(x, up_filter, down_filter, ctx.settings)
            (found,) = torch.autograd.grad(y, x, grads[0], create_graph=True)
            return found, None, None, None
        return _gradient(x, grads[0], up_filter, down_filter, ctx.settings), None, None, None


def _gradient(x: Tensor, g: Tensor, up_filter: Tensor | None, down_filter: Tensor | None, s: Settings) -> Tensor:
    made = _library()
    assert made is not None
    n, c, h, w = x.shape
    g = g.float().contiguous(memory_format=torch.channels_last)
    one = torch.ones(1, dtype=torch.float32, device="cpu")
    wide, low = (one if f is None else f.detach().float().contiguous() for f in (up_filter, down_filter))
    out = _buffers.channels_last(n, c, h, w)
    failed = made.stylewidgets_filtered_lrelu_grad(
        address(x, n, c, h, w, layout=torch.channels_last),
        address(g, n, c, *g.shape[2:], layout=torch.channels_last),
        n,
        h,
        w,
        c,
        *g.shape[2:],
        address(wide, len(wide)),
        len(wide),
        s.up,
        address(low, len(low)),
        len(low),
        s.down,
        *s.padding,
        s.gain,
        s.slope,
        math.inf if s.clamp is None else s.clamp,
        out.data_ptr(),
        torch.get_num_threads(),
    )
    if failed:
        raise MemoryError(f"no memory for the gradient of features {list(x.shape)}")
    return out
