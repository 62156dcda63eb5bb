"""How each style channel is spread over the faces of a generator."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..core.checks import check_finite, check_int
from ..directions import sample_w
from ..directions._sampling import styles_of
from ..generators.protocol import Layer
from ..jobs import Job, Progress, Work
from ..session.session import GeneratorSession
from . import cache
from .channel import Channel, num_channels

_last: weakref.WeakKeyDictionary[GeneratorSession, tuple[object, Statistics]] = weakref.WeakKeyDictionary()
_LEAST = 64  # with fewer samples a standard deviation means little
_LARGE = 4_000_000  # numbers; what is smaller is made in less time than it is looked up in


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

    def in_sigma(self, s: ArrayLike | Sequence[Tensor]) -> NDArray[np.float32]:
        """A flat s [S] or [n, S], or the list of styles of one latent, in units of σ from the mean."""
        styles = [part for part in s if isinstance(part, Tensor)] if isinstance(s, (list, tuple)) else []
        flat = torch.cat(styles, dim=1)[0].detach().cpu().numpy() if styles else s
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


@Work
def statistics(
    session: GeneratorSession,
    n: int = 2000,
    *,
    seed: int = 0,
    batch: int = 64,
    psi: float = 1.0,
    cached: bool = True,
) -> Job[Statistics]:
    """Mean, standard deviation and samples of every style channel over the generator's faces.

    Args:
        session: a GeneratorSession.
        n: number of faces; of a conditional generator with labels drawn uniformly.
        seed: of z.
        batch: faces at a time.
        psi: truncation of all rows. The paper takes 0.7; 1 gives the same unit as the directions in w have.
        cached: keep the last statistics of the session, and the samples of large generators on disk, see `cache`.

    A run that is stopped has the statistics of the faces so far as its result, None before there are 64 of them.

    Raises:
        ValueError: n below 2, or psi not finite.
    """
    check_int("n", n, 2)
    check_finite("psi", psi)

    def of(values: NDArray[np.floating], w: NDArray[np.float32]) -> Statistics:
        wide = values.astype(np.float32)
        mean, std = wide.mean(axis=0), wide.std(axis=0)
        still = std < 1e-6 * np.maximum(1.0, np.abs(mean))
        unit, complete = np.where(still, np.float32(1), std), len(values) == n
        return Statistics(values.astype(np.float16), w, mean, unit, seed, psi, layers, complete)

    layers, about = tuple(session.layers), (session.fingerprint(), n, seed, batch, psi)
    last = _last.get(session)
    if cached and last is not None and last[0] == about:
        return last[1]
    kept = cached and n * num_channels(layers) > _LARGE
    name = cache.key(session, "statistics", kept, n=n, seed=seed, psi=psi)
    found = cache.read(name)
    if found is not None and found["values"].shape == (n, num_channels(layers)):
        return of(found["values"].astype(np.float16), found["w"].astype(np.float32))
    w = yield from sample_w.steps(session, n, seed)
    if psi != 1:
        with torch.inference_mode():
            w = session.truncate(torch.as_tensor(w, device=session.device, dtype=torch.float32), psi).cpu().numpy()
    rows: list[NDArray[np.float32]] = []

    def partial() -> Statistics | None:
        done = sum(map(len, rows))
        return of(np.concatenate(rows), w[:done]) if done >= min(n, _LEAST) else None

    for start in range(0, n, batch):
        rows.append(styles_of(session, w[start : start + batch]))
        yield Progress(min(start + batch, n), n, "reading styles", partial=partial)
    values = np.concatenate(rows)
    cache.write(name, values=values.astype(np.float16), w=w)
    _last[session] = about, of(values, w)
    return _last[session][1]
