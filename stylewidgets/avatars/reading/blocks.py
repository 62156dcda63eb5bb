"""The blocks that the factor network and its part reader are built of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., "Deep residual learning", 2016)."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(before, width, 3, stride)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False, dtype=torch.float32, device="cpu"),
            nn.BatchNorm2d(width, dtype=torch.float32, device="cpu"),
        )
        same = before == width and stride == 1
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(before, width, 1, dtype=torch.float32, device="cpu"))
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


def convolution(before: int, width: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size at stride 1, a batch norm and a ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, width, size, stride, size // 2, bias=False, dtype=torch.float32, device="cpu"),
        nn.BatchNorm2d(width, dtype=torch.float32, device="cpu"),
        nn.ReLU(inplace=True),
    )


def resize(x: Tensor, side: int) -> Tensor:
    """Area resize of [N, C, H, W] to side x side; small pictures are enlarged bilinearly."""
    if min(x.shape[-2:]) < side:
        return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
    return F.interpolate(x, size=(side, side), mode="area")
