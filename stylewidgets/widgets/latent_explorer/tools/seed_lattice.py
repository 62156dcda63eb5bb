"""The geometry of the walk pad: an endless lattice of seeds, and where the eye is on it.

Every lattice point (i, j) carries the seed of one random face. A position between four points is a mixture of
their seeds with bilinear weights, so walking over the plane moves smoothly from face to face. Pure functions and
values: no widget, no torch.
"""

from __future__ import annotations

import math

Blend = tuple[tuple[int, float], ...]
"""(seed, weight) pairs; the weights are positive and sum to 1."""

ROW_STEP = 1000
"""Seeds grow by 1 to the right and by this much downwards, so one row holds 1000 different faces before it meets the next."""

SHORT_PERIOD = 1_000_000
LONG_PERIOD = 2**32
LIMIT = 100_000.0
"""Positions are accepted within this distance of the origin, in lattice steps."""

DECIMALS = 3
"""Positions are kept to this many decimals: finer than a pixel, and the weights then have short exact decimals."""


def seed_at(i: int, j: int, base: int = 0) -> int:
    """Return the seed of lattice point (i, j), with `base` at the origin; always within [0, 2**32).

    Seeds left of or above the origin wrap round. They wrap at one million while the base allows it, because a
    six-digit number can be read on the pad and typed again.
    """
    period = SHORT_PERIOD if 0 <= base < SHORT_PERIOD else LONG_PERIOD
    return (base + i + ROW_STEP * j) % period


def clamp_position(x: float, y: float) -> tuple[float, float]:
    """Return the position rounded to 3 decimals and limited to the lattice.

    Raises ValueError when a coordinate is not a finite number.
    """
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"the pad's position must be two finite numbers, not ({x!r}, {y!r})")
    return _clamp(x), _clamp(y)


def _clamp(value: float) -> float:
    return round(min(max(value, -LIMIT), LIMIT), DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def blend_at(x: float, y: float, base: int = 0) -> Blend:
    """Return the seeds around (x, y) with their bilinear weights, heaviest first; zero weights are left out.

    x grows to the right and y downwards, one unit per lattice step. On a lattice point the result is that one
    seed with weight 1. Raises ValueError when a coordinate is not finite.
    """
    x, y = clamp_position(x, y)
    i, j = math.floor(x), math.floor(y)
    u, v = round(x - i, DECIMALS), round(y - j, DECIMALS)
    corners = (
        (seed_at(i, j, base), (1 - u) * (1 - v)),
        (seed_at(i + 1, j, base), u * (1 - v)),
        (seed_at(i, j + 1, base), (1 - u) * v),
        (seed_at(i + 1, j + 1, base), u * v),
    )
    pairs = [(seed, round(weight, 2 * DECIMALS)) for seed, weight in corners]
    return tuple(sorted((p for p in pairs if p[1] > 0), key=lambda p: -p[1]))


def locate(blend: Blend, base: int = 0) -> tuple[float, float] | None:
    """Return the position whose blend this is, or None when these seeds and weights are not one place on the lattice.

    The bilinear weights make the position itself the weighted mean of the lattice points.
    """
    period = SHORT_PERIOD if 0 <= base < SHORT_PERIOD else LONG_PERIOD
    x = y = 0.0
    for seed, weight in blend:
        offset = (seed - base + period // 2) % period - period // 2
        j = round(offset / ROW_STEP)
        x, y = x + weight * (offset - ROW_STEP * j), y + weight * j
    found = dict(blend_at(x, y, base))
    same = found.keys() == dict(blend).keys() and all(abs(found[s] - w) < 1e-2 for s, w in blend)
    return clamp_position(x, y) if same else None


def describe(blend: Blend) -> str:
    """Say in words where a blend stands: "seed 7" or "seed 7 62 % + seed 8 38 %"."""
    if len(blend) == 1:
        return f"seed {blend[0][0]}"
    return " + ".join(f"seed {seed} {100 * weight:.0f} %" for seed, weight in blend)
