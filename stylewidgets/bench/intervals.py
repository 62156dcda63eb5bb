"""Means and ratios over pictures, with bootstrap intervals (Efron 1979, percentiles)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DRAWS = 1000
SEED = 0
WITHIN = 0.9
"""Share of the bootstrap draws between the ends of an interval."""


class Mean(NamedTuple):
    """A figure of several pictures, and the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


class Ratio(NamedTuple):
    """One method over another on the same pictures.

    Attributes:
        of_means: the mean of one over the mean of the other.
        typical: the geometric mean of the ratios of each picture, which single pictures move less; nan if one is not positive.
        larger: of how many pictures the first has more.
        pictures: how many there are.
    """

    of_means: Mean
    typical: Mean
    larger: int
    pictures: int

    def __str__(self) -> str:
        return f"{self.of_means} {self.larger}/{self.pictures}"


def draws(n: int) -> NDArray[np.intp]:
    """Rows of pictures drawn with replacement, [DRAWS, n], the same for every figure: so all comparisons are paired."""
    return np.random.RandomState(SEED).randint(0, n, size=(DRAWS, n)).astype(np.intp)


def mean(values: Array) -> Mean:
    """Of figures [N]."""
    return interval(float(values.mean()), values[draws(len(values))].mean(axis=1))


def ratio(a: Array, b: Array) -> Ratio:
    """Figures [N] of one method over those [N] of another; pictures that one of them has no figure for do not count.

    Raises:
        ValueError: fewer than two pictures with both.
    """
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 2:
        raise ValueError(f"a ratio takes two pictures that both methods have a figure for; there are {len(a)}")
    rows = draws(len(a))
    of_means = interval(float(a.mean() / b.mean()), a[rows].mean(axis=1) / b[rows].mean(axis=1))
    typical = Mean(float("nan"), float("nan"), float("nan"))
    if (a > 0).all() and (b > 0).all():
        logs = np.log(a / b)
        typical = interval(float(np.exp(logs.mean())), np.exp(logs[rows].mean(axis=1)))
    return Ratio(of_means, typical, int((a > b).sum()), len(a))


def interval(value: float, spread: Array) -> Mean:
    """A value with the ends of its interval, from the same figure of `DRAWS` draws [DRAWS]."""
    low, high = np.quantile(spread, [(1 - WITHIN) / 2, (1 + WITHIN) / 2])
    return Mean(value, float(low), float(high))
