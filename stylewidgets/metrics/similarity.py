"""How alike two pictures are, pixel by pixel and window by window: MSE, PSNR, SSIM and MS-SSIM, all differentiable."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW, SIGMA = 11, 1.5
"""The Gaussian window of SSIM in pixels (Wang et al., "Image quality assessment", IEEE TIP 2004)."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of MS-SSIM, the finest scale first (Wang et al., "Multi-scale structural similarity", Asilomar 2003)."""
_K1, _K2 = 0.01, 0.03


def mse(a: Tensor, b: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared errors [N] of pictures [N, C, H, W], on their own scale: of [-1, 1] it is four times that of [0, 1].

    Args:
        mask: [N, 1, H, W] in [0, 1]: the mean is over its places.
    """
    return masked_mean((a - b).square(), mask)


def psnr(a: Tensor, b: Tensor, mask: Tensor | None = None, span: float = 2.0) -> Tensor:
    """Peak signal-to-noise ratios [N] in dB, 10 log10(span² / mse); infinite for equal pictures.

    span: highest minus lowest value that pictures can have, 2 for [-1, 1].
    """
    return 10 * torch.log10(span**2 / mse(a, b, mask))


def ssim(a: Tensor, b: Tensor, mask: Tensor | None = None, span: float = 2.0) -> Tensor:
    """Structural similarities [N] of pictures [N, C, H, W]: 1 for equal ones.

    Gaussian window of 11 pixels with σ = 1.5, only where it lies inside; each channel by itself, then their mean. Windows of
    pictures smaller than 11 pixels are as large as the picture.

    Args:
        mask: [N, 1, H, W] in [0, 1], which weighs the windows by their centres.
        span: as in `psnr`.
    """
    window = _window(a)
    similar, _ = _parts(a, b, window, span)
    if mask is None:
        return masked_mean(similar, None)
    margin = (a.shape[-1] - similar.shape[-1]) // 2, (a.shape[-2] - similar.shape[-2]) // 2
    inner = mask[..., margin[1] : margin[1] + similar.shape[-2], margin[0] : margin[0] + similar.shape[-1]]
    return masked_mean(similar, inner)


def ms_ssim(a: Tensor, b: Tensor, span: float = 2.0) -> Tensor:
    """Multi-scale structural similarities [N]: 1 for equal pictures.

    The published five scales need 161 pixels. Smaller pictures have `scales` of them, with the weights of these scaled to
    sum to 1: figures of different sizes of picture do not compare.
    """
    count = scales(min(a.shape[-2:]))
    weights = torch.tensor(SCALE_WEIGHTS[:count], device=a.device, dtype=torch.float32)
    weights = weights / weights.sum()
    total = a.new_ones(len(a), a.shape[1])
    for k, weight in enumerate(weights):
        similar, contrast = _parts(a, b, _window(a), span)
        part = (similar if k == count - 1 else contrast).mean(dim=(2, 3))
        # Anticorrelated windows would have no real power; a floor above 0 keeps the gradient finite.
        total = total * part.clamp_min(1e-4) ** weight
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return total.mean(dim=1)


def scales(side: int) -> int:
    """How many scales `ms_ssim` has for pictures whose shorter side is so many pixels: 5 from 161 on, 3 at 64."""
    return max(1, min(len(SCALE_WEIGHTS), int(math.log2(max(side, WINDOW) / WINDOW)) + 1))


def _window(x: Tensor) -> Tensor:
    return gaussian(min(WINDOW, *x.shape[-2:]), SIGMA, x)


def gaussian(size: int, sigma: float, like: Tensor) -> Tensor:
    """A Gaussian, [size], that sums to 1, with the type and on the device of `like`. sigma: in places."""
    place = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    line = torch.exp(-(place**2) / (2 * sigma**2))
    return line / line.sum()


def blur(x: Tensor, line: Tensor) -> Tensor:
    """Weighted means over windows, of [N, C, H, W], one channel at a time."""
    flat = x.flatten(0, 1)[:, None]
    flat = F.conv2d(F.conv2d(flat, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))
    return flat.view(*x.shape[:2], *flat.shape[-2:])


def _parts(a: Tensor, b: Tensor, window: Tensor, span: float) -> tuple[Tensor, Tensor]:
    """Similarity, and its part from contrast and structure, of every window: [N, C, h, w] each."""
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    mean_a, mean_b = blur(a, window), blur(b, window)
    var_a, var_b = blur(a * a, window) - mean_a**2, blur(b * b, window) - mean_b**2
    both = blur(a * b, window) - mean_a * mean_b
    contrast = (2 * both + c2) / (var_a + var_b + c2)
    return (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1) * contrast, contrast


def masked_mean(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over all but the first dimension of [N, C, h, w] → [N]; with a mask [N, 1, H, W], the mean over its places."""
    if mask is None:
        return x.mean(dim=(1, 2, 3))
    weights = mask if mask.shape[-2:] == x.shape[-2:] else F.adaptive_avg_pool2d(mask, (x.shape[-2], x.shape[-1]))
    return (x.mean(dim=1, keepdim=True) * weights).sum(dim=(1, 2, 3)) / weights.sum(dim=(1, 2, 3)).clamp_min(1e-6)


__all__ = ["SCALE_WEIGHTS", "SIGMA", "WINDOW", "masked_mean", "ms_ssim", "mse", "psnr", "scales", "ssim"]
