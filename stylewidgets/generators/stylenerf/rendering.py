"""What a ray sees: the field in front, and what stands behind it, summed along the ray."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..protocol import Rays
from . import volume
from .config import StyleNeRFConfig
from .field import Backdrop, Background, Field


@dataclass(frozen=True)
class RenderOptions:
    """How the field is drawn; ``render_option`` of the public programs.

    Attributes:
        steps: samples in each of the two passes; None for the generator's own.
        freeze_background: the background stays as it is seen from straight ahead, a little from below.
        background: whether there is one; the last sample is a wall else.
    """

    steps: int | None = None
    freeze_background: bool = False
    background: bool = True


class Drawn(NamedTuple):
    """What rays see: `values` [N, R, 3 + F], colours and features; `depth` [N, R], the sum of the t of what is in front, each
    times how much it counts; `passed` [N, R], how much of the background shows."""

    values: Tensor
    depth: Tensor
    passed: Tensor


class Samples(NamedTuple):
    """A ray's samples [N, R, S], those of the first pass before the others: their t, how much each counts, and what
    `Field.inner` says of them [N, R, S, hidden]; `passed` [N, R, 1] is λ."""

    t: Tensor
    counts: Tensor
    inner: Tensor
    passed: Tensor


class Behind(NamedTuple):
    """The background's samples: weights [N, R, S] and colours with features [N, R, S, 3 + F]; for `Backdrop` S is 1."""

    counts: Tensor
    values: Tensor


Span = tuple[float, float]
"""Nearest and farthest t of a ray."""

LIMIT = 16 << 20
"""Bytes of what the field makes of a piece of the rays, outside of autograd. More is no quicker on a CPU."""


def sample_field(
    field: Field,
    styles: Sequence[Tensor],
    rays: Rays,
    span: Span,
    count: int,
    *,
    closed: bool,
    random: bool = False,
) -> Samples:
    """Two passes over rays [N or 1, R]: evenly spaced samples, then more where those counted; all of them together.

    The published code asks the field for the first samples twice, with the same answer; here they are asked for once.
    """
    n, number = len(styles[0]), rays.origins.shape[1]
    length = rays.directions.norm(dim=-1, keepdim=True).expand(n, -1, -1)
    first = volume.even(*span, count, rays.origins)
    first = volume.jittered(first, (n, number)) if random else first.expand(n, number, -1)
    density, inner = _ask(field, styles, rays, first)
    counts, _ = volume.weights(density.detach(), volume.intervals(first, length), closed)
    more = volume.finer(first, counts, count, random)
    more_density, more_inner = _ask(field, styles, rays, more)
    t = torch.cat([first, more], dim=-1)
    along, order = t.sort(dim=-1)
    density = torch.cat([density, more_density], dim=-1).gather(-1, order)
    sorted_counts, passed = volume.weights(density, volume.intervals(along, length), closed)
    # Weights go back to where their samples are: a sixty-fourth of bringing those into order.
    counts = torch.zeros_like(t).scatter(-1, order, sorted_counts)
    return Samples(t, counts, torch.cat([inner, more_inner], dim=2), passed)


def _ask(field: Field, styles: Sequence[Tensor], rays: Rays, t: Tensor) -> tuple[Tensor, Tensor]:
    n, number, count = t.shape
    points = rays.origins[:, :, None] + rays.directions[:, :, None] * t[..., None]
    density, inner = field.inner(points.reshape(n, number * count, 3), styles)
    return density.view(n, number, count), inner.view(n, number, count, -1)


def sample_background(background: Background, z: Tensor, rays: Rays) -> Behind:
    """NeRF++'s inverted spheres: the samples of a ray outside of the unit sphere, from its surface to infinity.

    Args:
        z: [N, background_dim].
        rays: [N or 1, R] that cross the unit sphere.
    """
    c, n = background.config, len(z)
    inverse = c.background_start * torch.linspace(
        1, 0, c.background_samples, dtype=rays.origins.dtype, device=rays.origins.device
    )
    points = outside(rays, inverse)
    flat = points.expand(n, -1, -1, -1).reshape(n, -1, 4)
    raw, values = background(flat, z)
    shape = (n, rays.origins.shape[1], len(inverse))
    steps = (inverse[:-1] - inverse[1:]).expand(*shape[:2], -1)
    steps = torch.cat([steps, torch.full_like(steps[..., :1], 1e10)], dim=-1)
    counts, _ = volume.weights(raw.view(shape).relu(), steps, closed=True)
    return Behind(counts, values.view(*shape, -1))


