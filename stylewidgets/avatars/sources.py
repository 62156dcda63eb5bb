"""Avatars as sources of Pose with Style: part and place on the surface come from the renderer, and so does the exact way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.checks import unknown_name
from ..generators.posed.reposing import OUTSIDE, Reposing, flow_of
from ..generators.posed.surface import written_down
from ..latent.pose import Pose
from .drawing.poses import Stance, carrier, flow_between
from .drawing.renderer import PARTS, Render, render
from .pulling import angles_of
from .world.groups import HEAD, columns

WAYS = ("exact", "atlas")
_COLUMNS = 6
_ROWS = -(-(len(PARTS) - 1) // _COLUMNS)
_MARGIN = 0.05
_HEAD_ROWS = 0.75  # of v: what is not of the head is below, see `drawing.truth`


@dataclass(frozen=True, eq=False)
class Figure:
    """An avatar as the source of a generator that draws it in other poses.

    Args:
        factors: a row [F] or [1, F] in natural units, as `sample` gives.
        groups: of factors that the row has; with "body" it is drawn as a half figure, else as a head.
        way: "exact" brings each pixel of the target back into the source by its depth, and knows what is hidden; "atlas" looks
            it up by part, u and v in what the source shows, as the published program does with people.
        size: places on a side of the atlas.

    Raises:
        ValueError: a row of another length, or an unknown way.
    """

    factors: Tensor | NDArray[np.float32]
    groups: Sequence[str] = HEAD
    way: str = "exact"
    size: int = 256

    def __post_init__(self) -> None:
        row = torch.from_numpy(np.array(self.factors, np.float32)).reshape(-1, np.shape(self.factors)[-1])
        if len(row) != 1:
            raise ValueError(f"a figure is one row of factors; {len(row)} were given")
        columns(tuple(self.groups)).check(row.shape, "Figure")
        if self.way not in WAYS:
            raise unknown_name("way from a target to its source", self.way, WAYS)
        object.__setattr__(self, "factors", row)
        object.__setattr__(self, "groups", tuple(self.groups))

    @property
    def framing(self) -> str:
        """ "half" with a body, else "head"."""
        return "half" if "body" in self.groups else "head"

    @property
    def angles(self) -> dict[str, float]:
        """Its own pose in degrees: yaw, pitch and roll of the head, and those of `world.body.POSE` where it has a body."""
        index = columns(tuple(self.groups)).index
        return {name: float(self._row[0, index[name]]) for name in angles_of(self.groups)}

    @property
    def _row(self) -> Tensor:
        assert isinstance(self.factors, Tensor)
        return self.factors

    def digest(self) -> str:
        """A SHA-256: what `Latent.source` calls it."""
        text = f"figure {self.groups} {self.way} {self.size} "
        return hashlib.sha256(text.encode() + self._row.numpy().tobytes()).hexdigest()

    def posed(self, pose: Pose) -> Tensor:
        """The factors [1, F] of this avatar in a pose.

        Raises:
            ValueError: an angle that it does not have, or one out of its range; or the pose of an IUV picture.
        """
        if pose.iuv is not None:
            raise ValueError("an avatar takes angles, such as Pose(yaw=20); an IUV picture was given")
        known = columns(tuple(self.groups))
        row = self._row.clone()
        for name, value in pose.angles.items():
            if name not in self.angles:
                raise unknown_name("angle of this avatar", name, tuple(self.angles))
            factor = known.factors[known.index[name]]
            if not factor.low <= value <= factor.high:
                raise ValueError(
                    f"{name} of this avatar is from {factor.low:g} to {factor.high:g} degrees; {value:g} was given"
                )
            row[0, known.index[name]] = value
        return row

    def reposing(self, pose: Pose, surface: object, size: int, slip: bool) -> Reposing:
        """What a network of so many pixels is given; see `generators.posed.Source`."""
        target = Stance.of(self.posed(pose), size, self.groups, self.framing, ("uv",))
        own, wanted = self._own(size), target.drawn
        silhouette = (own.drawn.part > 0)[:, None].float()
        pose_map = torch.cat([wanted.part[:, None].float(), wanted.uv.clamp(min=0) * 255], dim=1)
        return Reposing(own.drawn.image, silhouette, pose_map, self.flow(target, size, slip))

    def flow(self, target: Stance, size: int, slip: bool) -> Tensor:
        """Where in the source each pixel of the target is, [1, 2, size, size], by the figure's own `way`."""
        if self.way == "exact":
            way = flow_between(self._own(size), target)
            at = way.places * (2 / size) - 1
            return torch.where(way.seen[..., None], at, OUTSIDE).permute(0, 3, 1, 2)
        coordinates, known = self._written(size)
        body = (target.drawn.part > 0)[:, None].float()
        return flow_of(coordinates, atlas_places(target.drawn), body, slip, size, known)

    def _own(self, size: int) -> Stance:
        """The source as it stands: drawn once for each size, since a drag asks with every frame."""
        if size not in self._stances:
            with torch.inference_mode(False), torch.no_grad():  # it may go on into something that is learned
                self._stances[size] = Stance.of(self._row, size, self.groups, self.framing, ("image", "uv"))
        return self._stances[size]

    def drawn(self, factors: Tensor, size: int, *outputs: str) -> Render:
        """The renderer's outputs for factors [N, F] of these groups."""
        return render(factors, size, outputs=outputs, groups=self.groups, framing=self.framing)

    def _written(self, size: int) -> tuple[Tensor, Tensor]:
        """The source's pixels in the atlas, x and y in [-1, 1], and where they are known."""
        if size not in self._atlases:
            seen = self._own(size).drawn
            y, x = np.nonzero(seen.part[0].numpy())
            at = atlas_places(seen)[0].permute(1, 2, 0).numpy()[y, x]
            found, known = written_down(at, np.stack([x, y], axis=1), self.size)
            coordinates = torch.from_numpy(2 * found / (size - 1) - 1).float().permute(2, 0, 1)[None]
            self._atlases[size] = coordinates, torch.from_numpy(known)[None, None].float()
        return self._atlases[size]

    @cached_property
    def _stances(self) -> dict[int, Stance]:
        return {}

    @cached_property
    def _atlases(self) -> dict[int, tuple[Tensor, Tensor]]:
        return {}


def atlas_places(drawn: Render) -> Tensor:
    """(u, v) in an atlas of avatars, [N, 2, H, W] from 0 to 1: a cell for each part, in it the part's own u and v."""
    part = drawn.part.long()
    u, v = drawn.uv.unbind(1)
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
