"""Fréchet distance of features (Heusel et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def frechet(a: ArrayLike, b: ArrayLike) -> float:
    """Fréchet distance of the Gaussians fitted to two sets of features [N, D] and [M, D].

    It has a bias that falls with N: compare figures of equal N, and against a floor.

    Raises:
        ValueError: not two matrices of equal width with at least two rows.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"features must be [N, D] and [M, D] with N, M > 1; {list(a.shape)} and {list(b.shape)} were given"
        )
    return frechet_gaussian(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))


def frechet_gaussian(mean_a: ArrayLike, cov_a: ArrayLike, mean_b: ArrayLike, cov_b: ArrayLike) -> float:
    """|m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½), for means [D] and covariances [D, D]."""
    ca, cb = np.atleast_2d(cov_a), np.atleast_2d(cov_b)
    # The trace of the root of C_a C_b is that of the root of the symmetric R C_b R with R² = C_a: no complex numbers.
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cb @ root).clip(0)).sum()
    gap = np.square(np.asarray(mean_a) - np.asarray(mean_b)).sum()
    return float(max(gap + np.trace(ca) + np.trace(cb) - 2 * cross, 0.0))
