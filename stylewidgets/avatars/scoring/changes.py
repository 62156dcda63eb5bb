"""What changed between two pictures of avatars, in words: the line beside an edit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..reading.calibration import residual
from ..reading.estimates import Estimate
from ..world.factors import FACTORS, Factor
from ..world.rows import from_uniform
from .distributions import circular_deviation, total_variation

NAMED = 0.3
"""A factor is named when it moved by so many standard deviations of the avatar world."""


@dataclass(frozen=True)
class Change:
    """What one factor did. amount: in natural units (degrees the shorter way round; of a category the part of its
    probability that went elsewhere); sigma: in standard deviations of the avatar world; words: "smile +0.60"."""

    name: str
    amount: float
    sigma: float
    words: str


def changes(before: Estimate, after: Estimate, index: int = 0) -> list[Change]:
    """Every factor's change between two estimates of one picture, the largest first."""
    found = [_change(i, factor, before, after, index) for i, factor in enumerate(FACTORS)]
    return sorted(found, key=lambda change: -abs(change.sigma))


def describe_changes(before: Estimate, after: Estimate, most: int = 3, index: int = 0) -> str:
    """A line such as "smile +0.60 · yaw +3° · others 0.1 σ": what moved most, and the mean of |change| of all the rest."""
    found = changes(before, after, index)
    named = [change for change in found[:most] if abs(change.sigma) >= NAMED]
    rest = float(np.mean([abs(change.sigma) for change in found[len(named) :]]))
    if not named:
        return f"nothing changed · all factors {rest:.1f} σ"
    return " · ".join([*(change.words for change in named), f"others {rest:.1f} σ"])


@cache
def deviation(factor: Factor) -> float:
    """The standard deviation of a factor over the avatar world in natural units.

    Of a categorical one, what plays its part for probabilities: two avatars at random differ by 1.13 σ in a number on average
    (if it is normal), and in 1 - Σ p² of their categories.
    """
    if factor.kind == "categorical":
        return float(1 - np.square(factor.weights).sum()) / 1.128
    column = from_uniform(np.tile(np.linspace(0, 1, 1001)[:, None], (1, len(FACTORS))))[:, FACTORS.index(factor)]
    return circular_deviation(column) if factor.kind == "circular" else float(column.std())


def _change(column: int, factor: Factor, before: Estimate, after: Estimate, index: int) -> Change:
    name = factor.name.replace("_", " ")
    first, last = (float(estimate.factors[index, column]) for estimate in (before, after))
    if factor.kind == "categorical":
        amount = total_variation(*(estimate.probabilities[factor.name][index] for estimate in (before, after)))
        old, new = (factor.categories[round(value)] for value in (first, last))
        words = f"{name} {old} → {new}" if old != new else f"{name} less surely {new}"
    else:
        amount = float(residual(factor.kind, np.float64(last), np.float64(first)))
        degrees = factor.kind == "circular" or factor.unit == "degrees"
        words = f"{name} {amount:+.0f}°" if degrees else f"{name} {amount:+.2f}"
    return Change(factor.name, amount, amount / deviation(factor), words)
