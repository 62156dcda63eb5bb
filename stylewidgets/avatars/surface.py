"""The surface of avatars as Pose with Style needs it: an atlas of parts, the mirrored half, and the light on each limb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..generators.posed.reposing import OUTSIDE, flow_of
from ..generators.posed.surface import written_down
from .drawing.poses import carrier, limb_matrices
from .drawing.renderer import PARTS, Render
from .world.body import mirrored_name
from .world.rows import by_name

_COLUMNS = 6
_ROWS = -(-(len(PARTS) - 1) // _COLUMNS)
_MARGIN = 0.05
_HEAD_ROWS = 0.75  # of v: what is not of the head is below, see `drawing.truth`
_MIRRORED = tuple(PARTS.index(mirrored_name(name)) for name in PARTS)

GARMENTS = {
    "clothes": tuple(i for i, name in enumerate(PARTS) if name in ("clothes", "collar", "torso") or "sleeve" in name),
    "hair": (PARTS.index("hair_back"), PARTS.index("hair")),
    "beard": (PARTS.index("beard"),),
    "glasses": (PARTS.index("glasses"),),
    "hat": (PARTS.index("hat"), PARTS.index("hat_trim")),
}
"""Parts of the surface that each part to be taken from another avatar covers; names as in `world.edits.WORN`."""


class Surface(NamedTuple):
    """part [N, H, W], an index into PARTS, and the place on it, uv [N, 2, H, W]; −1 in the backdrop."""

    part: Tensor
    uv: Tensor

    @classmethod
    def of(cls, drawn: Render) -> Surface:
        """That of a render with these outputs."""
        return cls(drawn.part.long(), drawn.uv)

    @property
    def body(self) -> Tensor:
        """[N, 1, H, W], 1 where there is any."""
        return (self.part > 0)[:, None].float()

    @property
    def pose(self) -> Tensor:
        """I, U, V as a network takes them, [N, 3, H, W] from 0 to 255."""
        return torch.cat([self.part[:, None].float(), self.uv.clamp(min=0) * 255], dim=1)

    def mirrored(self) -> Surface:
        """What each pixel would show of the avatar's other half: left and right limbs change places, u turns."""
        part = torch.tensor(_MIRRORED, dtype=torch.int64, device=self.part.device)[self.part]
        u, v = self.uv.unbind(1)
        return Surface(part, torch.stack([1 - u, v], dim=1))

    def places(self) -> Tensor:
        """(u, v) in an atlas of avatars, [N, 2, H, W] from 0 to 1: a cell for each part, in it the part's own u and v."""
        part, (u, v) = self.part, self.uv.unbind(1)
        of_head = torch.tensor([carrier(name) == "head" for name in PARTS], dtype=torch.bool, device=part.device)[part]
        of_neck = torch.tensor(
            [name in ("neck", "clothes", "collar") for name in PARTS], dtype=torch.bool, device=part.device
        )[part]
        v = torch.where(of_head, v / _HEAD_ROWS, torch.where(of_neck, (v - _HEAD_ROWS) / (1 - _HEAD_ROWS), v))
        cell = (part - 1).clamp(min=0)
        inside = 1 - 2 * _MARGIN
        across = (cell % _COLUMNS + _MARGIN + inside * u.clamp(0, 1)) / _COLUMNS
        down = (cell.div(_COLUMNS, rounding_mode="floor") + _MARGIN + inside * v.clamp(0, 1)) / _ROWS
        return torch.stack([across, down], dim=1) * (part > 0)[:, None]


class AvatarAtlas(NamedTuple):
    """What one picture shows of an avatar: coordinates x, y in [-1, 1] at each place, [1, 2, A, A], and known [1, 1, A, A]."""

    coordinates: Tensor
    known: Tensor

    @classmethod
    def of(cls, seen: Surface, places: int) -> AvatarAtlas:
        """Written down from one surface [1, …], with so many places on a side."""
        side = seen.part.shape[-1]
        y, x = np.nonzero(seen.part[0].numpy())
        at = seen.places()[0].permute(1, 2, 0).numpy()[y, x]
        found, known = written_down(at, np.stack([x, y], axis=1), places)
        coordinates = torch.from_numpy(2 * found / (side - 1) - 1).float().permute(2, 0, 1)[None]
        return cls(coordinates, torch.from_numpy(known)[None, None].float())

    def flow(self, wanted: Surface) -> Tensor:
        """Where in the picture each pixel of a surface is, [N, 2, H, W], `OUTSIDE` where it does not show it."""
        n = len(wanted.part)
        given = (self.coordinates.expand(n, -1, -1, -1), wanted.places(), wanted.body)
        return flow_of(*given, known=self.known.expand(n, -1, -1, -1))


class Way(NamedTuple):
    """A flow [N, 2, H, W], and how well it is known [N, 1, H, W]; see `generators.posed.reposing.Exact`."""

    flow: Tensor
    known: Tensor


def completed(own: Tensor, atlas: AvatarAtlas, seen: Surface, wanted: Surface) -> Way:
    """A flow [N, 2, H, W] of a body with what it leaves out: from the mirrored half where that is seen, and the backdrop where
    both show it stays in its place."""
    there = wanted.body > 0
    direct = (own.abs() <= 1).all(dim=1, keepdim=True)
    other = atlas.flow(wanted.mirrored())
    turned = ~direct & (other.abs() <= 1).all(dim=1, keepdim=True)
    size = wanted.part.shape[-1]
    line = (torch.arange(size, dtype=torch.float32, device=own.device) * 2 + 1) / size - 1
    still = torch.stack([line.expand(size, -1), line[:, None].expand(-1, size)])
    empty = ~there & (seen.body == 0)
    flow = torch.where(direct & there, own, torch.where(turned & there, other, torch.where(empty, still, OUTSIDE)))
    known = (direct & there).float() + 0.5 * (turned & there).float() + empty.float()
    return Way(flow, known)


def light_on(factors: Tensor, groups: Sequence[str], framing: str, limbs: Mapping[str, Tensor] | None = None) -> Tensor:
    """The direction of the key light in the axes of what carries each part, [N, len(PARTS), 3]; 0 for the backdrop.

    `limbs`: their `limb_matrices`, where they are known already.
    """
    values = by_name(factors, groups)
    azimuth, elevation = torch.deg2rad(values["light_azimuth"]), torch.deg2rad(values["light_elevation"])
    key = torch.stack([azimuth.sin() * elevation.cos(), elevation.sin(), azimuth.cos() * elevation.cos()], dim=1)
    axes = limbs or limb_matrices(factors, groups, framing=framing)
    found = [torch.zeros_like(key)]
    for part in PARTS[1:]:
        carried = axes.get(carrier(part), axes["body"])
        turned = (carried[:, :3, :3].transpose(1, 2) @ key[:, :, None])[:, :, 0]
        found.append(torch.nn.functional.normalize(turned, dim=1))
    return torch.stack(found, dim=1)


def spread(table: Tensor, part: Tensor) -> Tensor:
    """Values of parts [N, P, C] at each pixel [N, H, W] → [N, C, H, W]."""
    n, height, width = part.shape
    index = part.flatten(1).long()[..., None].expand(-1, -1, table.shape[2])
    return table.gather(1, index).transpose(1, 2).reshape(n, -1, height, width)
