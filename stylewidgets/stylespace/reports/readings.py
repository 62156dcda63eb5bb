"""Numbers read off pictures: what attributes, dependencies and disentanglement are measured with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...domain import Reader
from ...jobs import Job, Progress, Work
from ...session.batching import pictures_in_a_step
from .. import cache
from ..channel_statistics import Statistics


@Work
def read_samples(session: Any, stats: Statistics, reader: Reader, *, cached: bool = True) -> Job[NDArray[np.float32]]:
    """Readings [n, F] of the pictures of all samples of `stats`, in their order. Kept on disk when the reader has a key."""
    kept = cached and bool(reader.key)
    name = cache.key(session, "readings", reader=reader.key, n=stats.n, seed=stats.seed, psi=stats.psi) if kept else ""
    found = cache.read(name) if kept else None
    if found is not None and found["readings"].shape == (stats.n, len(reader.names)):
        return found["readings"]
    readings = yield from read_w.steps(session, reader, stats.w)
    if kept:
        cache.write(name, readings=readings)
    return readings


@Work
def read_w(session: Any, reader: Reader, w: NDArray[Any]) -> Job[NDArray[np.float32]]:
    """Readings [n, F] of the pictures of w [n, w_dim] or w+ [n, num_ws, w_dim], a few at a time."""
    rows: list[NDArray[np.float32]] = []
    size = pictures_in_a_step(session)
    for start in range(0, len(w), size):
        with session.lock, torch.inference_mode():
            codes = torch.as_tensor(
                np.ascontiguousarray(w[start : start + size]), device=session.device, dtype=torch.float32
            )
            rows.append(reader(session.synthesize(codes).float()).float().cpu().numpy())
        yield Progress(min(start + size, len(w)), len(w), "reading faces")
    return np.concatenate(rows) if rows else np.zeros((0, len(reader.names)), np.float32)


def check_readings(readings: Any, names: Sequence[str] | None, n: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Readings as float64 [n, F] and their names, from an array [n, F] or [n] or a dict of [n]."""
    if isinstance(readings, dict):
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
