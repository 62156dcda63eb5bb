"""Modulated convolution (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, section 2.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .upfirdn2d import BINOMIAL, Taps, blur2d, upfirdn2d_reference

EPSILON = 1e-8


def modulated_conv2d_reference(
    x: Tensor, weight: Tensor, styles: Tensor, *, demodulate: bool = True, up: int = 1, taps: Taps = BINOMIAL
) -> Tensor:
    """The definition: each sample has its own weights W·s / ‖W·s‖, one grouped convolution for the batch.

    Args:
        x: [N, I, H, W].
        weight: [O, I, k, k].
        styles: [N, I].
        up: 1 or 2. With 2 the input is zero-inserted, padded and filtered first and the weight is used flipped, because
            the layer is the adjoint of a strided correlation.
    Returns:
        [N, O, H·up, W·up].
    """
    n, i = styles.shape
    o, _, k, _ = weight.shape
    own = weight[None] * styles[:, None, :, None, None]
    if demodulate:
        own = own * torch.rsqrt(own.square().sum(dim=(2, 3, 4), keepdim=True) + EPSILON)
    padding = k // 2
    if up == 2:
        own = own.flip(3, 4)
        pads = (k // 2 + (len(taps) + 1) // 2, k // 2 + (len(taps) - 2) // 2)
        x = upfirdn2d_reference(x, taps, up=2, padding=pads, gain=4.0)
        padding = 0
    grouped = x.reshape(1, n * i, *x.shape[2:])
    y = F.conv2d(grouped, own.reshape(n * o, i, k, k), padding=padding, groups=n)
    return y.reshape(n, o, *y.shape[2:])


def weight_squares(weight: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Σ over the kernel of W², [I, O]: all of the weight that demodulation needs."""
    return weight.to(dtype).square().sum(dim=(2, 3)).t()


def demodulation(styles: Tensor, squares: Tensor) -> Tensor:
    """1 / sqrt(Σ (W·s)² + 1e-8), [N, O] from styles [N, I] and `weight_squares` [I, O]."""
    return torch.rsqrt(torch.addmm(_epsilon(squares), styles.square(), squares))


def shared_conv2d(x: Tensor, weight: Tensor, *, up: int = 1, taps: Taps = BINOMIAL) -> Tensor:
    """One plain convolution for the whole batch. ``weight`` is [O, I, k, k] for up 1, transposed [I, O, k, k] for up 2."""
    if up == 1:
        return F.conv2d(x, weight, padding=weight.shape[2] // 2)
    y = F.conv_transpose2d(x, weight, stride=2)
    return blur2d(y, taps, padding=(len(taps) - 2) // 2, gain=4.0)


def modulated_conv2d(
    x: Tensor, weight: Tensor, styles: Tensor, *, demodulate: bool = True, up: int = 1, taps: Taps = BINOMIAL
) -> Tensor:
    """`modulated_conv2d_reference` as scale, shared convolution, scale: the same numbers without per-sample weights."""
    y = shared_conv2d(x * styles[:, :, None, None], weight.transpose(0, 1) if up == 2 else weight, up=up, taps=taps)
    if not demodulate:
        return y
    wide = torch.promote_types(x.dtype, torch.float32)  # the sums of halves would have three digits
    scale = demodulation(styles.to(wide), weight_squares(weight, wide))
    return y * scale.to(x.dtype)[:, :, None, None]


def _epsilon(like: Tensor) -> Tensor:
    return torch.full((), EPSILON, dtype=like.dtype, device=like.device)
