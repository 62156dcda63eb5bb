"""Distances between the distributions of one factor in two sets of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..world.factors import FACTORS, INDEX, Factor


class Distance(NamedTuple):
    """One factor. measure: "Wasserstein" (value in standard deviations of the first set) or "total variation" (0 to 1)."""

    name: str
    measure: str
    value: float


def wasserstein(a: NDArray[np.number], b: NDArray[np.number]) -> float:
    """1-Wasserstein distance of two samples [N] and [M], in their own unit."""
    a, b = np.sort(np.asarray(a, np.float64)), np.sort(np.asarray(b, np.float64))
    _check_samples(a, b)
    if len(a) == len(b):
        return float(np.abs(a - b).mean())
    points = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(a, points[:-1], side="right") / len(a)
    below_b = np.searchsorted(b, points[:-1], side="right") / len(b)
    return float((np.abs(below_a - below_b) * np.diff(points)).sum())


def circular_wasserstein(a: NDArray[np.number], b: NDArray[np.number], period: float = 360.0) -> float:
    """1-Wasserstein distance on a circle, in the unit of `period`: mass may travel either way round.

    The distance is the integral of |F - G - c| with the c that makes it smallest, the weighted median of F - G.
    """
    a, b = np.sort(np.asarray(a, np.float64) % period), np.sort(np.asarray(b, np.float64) % period)
    _check_samples(a, b)
    points = np.sort(np.concatenate([a, b]))
    widths = np.diff(points, append=points[0] + period)
    gap = np.searchsorted(a, points, side="right") / len(a) - np.searchsorted(b, points, side="right") / len(b)
    order = np.argsort(gap)
    passed = np.cumsum(widths[order])
    median = gap[order][min(int(np.searchsorted(passed, period / 2)), len(gap) - 1)]
    return float((np.abs(gap - median) * widths).sum())


def circular_deviation(a: NDArray[np.number], period: float = 360.0) -> float:
    """Root of the mean squared way round from the circular mean, in the unit of `period`."""
    turns = np.exp(2j * np.pi * np.asarray(a, np.float64) / period)
    way = np.angle(turns * np.conj(turns.mean())) * period / (2 * np.pi)
    return float(np.sqrt(np.square(way).mean()))


def total_variation(p: NDArray[np.number], q: NDArray[np.number]) -> float:
    """Half the sum of |p - q| of two vectors of probabilities or counts [K], 0 to 1."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if p.shape != q.shape or p.ndim != 1 or p.sum() <= 0 or q.sum() <= 0:
        raise ValueError(
            f"total variation needs two vectors of equal length; {list(p.shape)}, {list(q.shape)} were given"
        )
    return float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)


def factor_distances(
    real: Mapping[str, NDArray[np.number]], fake: Mapping[str, NDArray[np.number]]
) -> dict[str, Distance]:
    """Distance of each avatar factor between two sets of readings in natural units, each [N], by name."""
    return {name: factor_distance(FACTORS[INDEX[name]], real[name], fake[name]) for name in real if name in INDEX}


def factor_distance(factor: Factor, real: NDArray[np.number], fake: NDArray[np.number]) -> Distance:
    """Distance of one factor between readings [N] and [M] in natural units."""
    if factor.kind == "categorical":
        counts = [
            np.bincount(np.asarray(x).round().astype(int), minlength=len(factor.categories)) for x in (real, fake)
        ]
        return Distance(factor.name, "total variation", total_variation(*counts))
    if factor.kind == "circular":
        return Distance(
            factor.name, "Wasserstein", circular_wasserstein(real, fake) / max(circular_deviation(real), 1e-8)
        )
    return Distance(factor.name, "Wasserstein", wasserstein(real, fake) / max(float(np.std(real)), 1e-8))


def _check_samples(a: NDArray[np.number], b: NDArray[np.number]) -> None:
    if a.ndim != 1 or b.ndim != 1 or not len(a) or not len(b):
        raise ValueError(f"two samples [N] and [M] are needed; {list(a.shape)} and {list(b.shape)} were given")
