"""Numbers read off pictures: what attributes, dependencies and disentanglement are measured with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...domain import Reader
from .. import cache
from ..channel import Callback
from ..channel_statistics import Statistics
from ..search.pace import Pace


def read_samples(
    session: Any,
    stats: Statistics,
    reader: Reader,
    *,
    batch: int = 32,
    cached: bool = True,
    callback: Callback | None = None,
) -> NDArray[np.float32]:
    """Readings [n, F] of the pictures of all samples of `stats`, in their order.

    callback(done, n) after each batch; a `Stopped` from it goes on to the caller. Kept on disk when the reader has a key.
    """
    kept = cached and bool(reader.key)
    name = cache.key(session, "readings", reader=reader.key, n=stats.n, seed=stats.seed, psi=stats.psi) if kept else ""
    found = cache.read(name) if kept else None
    if found is not None and found["readings"].shape == (stats.n, len(reader.names)):
        return found["readings"]
    readings = read_w(session, reader, stats.w, batch=batch, callback=callback)
    if kept:
        cache.write(name, readings=readings)
    return readings


def read_w(
    session: Any, reader: Reader, w: NDArray[Any], *, batch: int = 32, callback: Callback | None = None
) -> NDArray[np.float32]:
    """Readings [n, F] of the pictures of w [n, w_dim] or w+ [n, num_ws, w_dim], at most `batch` at a time."""
    rows: list[NDArray[np.float32]] = []
    for part in Pace(batch).batches(len(w)):
        with session.lock, torch.inference_mode():
            codes = torch.as_tensor(np.ascontiguousarray(w[part]), device=session.device, dtype=torch.float32)
            rows.append(reader(session.synthesize(codes).float()).float().cpu().numpy())
        if callback is not None:
            callback(part.stop, len(w))
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
