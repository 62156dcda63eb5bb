"""Upsample, FIR filter, downsample with separable filters (StyleGAN2, appendix B)."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

Taps = tuple[float, ...]
BINOMIAL: Taps = (1.0, 3.0, 3.0, 1.0)
Padding = tuple[int, int]
_BY_MATRIX = 64  # pixels; beyond, the products of full matrices cost more than they save


def upfirdn2d_reference(
    x: Tensor, taps: Taps = BINOMIAL, *, up: int = 1, down: int = 1, padding: Padding = (0, 0), gain: float = 1.0
) -> Tensor:
    """Put up−1 zeros after every sample, pad, correlate with taps ⊗ taps (normalised to sum 1) · gain, keep every down-th.

    Args:
        x: [N, C, H, W].
        taps: the filter of one axis, in correlation order; scaled to sum one here.
        padding: zeros before and after each axis; negative crops.
    Returns:
        [N, C, H', W'] with H' = (H·up + before + after − len(taps)) // down + 1.
    """
    n, c, h, w = x.shape
    wide = x.new_zeros(n, c, h, up, w, up)
    wide[:, :, :, 0, :, 0] = x
    wide = F.pad(wide.reshape(n * c, 1, h * up, w * up), (*padding, *padding))
    line = torch.tensor(taps, dtype=x.dtype, device=x.device)
    line = line / line.sum()
    kernel = torch.outer(line, line) * gain
    return F.conv2d(wide, kernel[None, None], stride=down).reshape(n, c, *_sizes(wide, len(taps), down))


def blur2d(x: Tensor, taps: Taps = BINOMIAL, *, down: int = 1, padding: int = 0, gain: float = 1.0) -> Tensor:
    """`upfirdn2d_reference` with up 1 and equal zero padding on all sides.

    A depthwise convolution where a quick one exists (CUDA, and oneDNN in the channels-last layout: 2 to 20 times the
    speed of the slices in a training step), otherwise the taps as shifted slices added.
    """
    if x.is_cuda or (x.device.type == "cpu" and x.dtype == torch.float32 and _channels_last(x) and _onednn()):
        kernel = _kernel(taps, gain, x.dtype, x.device).expand(x.shape[1], 1, -1, -1)
        return F.conv2d(x, kernel, stride=down, padding=padding, groups=x.shape[1])
    x = F.pad(x, (padding,) * 4)
    return _filter(_filter(x, taps, 2, down, gain), taps, 3, down, 1.0)


def upsample2d(x: Tensor, taps: Taps = BINOMIAL) -> Tensor:
    """×2 with zero insertion and the gain that keeps brightness: [N, C, H, W] → [N, C, 2H, 2W].

    Small pictures (the colours of a live frame) by two matrix products: 0.6 to 0.9 of the time of interpolation.
    """
    if taps == BINOMIAL:  # linear interpolation has exactly these weights; the border of zeros is ours
        small = x.device.type == "cpu" and x.dtype == torch.float32 and max(x.shape[2:]) <= _BY_MATRIX
        if small and not torch.is_autocast_enabled("cpu"):
            return _doubling(x.shape[2]) @ x @ _doubling(x.shape[3]).t()
        return F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear")[:, :, 2:-2, 2:-2]
    n = len(taps)
    return upfirdn2d_reference(x, taps, up=2, padding=((n + 1) // 2, (n - 2) // 2), gain=4.0)


def _filter(x: Tensor, taps: Taps, axis: int, down: int, gain: float) -> Tensor:
    """Correlate one axis with the taps as a sum of slices; equal outer taps share one multiplication."""
    length = (x.shape[axis] - len(taps)) // down + 1
    total = sum(taps)
    index: list[slice] = [slice(None)] * x.ndim

    def shifted(k: int) -> Tensor:
        index[axis] = slice(k, k + (length - 1) * down + 1, down)
        return x[tuple(index)]

    if taps == BINOMIAL:
        y = torch.add(shifted(0) + shifted(3), shifted(1) + shifted(2), alpha=3)
        return y * (gain / total)
    y = shifted(0) * (taps[0] * gain / total)
    for k in range(1, len(taps)):
        y = torch.add(y, shifted(k), alpha=taps[k] * gain / total)
    return y


@lru_cache(maxsize=64)
def _kernel(taps: Taps, gain: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # a cached inference tensor could not be used in training later
        line = torch.tensor(taps, dtype=torch.float64, device="cpu")
        line = line / line.sum()
        return (torch.outer(line, line) * gain).to(device, dtype)[None, None]


@lru_cache(maxsize=16)
def _doubling(size: int) -> Tensor:
    """Linear interpolation of one axis between zeros outside, as a matrix [2·size, size]."""
    with torch.inference_mode(False), torch.no_grad():
        units = F.pad(torch.eye(size, dtype=torch.float32, device="cpu"), (1, 1))[None]
        return F.interpolate(units, scale_factor=2, mode="linear")[0, :, 2:-2].t().contiguous()


@lru_cache(maxsize=1)
def _onednn() -> bool:
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def _channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


def _sizes(x: Tensor, taps: int, down: int) -> tuple[int, int]:
    return (x.shape[2] - taps) // down + 1, (x.shape[3] - taps) // down + 1
