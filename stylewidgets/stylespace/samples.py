"""Samples of s, and how each style channel is spread. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.values import as_numpy
from .channel import Channel

if TYPE_CHECKING:
    from torch import Tensor

    from ..generators.protocol import Layer


@dataclass(frozen=True, eq=False)
class Statistics:
    """Samples of s and what follows from them.

    Attributes:
        values: float16 [n, S], the samples; row i belongs to row i of `w`.
        w: float32 [n, w_dim], truncated by `psi` as the samples are.
        mean, std: float32 [S]. std is the unit of all strengths, σ; 1 for a channel that never changes.
        seed, psi: of the samples. z is numpy's RandomState(seed).randn(n, z_dim).
        layers: of the session.
        complete: False when the sampling was stopped early.
    """

    values: NDArray[np.float16]
    w: NDArray[np.float32]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    seed: int
    psi: float
    layers: tuple[Layer, ...]
    complete: bool = True

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.values)

    def in_sigma(self, s: ArrayLike | Sequence[ArrayLike] | Sequence[Tensor]) -> NDArray[np.float32]:
        """A flat s [S] or [n, S], or the list of styles of one latent, in units of σ from the mean."""
        flat = as_numpy(s)
        if isinstance(s, (list, tuple)) and s and np.ndim(as_numpy(s[0])) == 2:
            flat = np.concatenate([as_numpy(part) for part in s], axis=1)[0]
        return np.asarray((np.asarray(flat, np.float32) - self.mean) / self.std, np.float32)

    def samples(self, channel: Channel) -> NDArray[np.float32]:
        """The values [n] of one channel."""
        return self.values[:, channel.flat(self.layers)].astype(np.float32)

    def histogram(self, channel: Channel, bins: int = 40) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Counts [bins] and edges [bins + 1] in the channel's own units."""
        counts, edges = np.histogram(self.samples(channel), bins=bins)
        return counts, edges.astype(np.float32)

    def quantiles(self, channel: Channel, at: Sequence[float] = (0.01, 0.25, 0.5, 0.75, 0.99)) -> NDArray[np.float32]:
        """Values below which these shares of the samples lie."""
        return np.asarray(np.quantile(self.samples(channel), at), np.float32)
