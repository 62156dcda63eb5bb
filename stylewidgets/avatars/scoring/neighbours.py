"""Nearest training pictures, to see that a generator does not repeat them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...metrics.coverage import squared_distances
from ..drawing.renderer import render
from ..reading.factor_net import FactorRegressor
from ..world.rows import embed
from .features import look


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Nearest renders of N pictures.

    Attributes:
        images: the pictures, [N, 3, H, W] in [-1, 1].
        found: their neighbours, nearest first, [N, k, 3, H, W].
        distance: [N, k], in feature space.
        rows: [N, k], rows of the training set.
    """

    images: Tensor
    found: Tensor
    distance: NDArray[np.float64]
    rows: NDArray[np.int64]

    def sheet(self, scale: int = 1) -> Image.Image:
        """A row for each picture: itself, a gap, its neighbours from the nearest on."""
        tall = torch.cat([self.images[:, None], torch.ones_like(self.found[:, :1]), self.found], dim=1)
        n, k, c, h, w = tall.shape
        gap = max(2, w // 16)
        pixels = (tall * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(0, 3, 1, 4, 2).reshape(n * h, k * w, c)
        array = pixels.cpu().numpy()
        array = np.concatenate([array[:, : w + gap], array[:, 2 * w :]], axis=1)
        picture = Image.fromarray(array)
        return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.BICUBIC)


def nearest(
    features: NDArray[np.floating], others: NDArray[np.floating], k: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows [N, k] of `others` [M, D] that lie nearest to `features` [N, D], nearest first, and their distances [N, k]."""
    if len(others) < k:
        raise ValueError(f"{k} neighbours of {len(others)} rows were asked for")
    square = squared_distances(np.asarray(features, np.float64), np.asarray(others, np.float64))
    rows = np.argsort(square, axis=1, kind="stable")[:, :k]
    return rows, np.sqrt(np.take_along_axis(square, rows, axis=1))


def nearest_renders(
    net: FactorRegressor, images: Tensor, training: Tensor, *, k: int = 4, candidates: int = 16
) -> Neighbours:
    """The renders of a training set that look most like pictures [N, 3, H, W] in [-1, 1].

    Of all training factors [M, F] the `candidates` nearest to what the network reads off the picture are drawn, and of
    these the k nearest in feature space are kept: that searches a training set without drawing all of it.
    """
    seen = look(net, images)
    read = net.natural(seen.raw)
    factors = torch.from_numpy(np.stack([read[head.name] for head in net.heads], axis=1))
    columns = embed(training).numpy()
    rows, _ = nearest(embed(factors).numpy(), columns, min(candidates, len(columns)))
    k = min(k, rows.shape[1])
    found, distance, kept = [], [], []
    for i, row in enumerate(rows):
        drawn = render(training[torch.from_numpy(row)], images.shape[-1], outputs=("image",)).image
        order, far = nearest(seen.features[i : i + 1], look(net, drawn).features, k)
        found.append(drawn[torch.from_numpy(order[0])])
        distance.append(far[0])
        kept.append(row[order[0]])
    return Neighbours(images, torch.stack(found), np.stack(distance), np.stack(kept))
