"""Spherical k-means: directions in feature space that belong together, whatever their length."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.checks import check_int
from ...jobs import Job, Progress, Work

RESTARTS = 5
ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class Clusters:
    """Directions in the space of C features.

    Attributes:
        centres: float32 [K, C], of unit length.
        inertia: sum over the vectors of the squared distance between their unit vector and its centre.
    """

    centres: Tensor
    inertia: float = math.nan

    def labels(self, features: Tensor) -> Tensor:
        """The nearest centre of each place: features [N, C, H, W] → int64 [N, H, W]."""
        return torch.einsum("nchw,kc->nkhw", features.float(), self.centres.to(features.device)).argmax(1)


@Work
def cluster(vectors: Tensor, k: int, seed: int = 0, restarts: int = RESTARTS) -> Job[Clusters]:
    """Group vectors by direction (Dhillon & Modha, 2001), begun by k-means++ on 1 − cos. The best of some starts is taken.

    Args:
        vectors: [N, C]; those of no length are left out.
        k: how many groups.
        seed: of the starts; equal seeds give equal groups.
        restarts: how many starts.

    Raises:
        ValueError: fewer vectors than groups.
    """
    check_int("clusters", k, 1)
    lengths = vectors.float().norm(dim=1, keepdim=True)
    unit = (vectors.float() / lengths.clamp_min(1e-12))[lengths[:, 0] > 0]
    if len(unit) < k:
        raise ValueError(f"{k} clusters need as many vectors at least; {len(unit)} with a length were given")
    source = torch.Generator()  # on the CPU, so that seeds mean the same on every device
    source.manual_seed(seed)
    best: Clusters | None = None
    for n in range(restarts):
        centres = _spread_out(unit, k, source)
        nearest = torch.full((len(unit),), -1, dtype=torch.int64, device=unit.device)
        for _ in range(ITERATIONS):
            now = (unit @ centres.T).argmax(1)
            if torch.equal(now, nearest):
                break
            nearest = now
            centres = _means(unit, nearest, centres, source)
            yield Progress(n, restarts, "clusters")
        inertia = float((2 - 2 * (unit @ centres.T).max(1).values).clamp_min(0).double().sum())
        if best is None or inertia < best.inertia:
            best = Clusters(centres, inertia)
    assert best is not None
    return best


def _spread_out(unit: Tensor, k: int, source: torch.Generator) -> Tensor:
    """Centres at k of the vectors, each picked with a probability that grows with 1 − cos to the nearest before it."""
    picked = [int(torch.randint(len(unit), (1,), generator=source, dtype=torch.int64, device="cpu"))]
    gap = (1 - unit @ unit[picked[0]]).clamp_min(0)
    while len(picked) < k:
        share = gap.double().cpu().cumsum(0)
        throw = torch.rand(1, generator=source, dtype=torch.float64, device="cpu") * share[-1]
        picked.append(min(int(torch.searchsorted(share, throw)), len(unit) - 1))
        gap = torch.minimum(gap, (1 - unit @ unit[picked[-1]]).clamp_min(0))
    return unit[picked].clone()


def _means(unit: Tensor, nearest: Tensor, centres: Tensor, source: torch.Generator) -> Tensor:
    """The mean direction of each group; of an empty one a vector by chance."""
    k = len(centres)
    sums = torch.zeros_like(centres).index_add_(0, nearest, unit)
    empty = torch.bincount(nearest, minlength=k) == 0
    for i in empty.nonzero()[:, 0].tolist():
        sums[i] = unit[int(torch.randint(len(unit), (1,), generator=source, dtype=torch.int64, device="cpu"))]
    made: Tensor = sums / sums.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return made
