"""Pictures as the factor network sees them: readings, a feature vector, and a perceptual distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..reading.factor_net import FactorRegressor


@dataclass(frozen=True, eq=False)
class Look:
    """What the network sees in N pictures. raw: its outputs [N, outputs]; features: [N, D], the mean of its last map."""

    raw: Tensor
    features: NDArray[np.float64]


@torch.inference_mode()
def look(net: FactorRegressor, images: Tensor, batch: int = 64) -> Look:
    """Outputs and features of pictures [N, 3, H, W] in [-1, 1], in one pass."""
    raw, rows = [], []
    for part in torch.split(images, batch):
        read, maps = net.look(part.to(net.out.weight))
        raw.append(read.cpu())
        rows.append(maps[-1].mean(dim=(2, 3)).double().cpu().numpy())
    return Look(torch.cat(raw), np.concatenate(rows))


def perceptual_distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Squared distances [N] of two lists of feature maps [N, C, h, w], in the manner of LPIPS (Zhang et al. 2018).

    At every place the channels are scaled to length one; squared differences are summed over channels, averaged over
    places and summed over maps. No learned weights.
    """
    total = a[0].new_zeros(len(a[0]))
    for x, y in zip(a, b, strict=True):
        total = total + (_unit(x) - _unit(y)).square().sum(dim=1).mean(dim=(1, 2))
    return total


def _unit(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().sum(dim=1, keepdim=True) + 1e-8)
