"""Styles of the convolutions alone, as ports that leave the ToRGB layers out keep them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ..session.session import GeneratorSession
from .content import Array, array

NOTE = "its ToRGB styles are not in the file: they follow from the convolutions that read the same row of w+"


def are_convolutions(parts: Sequence[Tensor], session: GeneratorSession) -> bool:
    """Whether a list has one array for each convolution and none for ToRGB, and cannot be a list of codes in w."""
    sizes = [layer.channels for layer in session.layers if layer.kind != "torgb"]
    if len(sizes) == len(session.layers) or len(parts) != len(sizes) or set(sizes) == {session.w_dim}:
        return False
    return all(
        part.ndim >= 1 and part.numel() % size == 0 and size in (part.shape[-1], part.numel())
        for part, size in zip(parts, sizes, strict=True)
    )


def unchanged_torgb(parts: Sequence[Tensor], session: GeneratorSession, name: str) -> Array:
    """A direction [sum of channels] that moves the convolutions and no ToRGB."""
    left = iter(parts)
    return np.concatenate(
        [
            np.zeros(layer.channels, np.float32) if layer.kind == "torgb" else array(next(left), name).ravel()
            for layer in session.layers
        ]
    )


def with_torgb(parts: Sequence[Array], session: GeneratorSession) -> list[Array]:
    """Styles [N, C] of all layers from those of the convolutions.

    A ToRGB layer reads the row of w+ that the next convolution reads, too, whose styles are ``s = A w + b``. That is solved for
    w: exact where the convolution is at least as wide as w, else the solution that is nearest to the mean. The last ToRGB has a
    row of its own, and gets the styles of the mean.
    """
    centre = session.latent(seed=0, psi=0.0)
    means = [style.double().cpu().numpy() for style in session.code_styles(centre)]
    left = iter(parts)
    found = [None if layer.kind == "torgb" else next(left) for layer in session.layers]
    rows = {
        layer.ws_index: (i, style)
        for i, (layer, style) in enumerate(zip(session.layers, found, strict=True))
        if style is not None
    }
    made: list[Array] = []
    for i, (layer, style) in enumerate(zip(session.layers, found, strict=True)):
        if style is not None:
            made.append(style)
            continue
        styles = np.repeat(means[i], len(parts[0]), 0)
        if layer.ws_index in rows:
            k, known = rows[layer.ws_index]
            weight = session.affine(k)[0].double().cpu().numpy()
            step = np.linalg.lstsq(weight, (known - means[k]).T, rcond=None)[0]  # w less its mean, [w_dim, N]
            styles = styles + (session.affine(i)[0].double().cpu().numpy() @ step).T
        made.append(styles.astype(np.float32))
    return made
