"""The 2-D part: 1×1 layers that double the side of the features, and add colours (StyleNeRF, section 3.2)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops.bias_act import bias_act
from ...ops.upfirdn2d import blur2d, upsample2d
from ..layers import FullyConnected
from .config import StyleNeRFConfig
from .field import modulated


class Pointwise(nn.Module):
    """A plain 1×1 layer, weights over √inputs; leaky ReLU · √2 or linear."""

    def __init__(self, inputs: int, outputs: int, activation: str) -> None:
        super().__init__()
        self.activation, self.scale = activation, 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        """[N, I, H, W] → [N, O, H, W]."""
        y = F.conv2d(x, (self.weight * self.scale).to(x.dtype))
        return bias_act(y, self.bias, activation=self.activation)


class StyledPointwise(nn.Module):
    """A 1×1 convolution with a style for its inputs."""

    def __init__(self, inputs: int, outputs: int, w_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)

    def product(self, x: Tensor, style: Tensor, demodulate: bool, gain: float = 1.0) -> Tensor:
        """[N, I, H, W] with style [N, I] → [N, O, H, W], without the bias."""
        n, _, height, width = x.shape
        weight = modulated(self.weight.flatten(1), style.float(), demodulate, gain)
        return torch.bmm(weight.to(x.dtype), x.flatten(2)).view(n, -1, height, width)


class StyledConv(StyledPointwise):
    """A 1×1 convolution, features doubled where there is an adapter, bias, leaky ReLU, clamp.

    ``w_avg`` is the running mean of the squares of its input, which it is divided by the root of.
    """

    def __init__(self, inputs: int, outputs: int, config: StyleNeRFConfig, up: bool) -> None:
        super().__init__(inputs, outputs, config.w_dim)
        self.conv_clamp, self.upsampler = config.conv_clamp, config.upsampler
        self.register_buffer("w_avg", torch.ones((), dtype=torch.float32, device="cpu"))
        if up:
            inner = max(outputs // 4, 1)
            wide, more = (2, 1) if config.upsampler == "nn_cat" else (1, 4)
            self.adapter = nn.Sequential(
                Pointwise(outputs * wide, inner, "lrelu"), Pointwise(inner, outputs * more, "linear")
            )
        self.up = up

    def forward(self, x: Tensor, style: Tensor, enlarge: bool = True) -> Tensor:
        """[N, I, H, W] → [N, O, H', W']; without `enlarge` the size stays, as samples of a ray have none (the NeRF path)."""
        if self.training:
            with torch.no_grad():
                self.get_buffer("w_avg").lerp_(x.float().square().mean(), 1 - 0.999)
        x = self.product(x * self.get_buffer("w_avg").rsqrt().to(x.dtype), style, True)
        if self.up and enlarge:
            x = doubled(x, self.adapter, self.upsampler)
        return bias_act(x, self.bias, activation="lrelu", clamp=self.conv_clamp)


class StyledColours(StyledPointwise):
    """A 1×1 convolution to colours, without demodulation; float32."""

    def __init__(self, inputs: int, config: StyleNeRFConfig) -> None:
        super().__init__(inputs, config.img_channels, config.w_dim)
        self.conv_clamp = config.conv_clamp

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, C, H, W] → [N, colours, H, W]."""
        y = self.product(x, style, False, 1 / math.sqrt(style.shape[1])).float()
        return bias_act(y, self.bias, activation="linear", clamp=self.conv_clamp)


class UpBlock(nn.Module):
    """One doubling: two convolutions, and colours on top of the enlarged ones before."""

    def __init__(self, inputs: int, outputs: int, config: StyleNeRFConfig) -> None:
        super().__init__()
        self.conv0 = StyledConv(inputs, outputs, config, up=True)
        self.conv1 = StyledConv(outputs, outputs, config, up=False)
        self.torgb = StyledColours(outputs, config)

    def forward(
        self, x: Tensor, img: Tensor, styles: tuple[Tensor, ...] | list[Tensor], enlarge: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Features and picture before → those after, twice as large with `enlarge`."""
        x = self.conv1(self.conv0(x, styles[0], enlarge), styles[1], enlarge)
        return x, (upsample2d(img) if enlarge else img) + self.torgb(x, styles[2])


def doubled(x: Tensor, adapter: nn.Module, upsampler: str) -> Tensor:
    """Features [N, C, H, W] → [N, C, 2H, 2W]: nearest neighbours, plus what the adapter makes of them, then [1, 3, 3, 1]."""
    near = F.interpolate(x, scale_factor=2, mode="nearest")
    change = (
        adapter(torch.cat([near, neighbours(x)], dim=1)) if upsampler == "nn_cat" else F.pixel_shuffle(adapter(x), 2)
    )
    return blurred(near + change)


def neighbours(x: Tensor) -> Tensor:
    """[N, C, H, W] → [N, C, 2H, 2W]: each quarter of a pixel is the mean of the two pixels beside and above or below it that it
    touches; left and up, up and right, left and down, right and down. Beyond the edge is zero."""
    n, c, height, width = x.shape
    wide = F.pad(x, (1, 1, 1, 1))
    left, right = wide[:, :, 1:-1, :-2], wide[:, :, 1:-1, 2:]
    above, below = wide[:, :, :-2, 1:-1], wide[:, :, 2:, 1:-1]
    quarters = torch.stack([left + above, above + right, left + below, right + below], dim=2) / 2
    return F.pixel_shuffle(quarters.reshape(n, 4 * c, height, width), 2)


def blurred(x: Tensor) -> Tensor:
    """The [1, 3, 3, 1] filter with two zeros before and one behind each axis."""
    return blur2d(F.pad(x, (2, 1, 2, 1)))
