"""StyleGAN2 discriminator for training (Karras et al., CVPR 2020): residual blocks, FIR downsampling, minibatch statistics."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..layers import EqualizedConv2d, FullyConnected, normalize_2nd_moment

GAIN = math.sqrt(0.5)


class Discriminator(nn.Module):
    """Pictures → one score each; high means real.

    Args:
        resolution: pixels, 4 doubled once or more; 8 at least.
        channels: feature maps at each resolution from 4 up, like the generator's.
        img_channels: colours.
        c_dim: length of the label, 0 for none. With labels the score is a projection on the mapped label.
        label_layers: fully connected layers of the label's mapping.
        statistics_group: pictures per group of the minibatch standard deviation.
    """

    def __init__(
        self,
        resolution: int,
        channels: tuple[int, ...],
        *,
        img_channels: int = 3,
        c_dim: int = 0,
        label_layers: int = 8,
        statistics_group: int = 4,
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        sizes = [4 << i for i in range(len(channels))]
        if len(sizes) < 2 or sizes[-1] != resolution:
            raise ValueError(
                f"channels has one entry per resolution 4, 8, ... {resolution}, at least two; "
                f"{len(channels)} were given ({channels})"
            )
        self.resolution, self.img_channels, self.c_dim = resolution, img_channels, c_dim
        self.fromrgb = EqualizedConv2d(img_channels, channels[-1], 1, activation="lrelu", conv_clamp=conv_clamp)
        self.blocks = nn.Sequential(
            *(DownBlock(channels[i], channels[i - 1], conv_clamp=conv_clamp) for i in range(len(sizes) - 1, 0, -1))
        )
        width = channels[0]
        self.statistics = MinibatchStd(statistics_group)
        self.conv = EqualizedConv2d(width + 1, width, 3, activation="lrelu", conv_clamp=conv_clamp)
        self.fc = FullyConnected(width * 16, width, activation="lrelu")
        self.out = FullyConnected(width, width if c_dim else 1)
        self.label = _label_mapping(c_dim, width, label_layers) if c_dim else None

    def forward(self, img: Tensor, c: Tensor | None = None) -> Tensor:
        """[N, img_channels, H, W] (and [N, c_dim]) → [N, 1]."""
        if img.ndim != 4 or img.shape[1:] != (self.img_channels, self.resolution, self.resolution):
            raise ValueError(
                f"pictures are [N, {self.img_channels}, {self.resolution}, {self.resolution}]; "
                f"{list(img.shape)} was given"
            )
        if img.device.type == "cpu":
            img = img.contiguous(memory_format=torch.channels_last)
        x: Tensor = self.blocks(self.fromrgb(img))
        x = self.conv(self.statistics(x))
        x = self.out(self.fc(x.flatten(1)))
        if self.label is None:
            return x
        if c is None or c.shape != (len(img), self.c_dim):
            raise ValueError(f"this discriminator is conditional: give c [{len(img)}, {self.c_dim}]")
        projected: Tensor = x * normalize_2nd_moment(self.label(normalize_2nd_moment(c.float())))
        return projected.sum(dim=1, keepdim=True) / math.sqrt(x.shape[1])


class DownBlock(nn.Module):
    """Residual block that halves the resolution."""

    def __init__(self, inputs: int, outputs: int, *, conv_clamp: float | None = None) -> None:
        super().__init__()
        self.conv0 = EqualizedConv2d(inputs, inputs, 3, activation="lrelu", conv_clamp=conv_clamp)
        self.conv1 = EqualizedConv2d(inputs, outputs, 3, activation="lrelu", resample="down", conv_clamp=conv_clamp)
        self.skip = EqualizedConv2d(inputs, outputs, 1, bias=False, resample="down")

    def forward(self, x: Tensor) -> Tensor:
        """[N, I, H, W] → [N, O, H/2, W/2]."""
        y: Tensor = self.conv1(self.conv0(x), gain=GAIN)
        return y.add(self.skip(x, gain=GAIN))


class MinibatchStd(nn.Module):
    """Append the mean standard deviation over groups of the batch as one feature map (Karras et al. 2018)."""

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] → [N, C + 1, H, W]. The group is the largest divisor of N up to ``group``."""
        n, _, h, w = x.shape
        size = next(g for g in range(min(self.group, n), 0, -1) if n % g == 0)
        y = x.float().reshape(size, n // size, *x.shape[1:])
        y = (y.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        y = y.repeat(size)[:, None, None, None].expand(-1, 1, h, w)
        return torch.cat([x, y.to(x.dtype)], dim=1)


def _label_mapping(c_dim: int, width: int, layers: int) -> nn.Sequential:
    sizes = [c_dim] + [width] * layers
    return nn.Sequential(
        *(FullyConnected(sizes[i], sizes[i + 1], activation="lrelu", lr_multiplier=0.01) for i in range(layers))
    )
