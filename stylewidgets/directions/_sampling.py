"""Samples of w and of styles, drawn in batches, and the spread of a population along a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..jobs import Job, Progress, Work

BATCH = 1024


@Work
def sample_w(session: Any, samples: int, seed: int = 0, *, label: int | None = None) -> Job[NDArray[np.float32]]:
    """w of `samples` random z without truncation, float32 [samples, w_dim].

    z comes from numpy's RandomState(seed). A conditional generator gets `label`, or labels drawn uniformly when it is
    None.
    """
    if samples < 2:
        raise ValueError(f"samples must be at least 2; {samples} was given")
    random = np.random.RandomState(seed)
    z = random.randn(samples, session.z_dim)
    labels = _labels(session, samples, label, random)
    rows = []
    for start in range(0, samples, BATCH):
        rows.append(
            _map(session, z[start : start + BATCH], labels[start : start + BATCH] if labels is not None else None)
        )
        yield Progress(min(start + BATCH, samples), samples, "drawing w")
    return np.concatenate(rows)


def sample_styles(session: Any, samples: int, seed: int = 0) -> NDArray[np.float32]:
    """Flat style vectors of random samples, float32 [samples, S], layers in the order of `session.layers`."""
    w = sample_w(session, samples, seed)
    return np.concatenate([styles_of(session, w[start : start + BATCH]) for start in range(0, samples, BATCH)])


def styles_of(session: Any, w: NDArray[Any]) -> NDArray[np.float32]:
    """Flat s, float32 [n, S], of w [n, w_dim] or w+ [n, num_ws, w_dim]."""
    with session.lock, torch.inference_mode():
        codes = torch.as_tensor(np.ascontiguousarray(w, dtype=np.float32), device=session.device, dtype=torch.float32)
        if codes.ndim == 2:
            codes = codes[:, None].expand(-1, session.num_ws, -1)
        flat: NDArray[np.float32] = (
            torch.cat([s.float().flatten(1) for s in session.styles(codes)], dim=1).cpu().numpy()
        )
    return flat


def spread(vector: NDArray[Any], population: NDArray[Any]) -> float:
    """Standard deviation of `population` [n, d] along a direction [d], or along the rows [r, d] of one (root mean square).

    The length of the vector does not matter. 0.0 for a zero vector.
    """
    rows = np.atleast_2d(np.asarray(vector, np.float64))
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    if not len(rows):
        return 0.0
    return float(np.sqrt(np.mean(np.var(population.astype(np.float64) @ rows.T, axis=0))))


def _labels(session: Any, samples: int, label: int | None, random: np.random.RandomState) -> NDArray[Any] | None:
    classes = int(session.c_dim)
    if label is not None and not 0 <= label < classes:
        what = f"labels 0 to {classes - 1}" if classes else "no labels: it is unconditional"
        raise ValueError(f"label {label} was given; this generator takes {what}")
    if not classes:
        return None
    return random.randint(classes, size=samples) if label is None else np.full(samples, label)


def _map(session: Any, z: NDArray[Any], labels: NDArray[Any] | None) -> NDArray[np.float32]:
    # The lock is taken for one batch only, so a live widget on the same session keeps its turn.
    with session.lock, torch.inference_mode():
        codes = torch.as_tensor(z, dtype=torch.float32, device=session.device)
        one_hot = None
        if labels is not None:
            classes = torch.as_tensor(labels, dtype=torch.int64, device="cpu")
            one_hot = torch.nn.functional.one_hot(classes, int(session.c_dim)).to(codes)
        w: NDArray[np.float32] = session.map_z(codes, one_hot).float().cpu().numpy()
    return w
