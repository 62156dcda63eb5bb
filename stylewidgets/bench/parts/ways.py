"""What is compared: four ways to take a part of one picture into another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...editing.parts.parts import Parts
from ...latent.latent import Latent
from ...latent.transfer import TransferEdit
from ...session.session import GeneratorSession
from ...stylespace.channel_statistics import statistics
from ...stylespace.search.local import LocalRanking, local_effect

Way = Callable[[Latent, Latent, str], Latent]
"""(target, reference, part) → the target with the part of the reference. ValueError where it cannot."""

DENSEST, RETRIEVE, EDITING, CHANNELS = "densest", "Retrieve in Style", "Editing in Style", "StyleSpace channels"
LOOKED_AT = 6
"""Faces whose gradient maps say which channels are local."""


def ways(parts: Parts, local: LocalRanking) -> dict[str, Way]:
    """The ways that know about parts, by name."""
    return {
        DENSEST: partial(_transfer, parts, "densest"),
        RETRIEVE: partial(_transfer, parts, "retrieve"),
        EDITING: partial(_transfer, parts, "editing"),
        CHANNELS: partial(_channels, parts.session, local),
    }


def mixed(latent: Latent, reference: Latent, rows: tuple[int, int]) -> Latent:
    """w+ mixing: rows first … last − 1 are the reference's, whatever part is wanted."""
    return latent.with_edit(TransferEdit(reference, layers=rows, name="mixing"))


def ranges(session: GeneratorSession) -> list[tuple[int, int]]:
    """Every range of rows of w+ that is not all of them."""
    last = session.num_ws
    return [(a, b) for a in range(last) for b in range(a + 1, last + 1) if b - a < last]


def local_channels(session: GeneratorSession, latents: Sequence[Latent], segmenter: object) -> LocalRanking:
    """Where each channel acts (Wu et al., section 5), from gradient maps that are kept on disk."""
    found = None
    for ranking in local_effect(session, list(latents), statistics(session), segmenter):  # type: ignore[arg-type]
        found = ranking
    assert found is not None
    return found


def _transfer(parts: Parts, method: str, latent: Latent, reference: Latent, part: str) -> Latent:
    return parts.transfer(latent, reference, part, method=method)


def _channels(session: GeneratorSession, local: LocalRanking, latent: Latent, reference: Latent, part: str) -> Latent:
    """All channels that are local in the part by the paper's rule."""
    if part not in local.regions:
        raise ValueError(f"nobody looked for channels that are local in {part!r}")
    starts = np.cumsum([0, *(layer.channels for layer in session.layers)])
    weights: NDArray[np.float32] = np.zeros(starts[-1], np.float32)
    for channel in local.for_region(part).accepted():
        weights[starts[channel.layer] + channel.channel] = 1
    if not weights.any():
        raise ValueError(f"no channel is local in {part!r}")
    return latent.with_edit(TransferEdit(reference, weights, name=part))
