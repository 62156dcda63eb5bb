"""Super-resolution: two blocks of a StyleGAN2 that make the picture of the rendered features (Chan et al., 2022, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from ...ops.native.colours import add_doubled
from ...ops.upfirdn2d import BINOMIAL
from ..layers import StyleConv, SynthesisLayer, ToRGB
from .config import TriPlaneConfig

NAMES = ("conv0", "conv1", "torgb")


class HeadBlock(nn.Module):
    """Two convolutions without noise, of which the first may enlarge, and colours on top of those before."""

    def __init__(self, config: TriPlaneConfig, index: int) -> None:
        super().__init__()
        before = config.plane_features if index == 0 else config.head_channels[0]
        out, self.up = config.head_channels[index], config.enlarge[index]
        side = config.input_size * self.up * (1 if index == 0 else config.enlarge[0])
        size, clamp = (side, side), config.head_clamp
        self.conv0 = SynthesisLayer(
            before, out, w_dim=config.w_dim, size=size, up=self.up, use_noise=False, conv_clamp=clamp
        )
        self.conv1 = SynthesisLayer(out, out, w_dim=config.w_dim, size=size, use_noise=False, conv_clamp=clamp)
        self.torgb = ToRGB(out, config.img_channels, w_dim=config.w_dim, size=size, conv_clamp=clamp)

    def forward(self, x: Tensor, img: Tensor, styles: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Features and colours before → those of this block."""
        x = self.conv1(self.conv0(x, styles[0], None), styles[1], None)
        colours = self.torgb(x, styles[2])
        # Never in place: the published program adds to the rendered picture itself, which it then returns.
        return x, add_doubled(colours, img, BINOMIAL) if self.up == 2 else colours + img


class Head(nn.Module):
    """Both blocks; 8X, 8XDC, 4X and 2X differ in their sizes only."""

    def __init__(self, config: TriPlaneConfig) -> None:
        super().__init__()
        self.size, self.antialias, self.colours = config.input_size, config.antialias, config.img_channels
        self.block0, self.block1 = (HeadBlock(config, i) for i in (0, 1))

    def layers(self) -> list[tuple[str, StyleConv]]:
        """The style layers by name, in order."""
        return [
            (f"block{i}.{name}", getattr(block, name))
            for i, block in enumerate((self.block0, self.block1))
            for name in NAMES
        ]

    def entering(self, features: Tensor) -> Tensor:
        """Rendered features [N, C, h, w] in the size at which they enter."""
        if features.shape[-1] == self.size:
            return features
        return F.interpolate(
            features, size=(self.size, self.size), mode="bilinear", align_corners=False, antialias=self.antialias
        )

    def forward(self, features: Tensor, styles: Sequence[Tensor]) -> Tensor:
        """Rendered features, in any size and dtype → the picture [N, colours, H, W] float32."""
        x = self.entering(features)
        x, img = self.block0(x, x[:, : self.colours].float(), styles[:3])
        picture: Tensor = self.block1(x, img, styles[3:])[1]
        return picture
