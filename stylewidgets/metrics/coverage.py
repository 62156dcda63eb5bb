"""Precision and recall of a generator by nearest neighbours (Kynkäänniemi et al. 2019)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PrecisionRecall(NamedTuple):
    """precision: share of samples within the data's manifold; recall: share of data within the samples' manifold."""

    precision: float
    recall: float


def precision_recall(real: NDArray[np.floating], fake: NDArray[np.floating], k: int = 3) -> PrecisionRecall:
    """Both shares for features [N, D] of data and [M, D] of samples.

    A set's manifold is the union of balls around its points that reach to the k-th nearest other point of the set.
    Sparse sets in many dimensions leave gaps, so even data against data does not reach 1.

    Raises:
        ValueError: widths differ, or a set has no more than k points.
    """
    a, b = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) <= k or k < 1:
        raise ValueError(
            f"precision and recall need features [N, D] and [M, D] of more than k={k} rows; "
            f"{list(a.shape)} and {list(b.shape)} were given"
        )
    # Distances from a common origin near the points: squares of large numbers would cost digits.
    origin = a.mean(axis=0)
    a, b = a - origin, b - origin
    between = squared_distances(a, b)
    return PrecisionRecall(
        float((between <= _radii(a, k)[:, None]).any(axis=0).mean()),
        float((between <= _radii(b, k)[None, :]).any(axis=1).mean()),
    )


def squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Euclidean distances [N, M] of rows [N, D] and [M, D]."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    return np.asarray(squares.clip(0))


def _radii(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Squared distance of every point to its k-th nearest other one, with a little room for rounding."""
    own = squared_distances(points, points)
    np.fill_diagonal(own, np.inf)
    radii = np.partition(own, k - 1, axis=1)[:, k - 1]
    return radii * (1 + 1e-9) + 1e-12 * float(np.square(points).sum(1).max(initial=0.0))
