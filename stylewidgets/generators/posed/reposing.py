"""What a Pose-with-Style network is given of a source and of the pose it shall take, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

OUTSIDE = -10.0
"""Of a flow: a coordinate that is in no picture, for what the source does not show."""


class Garment(NamedTuple):
    """What another person wears, and where it shall be.

    Attributes:
        picture, silhouette, flow: as of `Reposing`, of that person.
        mask: [1 or N, 1, H, W], 1 where the target shows the garment; between 0 and 1 for a part of both.
    """

    picture: Tensor
    silhouette: Tensor
    flow: Tensor
    mask: Tensor


class Reposing(NamedTuple):
    """A source and the pose that it shall take.

    Attributes:
        picture: [N, 3, H, W], about [-1, 1].
        silhouette: [N, 1, H, W], 0 or 1.
        pose: I, U, V of the target, 0 to 255, as float32 [N, 3, H, W].
        flow: [N, 2, H, W], for each pixel of the target where it is in the source: x, y in [-1, 1].
        garment: of another person, or None.
    """

    picture: Tensor
    silhouette: Tensor
    pose: Tensor
    flow: Tensor
    garment: Garment | None = None

    @property
    def body(self) -> Tensor:
        """Where the target shows the body, [N, 1, H, W], 0 or 1."""
        return (self.pose[:, :1] != 0).to(self.flow.dtype)

    def to(self, device: torch.device) -> Reposing:
        """The same on a device."""
        worn = None if self.garment is None else Garment(*(x.to(device) for x in self.garment))
        own = (self.picture, self.silhouette, self.pose, self.flow)
        picture, silhouette, pose, flow = (x.to(device) for x in own)
        return Reposing(picture, silhouette, pose, flow, worn)


def flow_of(
    coordinates: Tensor,
    places: Tensor,
    body: Tensor,
    slip: bool = False,
    size: int | None = None,
    known: Tensor | None = None,
) -> Tensor:
    """Coordinates looked up in the atlas for each pixel of the target.

    Args:
        coordinates: [N, 2, A, A]: x, y in the source at each place of the atlas, −1 at the centre of its first pixel and 1 at
            that of its last.
        places: [N, 2, H, W]: (U, V) of each of the target's pixels in the atlas, 0 to 1.
        body: [N, 1, H, W], where there are any; elsewhere the middle of the atlas is taken.
        slip: as the published program: both the atlas and the result are read as if −1 and 1 were the outer edges.
        size: pixels of a side of the source, None for that of the target.
        known: [N, 1, A, A], which places of the atlas count, where not all do; without any around it a pixel is `OUTSIDE`.

    Returns:
        [N, 2, H, W], −1 and 1 at the outer edges of the picture (`torch.nn.functional.grid_sample`), but for the slip.
    """
    u, v = places[:, :1], places[:, 1:]
    grid = torch.cat([2 * u - 1, 2 * (1 - v) - 1], dim=1) * body
    where = grid.permute(0, 2, 3, 1)
    if known is not None:
        found = F.grid_sample(coordinates * known, where, align_corners=not slip)
        weight = F.grid_sample(known, where, align_corners=not slip) * body
        found = torch.where(weight > 1e-3, found / weight.clamp_min(1e-3), OUTSIDE)
    else:
        found = F.grid_sample(coordinates, where, align_corners=not slip)
    if slip:
        return found
    n = size or places.shape[-1]
    return found * ((n - 1) / n)


def part_mask(parts: Tensor, places: Tensor, body: Tensor, wanted: Sequence[int]) -> Tensor:
    """Where the target shows some parts of the body.

    Args:
        parts: [A, A], the part at each place of the atlas, less one.
        places, body: as of `flow_of`.
        wanted: numbers of parts, 1 to 24, such as `surface.GARMENTS`.

    Returns:
        [N, 1, H, W], 0 or 1.
    """
    count = len(places)
    picture = parts.to(places.dtype).expand(count, 1, -1, -1)
    u, v = places[:, :1], places[:, 1:]
    grid = torch.cat([2 * u - 1, 2 * (1 - v) - 1], dim=1) * body
    found = F.grid_sample(picture, grid.permute(0, 2, 3, 1), align_corners=False).round()
    numbers = torch.tensor([part - 1 for part in wanted], dtype=found.dtype, device=found.device)
    return torch.isin(found, numbers).to(places.dtype) * body
