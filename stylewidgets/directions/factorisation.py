"""Closed-form factorisation of the style layers (SeFa)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import check_layers
from ..latent.latent import Direction
from ..session.session import GeneratorSession
from ._sampling import sample_w, spread
from .components import strongest
from .direction_set import DirectionSet


def sefa(
    session: GeneratorSession,
    *,
    layers: tuple[int, int] | None = None,
    components: int = 10,
    samples: int = 2_000,
    seed: int = 0,
    prefix: str = "sefa",
) -> DirectionSet:
    """The directions of w that change the styles most (Shen and Zhou, "SeFa", CVPR 2021). No images are needed.

    The affine layers that turn w into styles are stacked for the chosen w+ rows, each row scaled to unit length, and
    the eigenvectors of A^T A are taken in descending order.

    Args:
        session: a GeneratorSession.
        layers: w+ row range [first, last); None for all rows. Becomes the default range of the directions.
        components: how many directions, at most w_dim.
        samples, seed: w drawn to measure sigma only; the vectors do not depend on them.
        prefix: directions are named "<prefix> 0", "<prefix> 1", ...

    Returns:
        DirectionSet: unit vectors [w_dim]; sigma is the standard deviation of w along the vector; `explained` is the
        eigenvalue as a share of the sum of all.
    """
    if not 1 <= components <= session.w_dim:
        raise ValueError(f"components must be from 1 to {session.w_dim} (w_dim); {components} was given")
    first, last = (0, session.num_ws) if layers is None else check_layers(layers, session.num_ws)
    matrix = affine_matrix(session, first, last)
    vectors, shares = factorise(matrix, components)
    w = sample_w(session, samples, seed)
    return DirectionSet.of(
        session,
        (
            Direction(
                name=f"{prefix} {i}",
                vector=vectors[i],
                sigma=spread(vectors[i], w),
                source=f"SeFa of w+ rows {first} to {last - 1}, component {i}",
                layers=None if layers is None else (first, last),
                explained=float(shares[i]),
            )
            for i in range(components)
        ),
    )


def factorise(matrix: ArrayLike, components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit eigenvectors [components, d] of A^T A of a row-normalised A [rows, d], strongest first, and their shares."""
    rows = np.asarray(matrix, np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    vectors, _, shares = strongest(rows.T @ rows, components)
    return vectors, shares


def affine_matrix(session: GeneratorSession, first: int, last: int) -> NDArray[np.float32]:
    """Affine weights of the w+ rows first to last - 1, stacked: [sum of style channels, w_dim].

    The convolution of each row counts; a toRGB layer only where its row has no convolution (the last row), because it
    carries colour and would otherwise count twice.
    """
    chosen: dict[int, int] = {}
    for k, layer in enumerate(session.layers):
        if first <= layer.ws_index < last and (layer.kind == "conv" or layer.ws_index not in chosen):
            chosen[layer.ws_index] = k
    return np.concatenate([session.affine(k)[0].detach().float().cpu().numpy() for _, k in sorted(chosen.items())])
