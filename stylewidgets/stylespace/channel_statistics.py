"""How each style channel is spread over the faces of a generator."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.checks import check_finite, check_int
from ..directions import sample_w
from ..directions._sampling import styles_of
from ..jobs import Job, Progress, Work
from . import cache
from .channel import Channel, num_channels

_last: weakref.WeakKeyDictionary[Any, tuple[Any, Statistics]] = weakref.WeakKeyDictionary()  # by session
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
    layers: tuple[Any, ...]
    complete: bool = True

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.values)

    def in_sigma(self, s: Any) -> NDArray[np.float32]:
        """A flat s [S] or [n, S], or the list of styles of one latent, in units of σ from the mean."""
        if isinstance(s, (list, tuple)):
            s = torch.cat([part.detach().cpu() for part in s], dim=1)[0].numpy()
        result: NDArray[np.float32] = ((np.asarray(s, np.float32) - self.mean) / self.std).astype(np.float32)
        return result

    def samples(self, channel: Channel) -> NDArray[np.float32]:
        """The values [n] of one channel."""
        return self.values[:, channel.flat(self.layers)].astype(np.float32)

    def histogram(self, channel: Channel, bins: int = 40) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Counts [bins] and edges [bins + 1] in the channel's own units."""
        counts, edges = np.histogram(self.samples(channel), bins=bins)
        return counts, edges.astype(np.float32)

    def quantiles(self, channel: Channel, at: Any = (0.01, 0.25, 0.5, 0.75, 0.99)) -> NDArray[np.float32]:
        """Values below which these shares of the samples lie."""
        found: NDArray[np.float32] = np.quantile(self.samples(channel), at).astype(np.float32)
        return found


@Work
def statistics(
    session: Any,
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
    layers, about = session.layers, (session.fingerprint(), n, seed, batch, psi)
    last = _last.get(session)
    if cached and last is not None and last[0] == about:
        return last[1]
    kept = cached and n * num_channels(layers) > _LARGE
    name = cache.key(session, "statistics", n=n, seed=seed, psi=psi) if kept else ""
    found = cache.read(name) if kept else None
    if found is not None and found["values"].shape == (n, num_channels(layers)):
        return _of(found["values"], found["w"], seed, psi, layers, n)
    w = yield from sample_w.steps(session, n, seed)
    if psi != 1:
        w = _truncated(session, w, psi)
    rows: list[NDArray[np.float32]] = []

    def partial() -> Statistics | None:
        done = sum(map(len, rows))
        return _of(np.concatenate(rows), w[:done], seed, psi, layers, n) if done >= min(n, _LEAST) else None

    for start in range(0, n, batch):
        rows.append(styles_of(session, w[start : start + batch]))
        yield Progress(min(start + batch, n), n, "reading styles", partial=partial)
    values = np.concatenate(rows)
    if kept:
        cache.write(name, values=values.astype(np.float16), w=w)
    _last[session] = about, _of(values, w, seed, psi, layers, n)
    return _last[session][1]


def _truncated(session: Any, w: NDArray[np.float32], psi: float) -> NDArray[np.float32]:
    with session.lock, torch.inference_mode():
        result: NDArray[np.float32] = (
            session.truncate(torch.as_tensor(w, device=session.device, dtype=torch.float32), psi).cpu().numpy()
        )
    return result


def _of(values: NDArray[Any], w: NDArray[np.float32], seed: int, psi: float, layers: Any, n: int) -> Statistics:
    wide = values.astype(np.float32)
    mean, std = wide.mean(axis=0), wide.std(axis=0)
    still = std < 1e-6 * np.maximum(1.0, np.abs(mean))
    return Statistics(
        values.astype(np.float16),
        w,
        mean,
        np.where(still, np.float32(1), std),
        seed,
        psi,
        tuple(layers),
        len(values) == n,
    )
