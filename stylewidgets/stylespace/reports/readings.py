"""Numbers read off pictures: what attributes, dependencies and disentanglement are measured with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ...domain import Reader
from ...jobs import Job, Progress, Work
from ...session.batching import pictures_in_a_step
from ...session.session import GeneratorSession
from .. import cache
from ..channel_statistics import Statistics

Readings = ArrayLike | Mapping[str, ArrayLike]
"""[n, F] or [n], or by name [n] each."""
_Drawable = Tensor | list[Tensor]


@Work
def read_samples(
    session: GeneratorSession, stats: Statistics, reader: Reader, *, cached: bool = True
) -> Job[NDArray[np.float32]]:
    """Readings [n, F] of the pictures of all samples of `stats`, in their order. Kept on disk when the reader has a key."""
    return (
        yield from kept_readings(session, "readings", reader, stats, cached, read_w.steps(session, reader, stats.w))
    )


def kept_readings(
    session: GeneratorSession,
    kind: str,
    reader: Reader,
    stats: Statistics,
    cached: bool,
    read: Job[NDArray[np.float32]],
) -> Job[NDArray[np.float32]]:
    """The readings [n, F] that `read` makes, from disk where they are there. Kept when the reader has a key."""
    keep = cached and bool(reader.key)
    name = cache.key(session, kind, keep, reader=reader.key, n=stats.n, seed=stats.seed, psi=stats.psi)
    found = cache.read(name)
    if found is not None and found["readings"].shape == (stats.n, len(reader.names)):
        return found["readings"].astype(np.float32)
    readings = yield from read
    cache.write(name, readings=readings)
    return readings


@Work
def read_w(
    session: GeneratorSession,
    reader: Reader,
    w: NDArray[np.float32],
    drawn: Callable[[Tensor], _Drawable] = lambda codes: codes,
    words: str = "reading faces",
) -> Job[NDArray[np.float32]]:
    """Readings [n, F] of the pictures of w [n, w_dim] or w+ [n, num_ws, w_dim], a few at a time.

    Args:
        drawn: what is drawn of codes; themselves by default.
        words: for the progress.
    """
    rows: list[NDArray[np.float32]] = []
    size = pictures_in_a_step(session)
    for start in range(0, len(w), size):
        with session.lock, torch.inference_mode():
            part = np.ascontiguousarray(w[start : start + size])
            codes = torch.as_tensor(part, device=session.device, dtype=torch.float32)
            rows.append(reader(session.synthesize(drawn(codes))).float().cpu().numpy())
        yield Progress(min(start + size, len(w)), len(w), words)
    return np.concatenate(rows) if rows else np.zeros((0, len(reader.names)), np.float32)


def check_readings(
    readings: Readings, names: Sequence[str] | None, n: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Readings as float64 [n, F] and their names, from an array [n, F] or [n] or a dict of [n]."""
    if isinstance(readings, Mapping):
        names, readings = tuple(readings), np.stack([np.asarray(v) for v in readings.values()], axis=1)
    array = np.asarray(readings, np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != n:
        raise ValueError(f"readings are [{n}, factors], one row for each sample; {list(array.shape)} was given")
    if not np.isfinite(array).all():
        raise ValueError("readings must be finite numbers")
    named = tuple(names) if names is not None else tuple(f"factor {i}" for i in range(array.shape[1]))
    if len(named) != array.shape[1]:
        raise ValueError(f"{array.shape[1]} readings need as many names; {len(named)} were given")
    return array, named
