"""Samples of w and of styles, drawn in batches, and the spread of a population along a vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..jobs import Job, Progress, Work
from ..latent.latent import Latent
from ..session.drawing import joined_styles
from ..session.inside import sample_z
from ..session.session import GeneratorSession

BATCH = 1024


@Work
def sample_w(
    session: GeneratorSession, samples: int, seed: int = 0, *, label: int | None = None
) -> Job[NDArray[np.float32]]:
    """w of `samples` random z without truncation, float32 [samples, w_dim]: those of `session.sample_w`, in steps.

    z comes from numpy's RandomState(seed). A conditional generator gets `label`, or labels drawn uniformly when it is
    None.
    """
    if samples < 2:
        raise ValueError(f"samples must be at least 2; {samples} was given")
    z, c = sample_z(session, samples, seed, label)
    rows = []
    for start in range(0, samples, BATCH):
        part = slice(start, start + BATCH)
        # The lock is taken for one batch only, so a live widget on the same session keeps its turn.
        with torch.inference_mode():
            rows.append(session.map_z(z[part], None if c is None else c[part]).float().cpu().numpy())
        yield Progress(min(start + BATCH, samples), samples, "drawing w")
    return np.concatenate(rows)


def sample_styles(session: GeneratorSession, samples: int, seed: int = 0) -> NDArray[np.float32]:
    """Flat style vectors of random samples, float32 [samples, S], layers in the order of `session.layers`."""
    w = sample_w(session, samples, seed)
    return np.concatenate([styles_of(session, w[start : start + BATCH]) for start in range(0, samples, BATCH)])


def styles_of(session: GeneratorSession, codes: NDArray[np.float32] | Sequence[Latent]) -> NDArray[np.float32]:
    """Flat s, float32 [n, S], of w [n, w_dim], w+ [n, num_ws, w_dim] or latents."""
    with torch.inference_mode():
        if isinstance(codes, np.ndarray):
            given = torch.as_tensor(np.ascontiguousarray(codes, np.float32), device=session.device, dtype=torch.float32)
            styles = session.styles(given if given.ndim == 3 else given[:, None].expand(-1, session.num_ws, -1))
        else:
            styles = joined_styles(session, codes)
        flat: NDArray[np.float32] = torch.cat(styles, dim=1).float().cpu().numpy()
    return flat


def spread(vector: ArrayLike, population: NDArray[np.floating]) -> float:
    """Standard deviation of `population` [n, d] along a direction [d], or along the rows [r, d] of one (root mean square).

    The length of the vector does not matter. 0.0 for a zero vector.
    """
    rows = np.atleast_2d(np.asarray(vector, np.float64))
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    if not len(rows):
        return 0.0
    return float(np.sqrt(np.mean(np.var(population.astype(np.float64) @ rows.T, axis=0))))
