"""Perceptual path length: how unevenly pictures change along straight lines in w (Karras et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..reading.factor_net import FactorRegressor
from .features import perceptual_distance

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

EPSILON = 1e-4


@torch.inference_mode()
def path_length(
    session: GeneratorSession,
    net: FactorRegressor,
    pairs: int = 200,
    *,
    seed: int = 0,
    epsilon: float = EPSILON,
    batch: int = 20,
) -> float:
    """Mean of distance / epsilon² of two pictures, epsilon apart on the line between two random w; lower is smoother.

    Distances are those of the factor network's features, so figures compare between generators of avatars and not with
    published ones. The lowest and the highest hundredth are left out, as in the paper. Constant noise, no truncation.

    Args:
        session: a GeneratorSession; the two ends of a line in a conditional one are of the same class, classes in turn.
        net: the factor network.
        pairs: number of lines, one place on each.
        seed: of the lines and the places.
        epsilon: of the way from one end to the other.
    """
    random = np.random.RandomState(seed)
    z = torch.from_numpy(random.randn(pairs, 2, session.z_dim).astype(np.float32)).to(session.device)
    t = torch.from_numpy(random.rand(pairs, 1).astype(np.float32)).to(session.device)
    c = session.each_class(pairs)
    found = []
    for start in range(0, pairs, batch):
        part = slice(start, start + batch)
        label = None if c is None else c[part]
        first, last = (session.map_z(z[part, i], label) for i in (0, 1))
        step = last - first
        here, there = (session.synthesize(first + step * (t[part] + e)) for e in (0.0, epsilon))
        maps = [net.features(x.clamp(-1, 1).to(net.out.weight)) for x in (here, there)]
        found.append(perceptual_distance(*maps) / epsilon**2)
    values = torch.cat(found).double().cpu().numpy()
    low, high = np.percentile(values, [1, 99])
    return float(values[(values >= low) & (values <= high)].mean())


@torch.inference_mode()
def shortest_path(net: FactorRegressor, images: Tensor) -> float:
    """The floor of `path_length`: mean distance of pictures [2 N, 3, H, W] to others, that of a straight way of even pace.

    No way between the two ends can have a smaller mean squared speed than the square of what lies between them.
    """
    half = len(images) // 2
    total = 0.0
    for start in range(0, half, 50):
        stop = min(start + 50, half)
        maps = [net.features(x.to(net.out.weight)) for x in (images[start:stop], images[half + start : half + stop])]
        total += float(perceptual_distance(*maps).sum())
    return total / max(half, 1)
