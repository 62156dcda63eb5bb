"""What an edit costs the attributes that it should leave alone, and one editor against another on the same faces."""

from __future__ import annotations

import numpy as np

from ..intervals import Mean, draws, interval, mean
from .faces import wanted
from .readings import Array
from .score import Score

__all__ = ["Mean", "against", "cost", "mean"]


def cost(score: Score, attribute: str) -> Mean:
    """Change of the others for each σ that the wanted attribute moved; the mean of one over the mean of the other."""
    size = wanted(attribute)
    rows = draws(len(score.done))
    spread = _per(score.others[rows].mean(axis=1), size * score.done[rows].mean(axis=1))
    return interval(float(_per(score.others.mean(), size * score.done.mean())), spread)


def against(a: Score, b: Score) -> Mean:
    """The cost of `a` over the cost of `b` on the same faces: below 1, `a` leaves the others more alone."""
    a, b = (one.part(min(len(a.done), len(b.done))) for one in (a, b))
    rows = draws(len(a.done))
    spread = _per(a.others[rows].mean(axis=1), a.done[rows].mean(axis=1)) / np.maximum(
        _per(b.others[rows].mean(axis=1), b.done[rows].mean(axis=1)), 1e-9
    )
    whole = _per(a.others.mean(), a.done.mean()) / max(float(_per(b.others.mean(), b.done.mean())), 1e-9)
    return interval(float(whole), spread)


def _per(others: Array | float, done: Array | float) -> Array:
    """Others for each unit done. What moved nothing, or backwards, counts as having moved a hundredth."""
    return np.asarray(np.asarray(others) / np.maximum(np.asarray(done), 0.01))
