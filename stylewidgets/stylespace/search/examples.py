"""Channels by example: what a few pictures have in common that others have not (Wu et al., 2021, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...core.values import as_numpy
from ...latent.latent import Latent
from ..channel import num_channels
from ..samples import Statistics
from .ranking import Ranking, ranked

if TYPE_CHECKING:
    from ...session.session import GeneratorSession


def attribute_ranking(
    session: GeneratorSession,
    stats: Statistics,
    positives: Sequence[int] | Sequence[Latent] | NDArray[np.generic],
    *,
    include_torgb: bool = False,
) -> Ranking:
    """Rank channels by θ, the signal-to-noise ratio of their values in positive examples against the population.

    With δ = (s − μ) / σ for each example, θ = |mean δ| / std δ. The sign of mean δ is the side to edit to.

    Args:
        stats: the population, of `statistics`.
        positives: 10 to 30 examples: rows of `stats`, latents, or flat styles [n, S].
        include_torgb: rank ToRGB channels too; the paper does not.

    Returns:
        Ranking: by θ; `table` has "mean" and "std" of δ.

    Raises:
        ValueError: fewer than two examples, or some that do not fit.
    """
    flat = _flat(session, stats, positives)
    if len(flat) < 2:
        raise ValueError(f"give at least 2 examples, better 10 to 30; {len(flat)} was given")
    delta = stats.in_sigma(flat).astype(np.float64)
    mean, std = delta.mean(axis=0), delta.std(axis=0)
    # The floor keeps a channel that never changes, or that agrees by chance in two examples, from an infinite θ.
    theta = np.abs(mean) / np.maximum(std, 0.05)
    moving = stats.values.std(axis=0, dtype=np.float32) > 0
    return ranked(
        "θ", session.layers, np.where(moving, theta, np.nan), sign=mean, torgb=include_torgb, mean=mean, std=std
    )


def _flat(
    session: GeneratorSession, stats: Statistics, positives: Sequence[int] | Sequence[Latent] | NDArray[np.generic]
) -> NDArray[np.float32]:
    items = list(positives)
    latents = [item for item in items if isinstance(item, Latent)]
    if latents and len(latents) == len(items):
        return np.concatenate([as_numpy(session.flat_styles(latent)) for latent in latents])
    array = np.asarray(positives)
    if array.ndim == 2:
        if array.shape[1] != num_channels(session.layers):
            raise ValueError(f"flat styles are [n, {num_channels(session.layers)}]; {list(array.shape)} was given")
        return array.astype(np.float32)
    if array.dtype == bool and len(array) == stats.n:
        array = np.flatnonzero(array)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError("examples are rows of the statistics, latents, or flat styles [n, S]")
    if len(array) and (array.min() < 0 or array.max() >= stats.n):
        raise ValueError(
            f"examples are rows 0 to {stats.n - 1} of the statistics; "
            f"{int(array.min())} to {int(array.max())} were given"
        )
    return np.asarray(stats.values[array], np.float32)
