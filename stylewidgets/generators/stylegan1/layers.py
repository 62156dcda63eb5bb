"""Layers of StyleGAN: convolutions whose result is normalised and then styled (adaptive instance normalisation)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops.bias_act import SLOPE
from ...ops.upfirdn2d import Taps, blur2d
from ..layers import FullyConnected, PreparedWeight, arranged

BLUR: Taps = (1.0, 2.0, 1.0)
GAIN = math.sqrt(2.0)  # in the scale of the weights, where StyleGAN2 has it after the activation


class Dense(FullyConnected):
    """leaky ReLU(x Wᵀ·√2·lr/√in + b·lr): a layer of the mapping network."""

    def __init__(self, inputs: int, outputs: int, *, lr_multiplier: float) -> None:
        super().__init__(inputs, outputs, activation="lrelu", lr_multiplier=lr_multiplier)
        self.gain *= GAIN

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] → [N, outputs]."""
        return F.leaky_relu(torch.addmm(self.bias, x, self.weight.t(), beta=self.lr_multiplier, alpha=self.gain), SLOPE)


class Epilogue(nn.Module):
    """Noise, bias, leaky ReLU, instance normalisation, style; on its own for the learned constant.

    Args:
        channels: feature maps.
        w_dim: length of w.
        size: height and width.
        use_noise: whether noise is added, with a strength for each feature map.
        eps: added to the variance.
    """

    def __init__(
        self, channels: int, *, w_dim: int, size: tuple[int, int], use_noise: bool = True, eps: float = 1e-8
    ) -> None:
        super().__init__()
        self.size, self.resolution, self.eps = size, max(size), eps
        self.bias = nn.Parameter(torch.zeros(channels, dtype=torch.float32, device="cpu"))
        self.affine = FullyConnected(w_dim, 2 * channels)
        if use_noise:
            self.register_buffer("noise_const", torch.randn(size, dtype=torch.float32, device="cpu"))
            self.noise_strength = nn.Parameter(torch.zeros(channels, dtype=torch.float32, device="cpu"))

    @property
    def style_channels(self) -> int:
        """Length of the style vector: the scale − 1 of each feature map, then the shift of each."""
        return 2 * int(self.bias.shape[0])

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """[N, C, H, W], which is overwritten when no gradients are recorded, with style [N, 2C] and noise → [N, C, H, W]."""
        return self.finish(x, self.bias, style, noise)

    def finish(self, x: Tensor, bias: Tensor | None, style: Tensor, noise: Tensor | None) -> Tensor:
        """`forward`, for a bias that may have been added before."""
        own = not torch.is_grad_enabled()
        if noise is not None:
            strength = self.noise_strength.to(x.dtype)[:, None, None]
            x = torch.addcmul(x, noise.to(x.dtype), strength, out=x if own else None)
        if bias is not None:
            bias = bias.to(x.dtype)[:, None, None]
            x = x.add_(bias) if own else x + bias
        x = F.leaky_relu(x, SLOPE, inplace=own)
        wide = torch.promote_types(x.dtype, torch.float32)  # statistics of half-precision features need more digits
        mean = x.mean(dim=(2, 3), keepdim=True, dtype=wide).to(x.dtype)
        x = x.sub_(mean) if own else x - mean  # first, so that large means cost no digits
        factor, shift = style.to(wide).reshape(len(style), 2, -1, 1, 1).unbind(dim=1)
        factor = (factor + 1) * torch.rsqrt(x.to(wide).square().mean(dim=(2, 3), keepdim=True) + self.eps)
        return torch.addcmul(shift.to(x.dtype), x, factor.to(x.dtype), out=x if own else None)


class StyledConv(PreparedWeight, Epilogue):
    """3×3 convolution, ×2 up with a blur after it where asked for, and what `Epilogue` does.

    Args:
        inputs, channels: feature maps.
        up: 1 or 2.
        fused: for up 2: the transposed convolution instead of repeated pixels. Nothing but the orientation of the kernel
            differs, so both are computed as the transposed one, which needs 16 instead of 36 products per pixel.
        bias_first: add the bias before the blur.
        blur: whether there is one.
        others: as of `Epilogue`.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        *,
        w_dim: int,
        size: tuple[int, int],
        up: int = 1,
        fused: bool = False,
        bias_first: bool = False,
        blur: bool = True,
        use_noise: bool = True,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(channels, w_dim=w_dim, size=size, use_noise=use_noise, eps=eps)
        self.up, self.fused, self.bias_first, self.blur = up, fused, bias_first and up == 2, blur
        self.weight = nn.Parameter(torch.randn(channels, inputs, 3, 3, dtype=torch.float32, device="cpu"))
        self.scale = GAIN / math.sqrt(inputs * 9)

    def _make(self, weight: Tensor, dtype: torch.dtype) -> tuple[Tensor, ...]:
        weight = weight * self.scale
        if self.up == 1:
            return (arranged(weight, dtype),)
        wide = F.pad((weight if self.fused else weight.flip(2, 3)).transpose(0, 1), (1, 1, 1, 1))
        return (arranged(wide[..., 1:, 1:] + wide[..., 1:, :-1] + wide[..., :-1, 1:] + wide[..., :-1, :-1], dtype),)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """[N, I, H, W] with style [N, 2C] and noise broadcasting to [N, 1, H', W'] → [N, C, H', W'] in x's dtype."""
        (weight,) = self.prepare(x.dtype)
        if self.up == 1:
            return self.finish(F.conv2d(x, weight, padding=1), self.bias, style, noise)
        x = F.conv_transpose2d(x, weight, stride=2, padding=1)
        if self.bias_first:
            x = x + self.bias.to(x.dtype)[:, None, None]
        if self.blur:
            x = blur2d(x, BLUR, padding=1)
        return self.finish(x, None if self.bias_first else self.bias, style, noise)


class PlainToRGB(nn.Module):
    """1×1 convolution to colours, without a style. The result is float32."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))
        self.scale = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        """[N, I, H, W] → [N, colours, H, W]."""
        y = F.conv2d(x, (self.weight * self.scale).to(x.dtype))
        return y.to(self.bias.dtype) + self.bias[:, None, None]
