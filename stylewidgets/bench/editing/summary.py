"""Figures of many faces as means with intervals, and one editor against another on the same faces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .faces import wanted
from .readings import Array
from .score import Score

DRAWS = 1000
SEED = 0
WITHIN = 0.9
"""Share of the bootstrap draws between the ends of an interval."""


class Mean(NamedTuple):
    """A mean over faces, and the ends of its bootstrap interval (Efron 1979, percentiles)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def draws(n: int) -> NDArray[np.intp]:
    """Rows of faces drawn with replacement, [DRAWS, n], the same for every figure: so all comparisons are paired."""
    return np.random.RandomState(SEED).randint(0, n, size=(DRAWS, n)).astype(np.intp)


def mean(values: Array) -> Mean:
    """Of figures [N]."""
    return _interval(float(values.mean()), values[draws(len(values))].mean(axis=1))


def cost(score: Score, attribute: str) -> Mean:
    """Change of the others for each σ that the wanted attribute moved; the mean of one over the mean of the other."""
    size = wanted(attribute)
    rows = draws(len(score.done))
    spread = _per(score.others[rows].mean(axis=1), size * score.done[rows].mean(axis=1))
    return _interval(float(_per(score.others.mean(), size * score.done.mean())), spread)


def against(a: Score, b: Score) -> Mean:
    """The cost of `a` over the cost of `b` on the same faces: below 1, `a` leaves the others more alone."""
    a, b = (one.part(min(len(a.done), len(b.done))) for one in (a, b))
    rows = draws(len(a.done))
    spread = _per(a.others[rows].mean(axis=1), a.done[rows].mean(axis=1)) / np.maximum(
        _per(b.others[rows].mean(axis=1), b.done[rows].mean(axis=1)), 1e-9
    )
    whole = _per(a.others.mean(), a.done.mean()) / max(float(_per(b.others.mean(), b.done.mean())), 1e-9)
    return _interval(float(whole), spread)


def _per(others: Array | float, done: Array | float) -> Array:
    """Others for each unit done. What moved nothing, or backwards, counts as having moved a hundredth."""
    return np.asarray(np.asarray(others) / np.maximum(np.asarray(done), 0.01))


def _interval(value: float, spread: Array) -> Mean:
    low, high = np.quantile(spread, [(1 - WITHIN) / 2, (1 + WITHIN) / 2])
    return Mean(value, float(low), float(high))
