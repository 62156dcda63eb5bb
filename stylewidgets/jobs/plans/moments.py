"""Streams of random numbers for shards, and sums that are merged without a loss of digits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def stream(seed: int, k: int) -> np.random.RandomState:
    """The random numbers of shard k: Philox with the key (seed, k), so that streams never overlap.

    As a RandomState, whose numbers stay the same with every version of numpy.
    """
    return np.random.RandomState(np.random.Philox(key=np.array([seed, k], np.uint64)))


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean and sum of squared distances from the mean (M2) of rows, all float64.

    Two are added as in Chan, Golub & LeVeque (1983, equation 2.1): n = a + b, δ = mean_b − mean_a, mean = mean_a + δ b / n,
    M2 = M2_a + M2_b + δ² a b / n. The order of additions decides the last bits, so that shards are added in their order.

    Attributes:
        n: of rows.
        mean: float64 [d].
        m2: float64 [d].
    """

    n: int
    mean: NDArray[np.float64]
    m2: NDArray[np.float64]

    @classmethod
    def of(cls, rows: ArrayLike) -> Moments:
        """Those of rows [n, d]."""
        wide = np.asarray(rows, np.float64)
        mean = wide.mean(axis=0)
        return cls(len(wide), mean, np.square(wide - mean).sum(axis=0))

    def __add__(self, other: Moments) -> Moments:
        n, way = self.n + other.n, other.mean - self.mean
        return Moments(
            n,
            self.mean + way * (other.n / n),
            self.m2 + other.m2 + way * way * (self.n * (other.n / n)),
        )

    @classmethod
    def sum(cls, parts: Iterable[Moments]) -> Moments:
        """All of them, added from the first to the last. ValueError where there is none."""
        total: Moments | None = None
        for part in parts:
            total = part if total is None else total + part
        if total is None:
            raise ValueError("there are no moments to add")
        return total

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviations of the rows, divided by n."""
        return np.sqrt(self.m2 / self.n)