def outside(rays: Rays, inverse: Tensor) -> Tensor:
    """Points of rays [N, R] at distances 1/`inverse` [S] from the origin, as (x, y, z, 1/r) with a unit direction: [N, R, S, 4].

    The ray's exit from the unit sphere is turned about the normal of the plane through the ray and the origin (NeRF++, section
    4). Not a number for rays that miss the sphere.
    """
    along = torch.nn.functional.normalize(rays.directions, dim=-1)
    towards = -(rays.origins * along).sum(dim=-1, keepdim=True)
    nearest = rays.origins + towards * along
    distance = nearest.norm(dim=-1, keepdim=True)
    leaves = nearest + along * (1 - distance.square()).sqrt()
    axis = torch.nn.functional.normalize(torch.linalg.cross(rays.origins, leaves), dim=-1)
    angle = (torch.asin(distance) - torch.asin(distance * inverse))[..., None]
    axis, leaves = axis[:, :, None], leaves[:, :, None]
    turned = (
        leaves * angle.cos()
        + torch.linalg.cross(axis, leaves) * angle.sin()
        + axis * (axis * leaves).sum(dim=-1, keepdim=True) * (1 - angle.cos())
    )
    turned = torch.nn.functional.normalize(turned, dim=-1)
    return torch.cat([turned, inverse[:, None].expand(*turned.shape[:-1], 1)], dim=-1)


def draw(
    field: Field,
    styles: Sequence[Tensor],
    rays: Rays,
    span: Span,
    count: int,
    behind: Behind | None,
    *,
    closed: bool,
    random: bool = False,
    colours: bool = True,
) -> Drawn:
    """What rays see between the nearest and the farthest t of `span`.

    Args:
        count: samples in each of two passes.
        behind: what shows where the field lets something pass.
        closed: as of `volume.weights`.
        random: sample as training does.
        colours: False gives only depth and what passes; `values` are empty.
    """
    seen = sample_field(field, styles, rays, span, count, closed=closed, random=random)
    share = seen.counts.sum(dim=-1, keepdim=True)
    values = seen.counts[..., :0]
    if colours:
        values = field.outer((seen.counts[..., None] * seen.inner).sum(dim=2), styles, share)
        if behind is not None:
            values = values + seen.passed * (behind.counts[..., None] * behind.values).sum(dim=2)
    return Drawn(values, (seen.counts * seen.t).sum(dim=-1), seen.passed[..., 0])


def pieces(config: StyleNeRFConfig, number: int, count: int, pictures: int) -> list[slice]:
    """Rays in pieces, each of which makes the field hold no more than about `LIMIT` bytes; one piece where gradients are kept."""
    each = 4 * 3 * 2 * count * config.hidden * pictures
    size = number if torch.is_grad_enabled() else max(1, LIMIT // each)
    return [slice(start, min(start + size, number)) for start in range(0, number, size)]


def joined(parts: Sequence[Drawn]) -> Drawn:
    """Pieces of the rays together."""
    return parts[0] if len(parts) == 1 else Drawn(*(torch.cat(each, dim=1) for each in zip(*parts, strict=True)))


def backdrop(module: Backdrop, style: Tensor, pixels: Tensor) -> Behind:
    """The plain backdrop through pixels [R, 2]."""
    values = module(style, pixels.square().sum(dim=-1))[:, :, None]
    return Behind(torch.ones_like(values[..., 0]), values)


def frozen_pose(config: StyleNeRFConfig) -> tuple[float, float]:
    """(yaw, pitch) in degrees from where a frozen background is seen."""
    return 0.0, math.degrees(0.2)
