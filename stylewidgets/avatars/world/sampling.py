"""Avatars by chance: every number of a row is a hash of the seed, the row and the column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .body import POSE
from .correlations import correlate
from .factors import FloatArray
from .groups import BODY, HEAD, columns
from .rows import from_uniform


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def uniforms(n: int, seed: int, start: int = 0, groups: Sequence[str] = HEAD) -> npt.NDArray[np.float64]:
    """Uniforms [n, F] in (0, 1). Row i is a hash of (seed, start + i, column), so it depends on nothing else, and a group's
    numbers on no other group."""
    rows = np.arange(start, start + n, dtype=np.uint64)[:, None]
    keys = [np.arange(len(g.factors), dtype=np.uint64) + np.uint64(g.first_key) for g in columns(tuple(groups)).groups]
    seeds = np.full((1, 1), int(seed) & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)
    bits = _mix(_mix(_mix(seeds) ^ rows) + np.concatenate(keys)[None])
    fractions: npt.NDArray[np.float64] = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
    return fractions


def sample(n: int, seed: int, start: int = 0, correlated: bool = False, groups: Sequence[str] = HEAD) -> FloatArray:
    """Draw factors [n, F] in natural units. Row i depends on (seed, start + i) only and is the same on every machine.

    Independent factors by default; with `correlated`, beards go with square jaws and so on (see `CORRELATIONS`), while
    every single factor keeps its distribution, and skin tone and whatever else nothing pulls at keeps its value.

    Args:
        groups: of factors, see `groups.GROUPS`; the columns of a head are the same whatever else is asked for.
    """
    u = uniforms(n, seed, start, groups)
    return from_uniform(correlate(u, groups) if correlated else u, groups)


def sample_in_poses(n: int, poses: int, seed: int, groups: Sequence[str] = BODY) -> FloatArray:
    """Avatars in several poses each, [n, poses, F]: head, torso and arms are those of another, all else is its own."""
    rows = sample(n * poses, seed, groups=groups).reshape(n, poses, -1)
    index = columns(tuple(groups)).index
    moved = [index[name] for name in ("yaw", "pitch", "roll", *POSE) if name in index]
    found = np.repeat(rows[:, :1], poses, axis=1)
    found[:, :, moved] = rows[:, :, moved]
    return found
