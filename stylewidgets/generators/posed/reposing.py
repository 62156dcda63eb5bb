"""What a Pose-with-Style network is given of a source and of the pose it shall take, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

OUTSIDE = -10.0
"""Of a flow: a coordinate that is in no picture, for what the source does not show."""


class Exact(NamedTuple):
    """What is known of a surface besides, where nothing had to be estimated: that of avatars.

    Attributes:
        light: [N, 3, H, W], the direction of the light at each of the target's pixels, in the axes of the limb that it lies on; 0
            in the backdrop.
        source_light: the same at each of the source's pixels.
        known: [N, 1, H, W], 1 where the flow leads to that very point of the source, 0.5 where to the one that mirrors it, 0
            where nothing is known.
    """

    light: Tensor
    source_light: Tensor
    known: Tensor


class Garment(NamedTuple):
    """What another person wears, and where it shall be.

    Attributes:
        picture, silhouette, flow: as of `Reposing`, of that person.
        mask: [1 or N, 1, H, W], 1 where the target shows the garment; between 0 and 1 for a part of both.
        exact: as of `Reposing`, of that person.
    """

    picture: Tensor
    silhouette: Tensor
    flow: Tensor
    mask: Tensor
    exact: Exact | None = None


class Reposing(NamedTuple):
    """A source and the pose that it shall take.

    Attributes:
        picture: [N, 3, H, W], about [-1, 1].
        silhouette: [N, 1, H, W], 0 or 1.
        pose: I, U, V of the target, 0 to 255, as float32 [N, 3, H, W].
        flow: [N, 2, H, W], for each pixel of the target where it is in the source: x, y in [-1, 1].
        garment: of another person, or None.
        exact: what networks need whose config has ``parts``.
    """

    picture: Tensor
    silhouette: Tensor
    pose: Tensor
    flow: Tensor
    garment: Garment | None = None
    exact: Exact | None = None

    @property
    def body(self) -> Tensor:
        """Where the target shows the body, [N, 1, H, W], 0 or 1."""
        return (self.pose[:, :1] != 0).to(self.flow.dtype)

    def to(self, device: torch.device) -> Reposing:
        """The same on a device."""
        return Reposing(*(_moved(x, device) for x in self))


def _moved(x: Any, device: torch.device) -> Any:
    """A tensor on a device, or a tuple of such; None stays."""
    return type(x)(*(_moved(part, device) for part in x)) if isinstance(x, tuple) else x if x is None else x.to(device)


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
