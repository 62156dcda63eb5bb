"""Leaky ReLU between an upsampling and a downsampling filter (Karras et al., "Alias-Free Generative Adversarial Networks",
NeurIPS 2021, section 3.2): the definition, and the same in few operations of torch."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .bias_act import SLOPE

GAIN = math.sqrt(2.0)
_TILE = 8 << 20
"""Bytes of the upsampled features at a time: what fits the cache, and what the allocator hands out again. Fresh memory
for the whole of them costs more than all the arithmetic."""


class Settings(NamedTuple):
    """The arguments of `filtered_lrelu` that are not tensors."""

    up: int
    down: int
    padding: tuple[int, int]
    gain: float
    slope: float
    clamp: float | None


def filtered_lrelu_reference(
    x: Tensor,
    bias: Tensor,
    up_filter: Tensor | None = None,
    down_filter: Tensor | None = None,
    *,
    scale: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] = (0, 0),
    side_padding: tuple[int, int] | None = None,
    gain: float = GAIN,
    slope: float = SLOPE,
    clamp: float | None = 256.0,
) -> Tensor:
    """Scale, bias, upsample, leaky ReLU · gain, clamp, downsample, step by step.

    Args:
        x: [N, C, H, W].
        bias: [C].
        up_filter: [T], the low pass of both axes after up − 1 zeros were put behind every sample; its gain is up per
            axis. None for a single 1.
        down_filter: [T], or [T, T] when it is not separable; after it every down-th sample is kept, the first included.
        scale: [N, C], multiplied before the bias (the demodulation); None for none.
        up, down: whole factors.
        padding: zeros before and after each axis of the zero-inserted features; negative crops.
        side_padding: those of the second axis where they differ from those of the first.
        gain: after the leaky ReLU, before the clamp.
        slope: of the leaky ReLU below zero.
        clamp: values are cut to ± this; None for no clamp.
    Returns:
        [N, C, H', W'] with H' = (H·up + before + after − T_up + 1 − T_down) // down + 1.
    """
    if scale is not None:
        x = x * scale.to(x.dtype)[:, :, None, None]
    x = x + bias.to(x.dtype)[None, :, None, None]
    n, c, h, w = x.shape
    wide = x.new_zeros(n, c, h, up, w, up)
    wide[:, :, :, 0, :, 0] = x
    wide = F.pad(wide.reshape(n, c, h * up, w * up), (*(side_padding or padding), *padding))
    line = _taps(up_filter, x)
    x = _convolve(wide, torch.outer(line, line) * up**2)
    x = F.leaky_relu(x, slope) * gain
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    if down_filter is not None and down_filter.ndim == 1:
        down_filter = torch.outer(down_filter, down_filter)
    return _convolve(x, down_filter)[:, :, ::down, ::down]


def by_torch(
    x: Tensor,
    up_filter: Tensor | None,
    down_filter: Tensor | None,
    settings: Settings,
    side_padding: tuple[int, int] | None = None,
) -> Tensor:
    """`filtered_lrelu` of features that have their scale and bias, in operations of torch."""
    up, down, padding, gain, slope, clamp = settings
    sides = padding if side_padding is None else side_padding
    # The leaky ReLU is positively homogeneous, so its gain can be part of the filter before it.
    rows = _taps(up_filter, x) * (up * gain)
    columns = _taps(up_filter, x) * up
    lows = down_filter.flip(list(range(down_filter.ndim))).to(x) if down_filter is not None else None
    if torch.is_grad_enabled() or x.device.type != "cpu":
        y = _upsample(x, rows, up, padding, 2, 0, _length(x.shape[2], rows, up, padding))
        y = _upsample(y, columns, up, sides, 3, 0, _length(x.shape[3], columns, up, sides))
        y = F.leaky_relu(y, slope)
        y = y if clamp is None else y.clamp(-clamp, clamp)
        return _downsample(y, lows, down)
    if clamp is not None and _bound(x, rows, columns, up) <= clamp:
        clamp = None  # nothing can reach it: one pass over the small features saves one over the large ones
    return _in_bands(x, rows, columns, lows, up, down, padding, sides, slope, clamp)


def _in_bands(
    x: Tensor,
    rows: Tensor,
    columns: Tensor,
    lows: Tensor | None,
    up: int,
    down: int,
    padding: tuple[int, int],
    sides: tuple[int, int],
    slope: float,
    clamp: float | None,
) -> Tensor:
    """Band after band of output rows, each from the input rows that it depends on."""
    n, c, h, w = x.shape
    taps = 1 if lows is None else len(lows)
    high, wide = _length(h, rows, up, padding), _length(w, columns, up, sides)
    height, width = (high - taps) // down + 1, (wide - taps) // down + 1
    band = max(4, (_TILE // (x.element_size() * c * wide) - taps) // down + 1)
    out = x.new_empty((n, c, height, width)).contiguous(memory_format=torch.channels_last)
    for k in range(n):
        for first in range(0, height, band):
            last = min(first + band, height)
            y = _upsample(x[k : k + 1], rows, up, padding, 2, first * down, (last - 1) * down + taps)
            y = _upsample(y, columns, up, sides, 3, 0, wide)
            y = F.leaky_relu(y, slope, inplace=True)
            if clamp is not None:
                y = y.clamp_(-clamp, clamp)
            out[k : k + 1, :, first:last] = _downsample(y, lows, down)
    return out


def _upsample(x: Tensor, taps: Tensor, up: int, padding: tuple[int, int], axis: int, first: int, last: int) -> Tensor:
    """Samples first … last − 1 of one axis (2 or 3) after zero insertion, padding and filter, as a transposed convolution.

    Output u is Σ over j of x[j] · taps[u − j·up + T − 1 − before], so only some inputs j reach the wanted ones.
    """
    t, n = len(taps), x.shape[axis]
    if t == 1 and up == 1:
        return _cut(x * taps if taps.item() != 1 else x, axis, first - padding[0], last - padding[0])
    begin = min(max(-((padding[0] - first) // up), 0), n - 1)  # the first input, rounded up
    end = min(max((last + t - 2 - padding[0]) // up + 1, begin + 1), n)
    skip = first + t - 1 - padding[0] - begin * up  # index of `first` in the whole transposed convolution
    surplus = (end - begin - 1) * up + t - skip - (last - first)  # what that has behind `last`
    part = x.narrow(axis, begin, end - begin)
    if skip >= 0 and 0 <= skip - surplus < up:
        return _transposed(part, taps, up, axis, skip, skip - surplus)
    return _cut(_transposed(part, taps, up, axis, 0, 0), axis, skip, skip + last - first)


def _transposed(x: Tensor, taps: Tensor, up: int, axis: int, crop: int, longer: int) -> Tensor:
    """Per-channel transposed convolution along one axis; `crop` samples off both ends, `longer` back at the far one."""
    c = x.shape[1]
    if axis == 2:
        kernel = taps[None, None, :, None].expand(c, 1, -1, 1)
        return F.conv_transpose2d(x, kernel, None, (up, 1), (crop, 0), (longer, 0), c)
    kernel = taps[None, None, None, :].expand(c, 1, 1, -1)
    return F.conv_transpose2d(x, kernel, None, (1, up), (0, crop), (0, longer), c)


def _downsample(x: Tensor, taps: Tensor | None, down: int) -> Tensor:
    """Per-channel filter (already flipped, [T] or [T, T]) at every down-th sample only."""
    if taps is None:
        return x[:, :, ::down, ::down]
    c = x.shape[1]
    if taps.ndim == 2:
        return F.conv2d(x, taps.expand(c, 1, -1, -1), stride=down, groups=c)
    x = F.conv2d(x, taps[None, None, :, None].expand(c, 1, -1, 1), stride=(down, 1), groups=c)
    return F.conv2d(x, taps[None, None, None, :].expand(c, 1, 1, -1), stride=(1, down), groups=c)


def _cut(x: Tensor, axis: int, first: int, last: int) -> Tensor:
    """Samples first … last − 1 of an axis, zero where there are none."""
    n = x.shape[axis]
    begin, end = min(max(first, 0), n), max(min(last, n), 0)
    inside = x.narrow(axis, begin, max(end - begin, 0))
    before = min(max(-first, 0), last - first)
    after = last - first - before - inside.shape[axis]
    if before or after:
        inside = F.pad(inside, (before, after, 0, 0) if axis == 3 else (0, 0, before, after))
    layout = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
    return inside.contiguous(memory_format=layout)


def _bound(x: Tensor, rows: Tensor, columns: Tensor, up: int) -> float:
    """No upsampled value can be larger than this."""
    low, high = (float(v) for v in torch.aminmax(x))
    reach = [max(float(taps[p::up].abs().sum()) for p in range(min(up, len(taps)))) for taps in (rows, columns)]
    return max(-low, high) * reach[0] * reach[1]


def _length(n: int, taps: Tensor, up: int, padding: tuple[int, int]) -> int:
    return n * up + sum(padding) - len(taps) + 1


def _taps(taps: Tensor | None, like: Tensor) -> Tensor:
    return like.new_ones(1) if taps is None else taps.to(like)


def _convolve(x: Tensor, kernel: Tensor | None) -> Tensor:
    """True convolution of every channel with one kernel, without padding."""
    if kernel is None:
        return x
    n, c, h, w = x.shape
    y = F.conv2d(x.reshape(n * c, 1, h, w), kernel.flip(0, 1).to(x)[None, None])
    return y.reshape(n, c, *y.shape[2:])
