"""Work of this package as plain values, for `session.start` of a session here or elsewhere. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..latent.latent import Latent

if TYPE_CHECKING:
    from ..session.session import GeneratorSession
    from .channel import Channel
    from .samples import Statistics


def local_spec(
    session: GeneratorSession, latents: Sequence[Latent], stats: Statistics, regions: ArrayLike, **settings: object
) -> dict[str, Any]:
    """The spec of a search for places; its regions become known to the session."""
    return {
        "kind": "local-search",
        "latents": [latent.to_dict() for latent in latents],
        "target": session.put(np.asarray(regions)),
        "statistics": settings_of(stats),
        "settings": settings,
    }


def effect_spec(latent: Latent, channel: Channel, sigmas: Sequence[float], stats: Statistics) -> dict[str, Any]:
    """The spec of what one channel does to one picture."""
    return {
        "kind": "effect",
        "latents": [latent.to_dict()],
        "channel": [int(number) for number in channel],
        "sigmas": [float(sigma) for sigma in sigmas],
        "statistics": settings_of(stats),
    }


def attributes_spec(measure: str, stats: Statistics) -> dict[str, Any]:
    """The spec of a search by all attributes; measure: "effect" or "correlation"."""
    return {"kind": "attribute-search", "measure": measure, "statistics": settings_of(stats)}


def settings_of(stats: Statistics) -> dict[str, Any]:
    """What makes the same statistics again."""
    return {"n": stats.n, "seed": stats.seed, "psi": stats.psi}
