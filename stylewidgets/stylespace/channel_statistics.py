"""How each style channel is spread over the faces of a generator."""

from __future__ import annotations

import weakref

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.checks import check_finite, check_int
from ..directions import sample_w
from ..directions._sampling import styles_of
from ..jobs import Job, Progress, Work
from ..session.session import GeneratorSession
from . import cache
from .channel import num_channels
from .samples import Statistics

_last: weakref.WeakKeyDictionary[GeneratorSession, tuple[object, Statistics]] = weakref.WeakKeyDictionary()
_LEAST = 64  # with fewer samples a standard deviation means little
_LARGE = 4_000_000  # numbers; what is smaller is made in less time than it is looked up in


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
