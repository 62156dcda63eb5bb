"""From latents to finished pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..core.pixels import fit
from ..latent.latent import Latent
from .batching import in_batches, inner_size, pictures_at_once
from .drawing import engine, joined_styles
from .noise import SEEDED_NOISE
from .synthesis import to_uint8

if TYPE_CHECKING:
    from .session import GeneratorSession

Pixels = NDArray[np.uint8]


def image(session: GeneratorSession, latent: Latent) -> Pixels:
    """The picture as uint8 [H, W, 3] in the generator's full size."""
    session.check(latent)
    return np.ascontiguousarray(_drawn(session, [latent], None)[0])


def render(session: GeneratorSession, latent: Latent) -> Image.Image:
    """The picture as a PIL image in the generator's full size."""
    return Image.fromarray(session.image(latent))


def images(session: GeneratorSession, latents: Sequence[Latent], resolution: int | None = None) -> Pixels:
    """Many pictures, uint8 [N, h, w, 3], drawn in batches.

    Args:
        latents: any number.
        resolution: longest side in pixels, for thumbnails; None for full size. Small ones may come from an inner
            block of at least four times that size, which saves most of the time of large generators.
    """
    inner = inner_size(resolution)
    latents = list(latents)

    def draw(members: Sequence[int]) -> list[Pixels]:
        return [fit(picture, resolution) for picture in _drawn(session, [latents[i] for i in members], inner)]

    size = pictures_at_once(session.generator, session.device, inner)
    pictures: dict[int, Pixels] = {}
    for group in _groups(session, latents):
        pictures.update(zip(group, in_batches(group, draw, size), strict=True))
    if not pictures:
        return np.zeros((0, *fit(np.zeros((*session.picture_size, 3), np.uint8), resolution).shape), np.uint8)
    return np.stack([pictures[i] for i in range(len(pictures))])


def batches(session: GeneratorSession, latents: Sequence[Latent], resolution: int | None = None) -> list[list[int]]:
    """Which of some latents `images` draws together, as indices: called for each of these alone it gives the same bits."""
    size = pictures_at_once(session.generator, session.device, inner_size(resolution))
    groups = _groups(session, latents)
    return [group[start : start + size] for group in groups for start in range(0, len(group), size)]


def _groups(session: GeneratorSession, latents: Sequence[Latent]) -> list[list[int]]:
    """Indices of latents that agree in noise, view and source."""
    groups: dict[object, list[int]] = {}
    for i, latent in enumerate(latents):
        session.check(latent)
        seed = latent.noise_seed if latent.noise_mode in SEEDED_NOISE else 0
        groups.setdefault((latent.noise_mode, seed, latent.view, latent.source), []).append(i)
    return list(groups.values())


def _drawn(session: GeneratorSession, latents: Sequence[Latent], inner: int | None) -> Pixels:
    """Pictures of latents that agree in noise, view and source, in one batch."""
    first = latents[0]
    with session.shown(first), torch.inference_mode():
        styles = joined_styles(session, latents)
        noise = session.noise(first.noise_mode, first.noise_seed)
        return to_uint8(engine(session).picture(styles, noise, session.half, inner))
