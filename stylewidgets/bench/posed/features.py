"""How pictures look to a network that took no part in the training: the first layers of the judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...avatars.reading import judge
from ...avatars.scoring.features import perceptual_distance

LAYERS = 3
"""Of its view of the whole, whose maps are looked at."""


@torch.no_grad()
def maps(pictures: Tensor) -> list[Tensor]:
    """Feature maps of pictures [N, 3, H, W], fine to coarse. In a half figure of 64 pixels a head is as large as the judge
    knows it."""
    return judge.bundled().maps(pictures, LAYERS)


def distance(a: Tensor, b: Tensor) -> float:
    """Perceptual distance of two pictures [1, 3, H, W]."""
    return float(perceptual_distance(maps(a), maps(b))[0])


def means(pictures: Sequence[Tensor]) -> NDArray[np.float64]:
    """The last map's mean over places for each of N pictures, [N, C]: what a Fréchet distance is taken of."""
    rows = [maps(x)[-1].mean(dim=(2, 3)).double().numpy() for x in torch.split(torch.cat(list(pictures)), 32)]
    return np.concatenate(rows)
