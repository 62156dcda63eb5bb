"""`filtered_lrelu` on a GPU in Triton: the upsampled features exist in the registers of a program only.

A tile of the result is a few products of small matrices (`filter_tiles`), in half precision on the tensor cores. Imports triton,
as `triton_epilogue` does.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..plain_filtered_lrelu import Settings
from .filter_tiles import Tiles
from .triton_epilogue import Launch, Start, _steps

_GROUP = 8  # channels of a program, which share its matrices


def filtered_lrelu(
    x: Tensor,
    bias: Tensor,
    up_filter: Tensor,
    matrices: Tensor,
    scale: Tensor | None,
    sizes: Tiles,
    down_taps: int,
    settings: Settings,
    start: Start = Launch.run,
) -> Tensor:
    """As `stylewidgets.ops.filtered_lrelu.filtered_lrelu`; ``x`` is left alone.

    Args:
        x: [N, C, H, W], contiguous or channels last.
        bias: [C], contiguous.
        up_filter: [T], contiguous.
        matrices: the down filter of ``down_taps`` taps, of `filter_tiles.down_matrices` in the dtype of ``x``.
        scale: [N, C], contiguous, or None.
        sizes: of `filter_tiles.tiles`.
    """
    n, c, h, w = x.shape
    up, down, padding, gain, slope, clamp = settings
    up_taps, rank = len(up_filter), matrices.shape[1]
    last = not x.is_contiguous()
    out_h, out_w = ((side * up + sum(padding) - up_taps + 1 - down_taps) // down + 1 for side in (h, w))
    layout = torch.channels_last if last else torch.contiguous_format
    y = torch.empty((n, c, out_h, out_w), dtype=x.dtype, device=x.device, memory_format=layout)
    group = min(_GROUP, triton.next_power_of_2(c))
    arguments: dict[str, Any] = {
        "x": x,
        "y": y,
        "scale": bias if scale is None else scale,
        "bias": bias,
        "ups": up_filter,
        "matrices": matrices,
        "channels": c,
        "height": h,
        "width": w,
        "out_h": out_h,
        "out_w": out_w,
        **_steps("x", x, last),
        **_steps("y", y, last),
        "before": padding[0],
        "slope": float(slope),
        "gain": float(gain),
        "limit": float(clamp or 0.0),
        "SCALED": scale is not None,
        "CLAMPED": clamp is not None,
        "UP": up,
        "DOWN": down,
        "UP_TAPS": up_taps,
        "RANK": rank,
        "OUTPUTS": sizes.outputs,
        "INPUTS": sizes.inputs,
        "INNER": sizes.inner,
        "RESULT": sizes.result,
        "GROUP": group,
    }
    count = math.prod(triton.cdiv(side, sizes.outputs) for side in (out_h, out_w))
    start(Launch(_filtered_lrelu, (count, triton.cdiv(c, group), n), arguments), x)
    return y


@triton.jit
def _ceiling(a, b: tl.constexpr):
    """a / b rounded up, where a may be negative; division rounds to zero."""
    return -((-a) // b) if a < 0 else (a + b - 1) // b


@triton.jit
def _up_matrix(ups, offset, UP: tl.constexpr, TAPS: tl.constexpr, INNER: tl.constexpr, INPUTS: tl.constexpr):
    """[INNER, INPUTS]: what upsampled sample i takes of input j, taps[i − j·UP + offset], times the gain of an axis."""
    i = tl.arange(0, INNER)
    j = tl.arange(0, INPUTS)
    tap = i[:, None] - j[None, :] * UP + offset
    return tl.load(ups + tap, mask=(tap >= 0) & (tap < TAPS), other=0).to(tl.float32) * UP


@triton.jit
def _down_matrix(matrices, r, RESULT: tl.constexpr, INNER: tl.constexpr):
    """[RESULT, INNER], matrix r of all."""
    o = tl.arange(0, RESULT)
    i = tl.arange(0, INNER)
    return tl.load(matrices + r * (RESULT * INNER) + o[:, None] * INNER + i[None, :])


@triton.jit(do_not_specialize=["height", "width", "out_h", "out_w", "before"])
def _filtered_lrelu(
    x,
    y,
    scale,
    bias,
    ups,
    matrices,
    channels,
    height,
    width,
    out_h,
    out_w,
    x_n,
    x_c,
    x_h,
    x_w,
    y_n,
    y_c,
    y_h,
    y_w,
    before,
    slope,
    gain,
    limit,
    SCALED: tl.constexpr,
    CLAMPED: tl.constexpr,
    UP: tl.constexpr,
    DOWN: tl.constexpr,
    UP_TAPS: tl.constexpr,
    RANK: tl.constexpr,
    OUTPUTS: tl.constexpr,
    INPUTS: tl.constexpr,
    INNER: tl.constexpr,
    RESULT: tl.constexpr,
    GROUP: tl.constexpr,
):
    """A program: OUTPUTS × OUTPUTS results of GROUP channels of a sample."""
    dtype = x.dtype.element_ty
    n = tl.program_id(2).to(tl.int64)
    across = tl.cdiv(out_w, OUTPUTS)
    top = (tl.program_id(0) // across) * OUTPUTS
    left = (tl.program_id(0) % across) * OUTPUTS
    # Upsampled sample u takes input j by tap u − j·UP + UP_TAPS − 1 − before: the first j with a tap is here.
    first_row = _ceiling(top * DOWN - before, UP)
    first_column = _ceiling(left * DOWN - before, UP)
    shift_row = top * DOWN - before - first_row * UP + UP_TAPS - 1
    shift_column = left * DOWN - before - first_column * UP + UP_TAPS - 1
    up_rows = _up_matrix(ups, shift_row, UP, UP_TAPS, INNER, INPUTS).to(dtype)
    up_columns = tl.trans(_up_matrix(ups, shift_column, UP, UP_TAPS, INNER, INPUTS).to(dtype))

    h = first_row + tl.arange(0, INPUTS)
    w = first_column + tl.arange(0, INPUTS)
    inside = ((h >= 0) & (h < height))[:, None] & ((w >= 0) & (w < width))[None, :]
    taken = h[:, None] * x_h + w[None, :] * x_w
    o = tl.arange(0, RESULT)
    wanted = ((o < OUTPUTS) & (top + o < out_h))[:, None] & ((o < OUTPUTS) & (left + o < out_w))[None, :]
    given = (top + o)[:, None] * y_h + (left + o)[None, :] * y_w

    if RANK == 1:
        column = _down_matrix(matrices, 0, RESULT, INNER)
        row = tl.trans(_down_matrix(matrices, 1, RESULT, INNER))
    for k in range(GROUP):
        c = tl.program_id(1) * GROUP + k
        known = c < channels
        v = tl.load(x + n * x_n + c * x_c + taken, mask=inside & known, other=0).to(tl.float32)
        if SCALED:
            v *= tl.load(scale + n * channels + c, mask=known, other=0).to(tl.float32)
        v += tl.load(bias + c, mask=known, other=0).to(tl.float32)
        v = tl.where(inside, v, 0.0).to(dtype)  # the zeros around the features have no bias
        v = tl.dot(up_rows, v, input_precision="ieee").to(dtype)
        v = tl.dot(v, up_columns, input_precision="ieee")
        v = tl.where(v < 0, v * slope, v) * gain
        if CLAMPED:
            v = tl.where(v > limit, limit, tl.where(v < -limit, -limit, v))
        v = v.to(dtype)
        if RANK == 1:
            sums = tl.dot(tl.dot(column, v, input_precision="ieee").to(dtype), row, input_precision="ieee")
        else:
            sums = tl.zeros([RESULT, RESULT], tl.float32)
            for r in range(RANK):
                column = _down_matrix(matrices, r, RESULT, INNER)
                row = tl.trans(_down_matrix(matrices, RANK + r, RESULT, INNER))
                sums = tl.dot(tl.dot(column, v, input_precision="ieee").to(dtype), row, sums, input_precision="ieee")
        tl.store(y + n * y_n + c * y_c + given, sums.to(dtype), mask=wanted & known)
