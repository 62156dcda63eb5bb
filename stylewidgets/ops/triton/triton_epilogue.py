"""What follows a convolution of StyleGAN2 as one pass over memory on a GPU, in Triton: demodulation, noise, bias, leaky ReLU,
gain and clamp, and for an up-convolution its separable filter before them.

Arithmetic is float32 for features of any dtype. Triton compiles a kernel anew for numbers that are 1 or divide by 16; those that
nothing is gained by are named with each. Imports triton: only `fused` imports this, and only for tensors on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from ._epilogue import Epilogue

_TILE = 1024  # features a program holds at a time: 8 for each of 128 threads
_FILTER_TILE = 512  # fewer, as it holds four filtered rows
_ROWS = 8  # output rows of a program of the filter, which reads 3 more
_CHANNELS = 64


class Launch(NamedTuple):
    """A kernel with all that it is started with."""

    kernel: Any
    grid: tuple[int, ...]
    arguments: dict[str, Any]

    def run(self, device_of: Tensor) -> None:
        """Start it on the GPU that holds this tensor."""
        with torch.cuda.device_of(device_of):
            self.kernel[self.grid](**self.arguments)


Start = Callable[[Launch, Tensor], None]


def bias_act(x: Tensor, then: Epilogue, start: Start = Launch.run) -> Tensor:
    """``x`` [N, C, H, W], contiguous or channels last, with what comes after a convolution, written in its own place."""
    n, c, h, w = x.shape
    last = not x.is_contiguous()
    block_c = min(_CHANNELS, triton.next_power_of_2(c)) if last else 1
    block_p = _TILE // block_c if last else min(_TILE, max(32, triton.next_power_of_2(h * w)))
    arguments = {
        "x": x,
        **_arguments(then),
        "channels": c,
        "pixels": h * w,
        "x_n": c * h * w,
        "x_p": c if last else 1,
        "x_c": 1 if last else h * w,
        "BLOCK_P": block_p,
        "BLOCK_C": block_c,
    }
    start(Launch(_bias_act, (triton.cdiv(h * w, block_p), triton.cdiv(c, block_c), n), arguments), x)
    return x


def up_epilogue(x: Tensor, taps: tuple[float, ...], then: Epilogue, start: Start = Launch.run) -> Tensor:
    """Correlate both axes of ``x`` [N, C, H, W] with four taps, one zero around it, and do what comes after a convolution.

    Returns:
        [N, C, H − 1, W − 1] in the dtype and layout of ``x``, which is contiguous or channels last.
    """
    n, c, h, w = x.shape
    last = not x.is_contiguous()
    layout = torch.channels_last if last else torch.contiguous_format
    y = torch.empty((n, c, h - 1, w - 1), dtype=x.dtype, device=x.device, memory_format=layout)
    if last:
        block_c = min(_CHANNELS, triton.next_power_of_2(c))
        block_w = min(_FILTER_TILE // block_c, triton.next_power_of_2(w - 1))
    else:
        block_w = min(_FILTER_TILE, triton.next_power_of_2(w - 1))
        block_c = min(_FILTER_TILE // block_w, triton.next_power_of_2(c))
    arguments = {
        "x": x,
        "y": y,
        **_arguments(then),
        "channels": c,
        "height": h,
        "width": w,
        **_steps("x", x, last),
        **_steps("y", y, last),
        **{f"tap{k}": float(tap) for k, tap in enumerate(taps)},
        "ROWS": _ROWS,
        "BLOCK_W": block_w,
        "BLOCK_C": block_c,
    }
    grid = (triton.cdiv(w - 1, block_w) * triton.cdiv(h - 1, _ROWS), triton.cdiv(c, block_c), n)
    start(Launch(_up_epilogue, grid, arguments), x)
    return y


def _arguments(then: Epilogue) -> dict[str, Any]:
    """As the kernels take them; a tensor that there is none of is replaced by one that is not read."""
    noise, strength = then.noise, then.strength
    return {
        "scale": then.scale,
        "bias": then.bias,
        "noise": then.bias if noise is None else noise,
        "strength": then.bias if strength is None else strength,
        "noise_n": noise[0].numel() if noise is not None and noise.ndim == 3 else 0,
        "slope": float(then.slope),
        "gain": float(then.gain),
        "limit": float(then.clamp or 0.0),
        "NOISY": noise is not None,
        "CLAMPED": then.clamp is not None,
    }


def _steps(name: str, x: Tensor, last: bool) -> dict[str, int]:
    """Elements from one sample, channel, row and column to the next; of the shape, as strides of axes of one say anything."""
    _, c, h, w = x.shape
    steps = (c * h * w, 1, w * c, c) if last else (c * h * w, h * w, w, 1)
    return {f"{name}_{axis}": step for axis, step in zip("nchw", steps, strict=True)}


@triton.jit
def _activated(v, scale, noise, bias, slope, gain, limit, CLAMPED: tl.constexpr):
    """The end of a layer, in float32. What is not a number stays so."""
    v = v * scale + noise + bias
    v = tl.where(v < 0, v * slope, v) * gain
    if CLAMPED:
        v = tl.where(v > limit, limit, tl.where(v < -limit, -limit, v))
    return v


@triton.jit(do_not_specialize=["noise_n", "pixels"])
def _bias_act(
    x,
    scale,
    bias,
    noise,
    strength,
    noise_n,
    channels,
    pixels,
    x_n,
    x_p,
    x_c,
    slope,
    gain,
    limit,
    NOISY: tl.constexpr,
    CLAMPED: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """A program: BLOCK_P pixels of BLOCK_C channels of a sample. Offsets inside of a sample fit 32 bits, samples need 64."""
    n = tl.program_id(2).to(tl.int64)
    p = tl.program_id(0) * BLOCK_P + tl.arange(0, BLOCK_P)
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    there = (p < pixels)[:, None] & (c < channels)[None, :]
    place = x + n * x_n + (p[:, None] * x_p + c[None, :] * x_c)
    factor = tl.load(scale + n * channels + c, mask=c < channels, other=0).to(tl.float32)
    shift = tl.load(bias + c, mask=c < channels, other=0).to(tl.float32)
    added = tl.zeros([BLOCK_P], tl.float32)
    if NOISY:
        added += tl.load(noise + n * noise_n + p, mask=p < pixels, other=0).to(tl.float32)
        added *= tl.load(strength).to(tl.float32)
    v = tl.load(place, mask=there, other=0).to(tl.float32)
    v = _activated(v, factor[None, :], added[:, None], shift[None, :], slope, gain, limit, CLAMPED)
    tl.store(place, v.to(x.dtype.element_ty), mask=there)


@triton.jit
def _filtered_row(x, row, height, width, x_h, x_w, columns, channels_there, tap0, tap1, tap2, tap3):
    """A row of the features, filtered along itself; zero outside of them. `x` points to column 0 of row 0 of each channel."""
    inside = (row >= 0) & (row < height)
    left = columns[:, None] - 1
    place = x + row * x_h + left * x_w
    a = tl.load(place, mask=channels_there & inside & (left >= 0) & (left < width), other=0).to(tl.float32)
    b = tl.load(place + x_w, mask=channels_there & inside & (left + 1 < width), other=0).to(tl.float32)
    c = tl.load(place + 2 * x_w, mask=channels_there & inside & (left + 2 < width), other=0).to(tl.float32)
    d = tl.load(place + 3 * x_w, mask=channels_there & inside & (left + 3 < width), other=0).to(tl.float32)
    return a * tap0 + b * tap1 + c * tap2 + d * tap3


@triton.jit(do_not_specialize=["noise_n", "height", "width"])
def _up_epilogue(
    x,
    y,
    scale,
    bias,
    noise,
    strength,
    noise_n,
    channels,
    height,
    width,
    x_n,
    x_c,
    x_h,
    x_w,
    y_n,
    y_c,
    y_h,
    y_w,
    tap0,
    tap1,
    tap2,
    tap3,
    slope,
    gain,
    limit,
    NOISY: tl.constexpr,
    CLAMPED: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK_W: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """A program: ROWS rows of BLOCK_W columns of BLOCK_C channels of a sample, from top to bottom. The last three rows,
    filtered along themselves, stay in registers."""
    n = tl.program_id(2).to(tl.int64)
    across = tl.cdiv(width - 1, BLOCK_W)
    first = (tl.program_id(0) // across) * ROWS
    w = (tl.program_id(0) % across) * BLOCK_W + tl.arange(0, BLOCK_W)
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    known = (c < channels)[None, :]
    there = known & (w < width - 1)[:, None]
    factor = tl.load(scale + n * channels + c, mask=c < channels, other=0).to(tl.float32)[None, :]
    shift = tl.load(bias + c, mask=c < channels, other=0).to(tl.float32)[None, :]
    power = 1.0
    if NOISY:
        power = tl.load(strength).to(tl.float32)
    x += n * x_n
    y += n * y_n
    noise += n * noise_n
    plane = x + c[None, :] * x_c
    r0 = _filtered_row(plane, first - 1, height, width, x_h, x_w, w, known, tap0, tap1, tap2, tap3)
    r1 = _filtered_row(plane, first, height, width, x_h, x_w, w, known, tap0, tap1, tap2, tap3)
    r2 = _filtered_row(plane, first + 1, height, width, x_h, x_w, w, known, tap0, tap1, tap2, tap3)
    for i in range(ROWS):
        row = first + i
        r3 = _filtered_row(plane, row + 2, height, width, x_h, x_w, w, known, tap0, tap1, tap2, tap3)
        v = r0 * tap0 + r1 * tap1 + r2 * tap2 + r3 * tap3
        added = tl.zeros([BLOCK_W], tl.float32)
        if NOISY:
            added += tl.load(noise + row * (width - 1) + w, mask=(w < width - 1) & (row < height - 1), other=0).to(
                tl.float32
            )
            added *= power
        v = _activated(v, factor, added[:, None], shift, slope, gain, limit, CLAMPED)
        tl.store(
            y + (row * y_h + w[:, None] * y_w + c[None, :] * y_c),
            v.to(y.dtype.element_ty),
            mask=there & (row < height - 1),
        )
        r0, r1, r2 = r1, r2, r3
