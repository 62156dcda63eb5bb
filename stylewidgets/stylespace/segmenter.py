"""Which pixel of a picture shows what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import domain
from ..latent.latent import Latent
from ..session.session import GeneratorSession
from .search.regions import Segmenter


def segmentation(session: GeneratorSession, latent: Latent, segmenter: Segmenter | None = None) -> NDArray[np.uint8]:
    """Labels uint8 [H, W] of a latent's picture.

    Args:
        segmenter: a function of a picture; that of the generator's domain when None.

    Raises:
        ValueError: no segmenter, and a generator whose domain has none.
    """
    if segmenter is None:
        known = domain.of(session)
        if known is None or known.segmenter is None:
            raise ValueError("the regions of what this generator draws are not known: give a segmenter")
        segmenter = known.segmenter()
    return np.asarray(segmenter(session.image(latent)), np.uint8)
