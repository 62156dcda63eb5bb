"""Convolutions that are modulated place by place with features of the source (AlBahar et al. 2021, section 3.3)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops.bias_act import bias_act
from ...ops.modulated_conv2d import shared_conv2d
from ...ops.upfirdn2d import upsample2d
from ..layers import EqualizedConv2d, FullyConnected

EPSILON = 1e-5


def normalised(x: Tensor) -> Tensor:
    """Each map of each picture with mean 0 and variance 1 over its pixels: [N, C, H, W] → the same.

    The variance is over n − 1, with 1e-5 inside the root.
    """
    variance, mean = torch.var_mean(x, dim=(2, 3), keepdim=True)
    return (x - mean) * torch.rsqrt(variance + EPSILON)


class PixelNet(nn.Module):
    """Two equalised 1×1 convolutions with a plain ReLU between: features of the source → one number for each input channel."""

    def __init__(self, inputs: int, hidden: int, outputs: int, first_bias: float = 0.0) -> None:
        super().__init__()
        self.first = EqualizedConv2d(inputs, hidden, 1)
        self.second = EqualizedConv2d(hidden, outputs, 1)
        assert self.second.bias is not None
        nn.init.constant_(self.second.bias, first_bias)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] → [N, outputs, H, W]."""
        made: Tensor = self.second(F.relu(self.first(x)))
        return made


class SpatialConv(nn.Module):
    """x ← γ(F) ⊙ x + β(F), a plain convolution, and each map of the result normalised.

    Args:
        inputs, outputs, kernel: of the convolution.
        source: channels of the features F.
        hidden: of the networks γ and β.
        size: pixels of a side of the result.
        w_dim: length of w, from which `affine` makes the gains of the input channels.
        up: 2 enlarges; F then has the size of the input.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, source: int, hidden: int, size: int, w_dim: int, up: int = 1
    ) -> None:
        super().__init__()
        self.up, self.resolution, self.size = up, size, (size, size)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel, dtype=torch.float32, device="cpu"))
        self.scale = 1 / math.sqrt(inputs * kernel * kernel)
        self.gamma = PixelNet(source, hidden, inputs, 1.0)
        self.beta = PixelNet(source, hidden, inputs)
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)
        nn.init.zeros_(self.affine.weight)

    def convolved(self, x: Tensor, style: Tensor, source: Tensor, norm: bool = True) -> Tensor:
        """Features [N, I, h, w], gains [N, I] of their channels and F [1 or N, S, h, w] → maps [N, O, H, W], `normalised` if so.

        The gains are ones in the published network: they are what this project calls a style of it.
        """
        x = (self.gamma(source) * x + self.beta(source)) * style.to(x.dtype)[:, :, None, None]
        weight = self.weight * self.scale
        maps = shared_conv2d(x, weight.transpose(0, 1) if self.up == 2 else weight, up=self.up)
        return normalised(maps) if norm else maps


class SpatialLayer(SpatialConv):
    """`SpatialConv`, noise, bias and leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, **options: int) -> None:
        super().__init__(inputs, outputs, 3, **options)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))
        self.noise_strength = nn.Parameter(torch.zeros((), dtype=torch.float32, device="cpu"))
        self.register_buffer("noise_const", torch.randn(self.size, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor, style: Tensor, source: Tensor, noise: Tensor | None) -> Tensor:
        """As `convolved`, with noise [H, W] or [1 or N, 1, H, W] → [N, O, H, W]."""
        maps = self.convolved(x, style, source)
        return bias_act(maps, self.bias, noise=None if noise is None else noise * self.noise_strength)


class SpatialToRGB(SpatialConv):
    """Colours. As published they are normalised too: each of the three maps has mean 0 and variance 1 before its bias."""

    def __init__(self, inputs: int, outputs: int, *, norm: bool = True, **options: int) -> None:
        super().__init__(inputs, outputs, 1, **options)
        self.norm = norm
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor, style: Tensor, source: Tensor, img: Tensor | None) -> Tensor:
        """Colours on top of the picture of half the size, where there is one: [N, colours, H, W]."""
        colours = self.convolved(x, style, source, self.norm) + self.bias[:, None, None]
        return colours if img is None else colours + upsample2d(img)
