"""Volume rendering of the field, a chunk of rays at a time (Chan et al., CVPR 2022, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..protocol import Rays
from .field import Decoder, features_of
from .samples import even, finer, weights_of

LIMIT = 64 << 20
"""Bytes that a chunk of rays may take, about; more saves no time on a CPU."""
MOST = 256 << 20
"""The same on a GPU, which wants more work at once."""

Numbers = Callable[[int, int, int, int, int], Tensor]
"""(stage, first ray, rays, pictures, count) → random numbers, as `samples.Draws`."""


class Rendered(NamedTuple):
    """What rays see.

    Attributes:
        features: [N, C, R] in [-1, 1] and a little beyond, the first three are colours; [N, 0, R] where none were wanted.
        depth: [N, R], how far along the ray, the mean over what is seen of it; where it ends where nothing is.
        opacity: [N, R], 0 to 1.
    """

    features: Tensor
    depth: Tensor
    opacity: Tensor


class Volume(NamedTuple):
    """A scene to render.

    Attributes:
        planes: [N, 3, C, H, W].
        decoder: of its features.
        box: side of the box that the planes span.
        axes: which coordinates each plane holds.
        white_back: whether what is empty is white.
    """

    planes: Tensor
    decoder: Decoder
    box: float
    axes: Sequence[int]
    white_back: bool


def render(
    volume: Volume,
    rays: Rays,
    near: Tensor,
    far: Tensor,
    counts: tuple[int, int],
    numbers: Numbers,
    *,
    colours: bool = True,
    limit: int | None = None,
) -> Rendered:
    """What all rays see, each for itself: but for rounding, the result does not depend on the chunks.

    Args:
        volume: what is there.
        rays: [N, R, 3].
        near, far: where each begins and ends, [N, R].
        counts: coarse and fine samples on each.
        numbers: where the samples go.
        colours: False only gives depth and opacity, in half the time.
        limit: bytes of a chunk; None for `LIMIT`, on a GPU `MOST`.
    """
    n, total, _ = rays.origins.shape
    size = (LIMIT if near.device.type == "cpu" else MOST) if limit is None else limit
    step = max(64, size // (n * _bytes(volume, counts)))
    needed = torch.is_grad_enabled() and total > step and (volume.planes.requires_grad or rays.directions.requires_grad)
    made: list[Rendered] = []
    for first in range(0, total, step):
        own = slice(first, min(total, first + step))
        parts = (rays.origins[:, own], rays.directions[:, own], near[:, own], far[:, own])
        if needed:  # kept for the way back are the rays of a chunk, not its samples
            made.append(checkpoint(_chunk, volume, *parts, first, counts, numbers, colours, use_reentrant=False))
        else:
            made.append(_chunk(volume, *parts, first, counts, numbers, colours))
    if len(made) == 1:
        return made[0]
    return Rendered(*(torch.cat(part, dim=-1) for part in zip(*made, strict=True)))


def _bytes(volume: Volume, counts: tuple[int, int]) -> int:
    """Of one ray, about: what the larger pass holds at once, and what is kept of both."""
    features = volume.planes.shape[2]
    hidden = volume.decoder.hidden
    return 4 * (max(counts) * (4 * features + 2 * hidden + 2 * features) + sum(counts) * (features + 8))


def _chunk(
    volume: Volume,
    origins: Tensor,
    directions: Tensor,
    near: Tensor,
    far: Tensor,
    first: int,
    counts: tuple[int, int],
    numbers: Numbers,
    colours: bool,
) -> Rendered:
    n, r, _ = origins.shape
    coarse, fine = counts

    def at(t: Tensor) -> tuple[Tensor, Tensor | None]:
        """Density [N, R, S] and colours [N, R, S, C] at these distances [N, R, S]."""
        points = origins[:, :, None] + directions[:, :, None] * t[..., None]
        density, seen = volume.decoder(
            features_of(volume.planes, points.flatten(1, 2), volume.box, volume.axes), colours
        )
        return density.reshape(t.shape), None if seen is None else seen.reshape(*t.shape, -1)

    t = even(near, far, numbers(0, first, r, n, coarse)).expand(n, r, coarse)
    density, seen = at(t)
    if fine:
        more = numbers(1, first, r, n, fine).expand(n, r, fine)
        extra = finer(
            t.detach().flatten(0, 1), weights_of(t, density).detach().flatten(0, 1), more.flatten(0, 1)
        ).reshape(n, r, fine)
        extra_density, extra_seen = at(extra)
        t, density = torch.cat([t, extra], dim=2), torch.cat([density, extra_density], dim=2)
        seen = None if seen is None or extra_seen is None else torch.cat([seen, extra_seen], dim=2)
    t, order = t.sort(dim=2)
    weights = weights_of(t, density.gather(2, order))
    opacity = weights.sum(dim=2)
    depth = (weights * (t[..., 1:] + t[..., :-1]) / 2).sum(dim=2) / opacity
    depth = torch.where(opacity > 0, depth.clamp(t[..., 0], t[..., -1]), t[..., -1])
    if seen is None:
        return Rendered(weights.new_zeros(n, 0, r), depth, opacity)
    # A middle has the mean colour of its two samples, so each sample counts half of the two middles beside it: no colour moves.
    halves = torch.nn.functional.pad(weights, (1, 1))
    each = torch.empty_like(t).scatter(2, order, (halves[..., 1:] + halves[..., :-1]) / 2)
    features = (each[:, :, None] @ seen)[:, :, 0].transpose(1, 2)
    features = features + (1 - opacity)[:, None] if volume.white_back else features
    return Rendered(features * 2 - 1, depth, opacity)
