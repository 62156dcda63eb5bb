"""Precision and recall of a generator by nearest neighbours (Kynkäänniemi et al. 2019)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class PrecisionRecall(NamedTuple):
    """precision: share of samples within the data's manifold; recall: share of data within the samples' manifold."""

    precision: float
    recall: float


def precision_recall(real: NDArray[Any], fake: NDArray[Any], k: int = 3) -> PrecisionRecall:
    """Both shares for features [N, D] of data and [M, D] of samples.

    A set's manifold is the union of balls around its points that reach to the k-th nearest other point of the set.
    Sparse sets in many dimensions leave gaps, so even data against data does not reach 1.

    Raises:
        ValueError: widths differ, or a set has no more than k points.
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1] or min(len(real), len(fake)) <= k or k < 1:
        raise ValueError(
            f"precision and recall need features [N, D] and [M, D] of more than k={k} rows; "
            f"{list(real.shape)} and {list(fake.shape)} were given"
        )
    # Distances from a common origin near the points: squares of large numbers would cost digits.
    origin = real.mean(axis=0)
    real, fake = real - origin, fake - origin
    between = squared_distances(real, fake)
    return PrecisionRecall(
        float((between <= _radii(real, k)[:, None]).any(axis=0).mean()),
        float((between <= _radii(fake, k)[None, :]).any(axis=1).mean()),
    )


def squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Euclidean distances [N, M] of rows [N, D] and [M, D]."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    result: NDArray[np.float64] = squares.clip(0)
    return result


def _radii(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Squared distance of every point to its k-th nearest other one, with a little room for rounding."""
    own = squared_distances(points, points)
    np.fill_diagonal(own, np.inf)
    radii: NDArray[np.float64] = np.partition(own, k - 1, axis=1)[:, k - 1]
    return radii * (1 + 1e-9) + 1e-12 * float(np.square(points).sum(1).max(initial=0.0))
