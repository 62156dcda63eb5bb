"""What chance adds to a render, as known noise and how far it is let through where.

Of the difference r of a render and the same render without chance, two bands: what is left at half the size, and the rest. In
each a brightness n of variance one everywhere, and a slope per colour and pixel, that of r over its brightness nearby: r is
about slope · n. A generator that is given n as its noise can be held to r itself; given white noise, to slope · white noise,
which moves the same pixels as far. Both are plain regressions, from which it learns where its noise belongs and how much of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...ops.upfirdn2d import upsample2d

FLOOR = 0.005
"""Deviation, of brightness in [-1, 1], below which chance is filled up with white noise; rounding to bytes is 0.003."""
NEARBY = 9
"""Pixels of the whole size, over which deviations are taken, twice in a row."""


class Band(NamedTuple):
    """One band: slope [N, 3, H, W] and own noise [N, 1, H, W] of variance about one."""

    slope: Tensor
    noise: Tensor

    @classmethod
    def of(cls, part: Tensor, nearby: int) -> Band:
        """Of what chance adds in this band, [N, 3, H, W]."""
        bright = part.mean(1, keepdim=True)
        deviation = (_around(bright.square(), nearby) + FLOOR**2).sqrt()
        noise = (bright + FLOOR * torch.randn_like(bright)) / deviation
        return cls(_around(part * bright, nearby) / deviation, noise)


class Chance(NamedTuple):
    """The bands of what chance adds to renders, at the whole size and at half of it."""

    fine: Band
    coarse: Band

    @classmethod
    def of(cls, added: Tensor) -> Chance:
        """Of renders minus those without chance, [N, 3, H, W] in the units of pictures in [-1, 1]."""
        half = F.avg_pool2d(added, 2)
        return cls(Band.of(added - upsample2d(half), NEARBY), Band.of(half, NEARBY // 2 + 1))

    def drawn(self, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Noise at half and at the whole size, [N, 1, h, w], and what it should add to the picture.

        Args:
            own: [N], bool: which pictures get the renderer's own chance as noise; the others get white noise.
        """
        coarse, fine = (
            torch.where(own[:, None, None, None], band.noise, torch.randn_like(band.noise))
            for band in (self.coarse, self.fine)
        )
        return coarse, fine, upsample2d(self.coarse.slope * coarse) + self.fine.slope * fine


def _around(x: Tensor, nearby: int) -> Tensor:
    """The mean over a neighbourhood, falling off linearly."""
    for _ in range(2):
        x = F.avg_pool2d(x, nearby, stride=1, padding=nearby // 2, count_include_pad=False)
    return x
