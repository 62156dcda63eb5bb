"""Principal components of w (GANSpace)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs import Job, Work
from ..latent.latent import Direction
from ..session.session import GeneratorSession
from ._sampling import sample_w
from .direction_set import DirectionSet


@Work
def pca(
    session: GeneratorSession,
    *,
    samples: int = 10_000,
    components: int = 20,
    seed: int = 0,
    layers: tuple[int, int] | None = None,
    prefix: str = "pca",
) -> Job[DirectionSet]:
    """The directions along which w varies most (Härkönen et al., "GANSpace", NeurIPS 2020).

    Args:
        session: a GeneratorSession.
        samples: how many w are drawn, without truncation.
        components: how many directions, at most w_dim and at most samples - 1.
        seed: of the samples. The same seed gives the same directions; the sign is fixed so that the largest entry is
            positive.
        layers: default w+ row range [first, last) of the directions, None for all rows.
        prefix: directions are named "<prefix> 0", "<prefix> 1", ...

    Returns:
        DirectionSet: unit vectors [w_dim]; sigma is the standard deviation of w along the vector, so one unit of
        strength is one standard deviation; `explained` is the share of the variance of w.
    """
    limit = min(session.w_dim, samples - 1)
    if not 1 <= components <= limit:
        raise ValueError(f"components must be from 1 to {limit} (w_dim and samples limit it); {components} was given")
    w = yield from sample_w.steps(session, samples, seed)
    vectors, sigmas, shares = principal_components(w, components)
    source = f"PCA of w, {samples} samples, seed {seed}"
    return DirectionSet.of(
        session,
        (
            Direction(
                name=f"{prefix} {i}",
                vector=vectors[i],
                sigma=float(sigmas[i]),
                source=f"{source}, component {i}",
                layers=layers,
                explained=float(shares[i]),
            )
            for i in range(components)
        ),
    )


def principal_components(
    w: ArrayLike, components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors [components, d], standard deviations and variance shares of a population w [n, d]."""
    centred = np.asarray(w, np.float64)
    centred = centred - centred.mean(axis=0)
    # The eigenvectors of the covariance are the right singular vectors, at a cost that does not grow with n squared.
    vectors, values, shares = strongest(centred.T @ centred / len(centred), components)
    return vectors, np.sqrt(values), shares


def strongest(
    matrix: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The first unit eigenvectors [count, d] of a symmetric matrix, their eigenvalues and the shares of the sum of all."""
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = np.clip(values[::-1], 0.0, None), fix_signs(vectors.T[::-1])
    return vectors[:count], values[:count], values[:count] / max(values.sum(), 1e-300)


def fix_signs(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Flip each row [k, d] so that its entry of largest magnitude is positive."""
    peak = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return vectors * np.where(peak < 0, -1.0, 1.0)
