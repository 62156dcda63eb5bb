"""Where chance moves a picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..drawing.renderer import render
from ..world.groups import DETAIL


@torch.no_grad()
def chance_map(
    factors: Tensor, resolution: int = 128, seeds: int = 8, groups: Sequence[str] = DETAIL, framing: str = "head"
) -> Tensor:
    """Where the seed of the detail moves pixels, and how far: [N, H, W], the standard deviation over `seeds` seeds of a pixel in
    [-1, 1], the root of the mean square over its colours. 0 where nothing is chance.

    Args:
        factors: [N, F] of `groups`, which have "detail".
        resolution, framing: as of `render`.
    """
    drawn = (
        render(factors, resolution, outputs=("image",), groups=groups, framing=framing, detail_seed=seed).image
        for seed in range(seeds)
    )
    return spread(torch.stack(list(drawn)))


def spread(pictures: Tensor) -> Tensor:
    """[K, N, C, H, W] → [N, H, W]: the deviation of each pixel over the first axis, the root of the mean square over colours."""
    return pictures.var(0).mean(1).sqrt()
