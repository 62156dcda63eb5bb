"""Cameras of EG3D: 25 numbers, the camera's place in the world and its intrinsics, and the rays through its pixels.

The world's y goes up and a face looks along z. A camera stands on a sphere around the origin and looks at a point, the pivot;
its own x goes to the right of the picture, y down and z into it (Chan et al., CVPR 2022, and their program).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..protocol import Rays
from .config import TriPlaneConfig

LABEL = 25


def label_of(config: TriPlaneConfig, angles: Tensor, fov: float | None = None, radius: float | None = None) -> Tensor:
    """The 25 numbers of cameras: a matrix [4, 4] from camera to world, row by row, and intrinsics [3, 3] for a picture of side 1.

    Args:
        config: of the scene; says pivot, and radius and focal length where they are not given.
        angles: yaw, pitch, roll of the head in the picture [N, 3] in degrees, as of `Camera`; differentiable.
        fov: over the picture's side, in degrees. Public programs give it over the diagonal: 18.837 there is 13.4 here.
        radius: of the sphere around the origin.
    """
    yaw, pitch, roll = (angles * (math.pi / 180)).unbind(dim=1)
    pivot = angles.new_tensor(config.pivot)
    # From the pivot to the camera. A head that turns to the right of the picture is one that is seen from its other side.
    away = torch.stack([-yaw.sin() * pitch.cos(), -pitch.sin(), yaw.cos() * pitch.cos()], dim=1)
    along = away @ pivot
    reach = config.radius if radius is None else radius
    # Where that line leaves the sphere; a radius that does not enclose the pivot is counted from it.
    inside = along.square() - pivot.square().sum() + reach * reach
    far = torch.where(inside > along.square(), -along + inside.clamp_min(1e-12).sqrt(), torch.full_like(along, reach))
    place = pivot + away * far[:, None]
    right = torch.stack([yaw.cos(), torch.zeros_like(yaw), yaw.sin()], dim=1)
    down = torch.linalg.cross(-away, right, dim=1)
    cosine, sine = roll.cos()[:, None], roll.sin()[:, None]
    axes = torch.stack([right * cosine - down * sine, right * sine + down * cosine, -away, place], dim=2)
    last = angles.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(len(angles), 1, 4)
    world = torch.cat([axes, last], dim=1).flatten(1)
    focal = config.focal if fov is None else 0.5 / math.tan(math.radians(fov) / 2)
    intrinsics = angles.new_tensor([focal, 0.0, 0.5, 0.0, focal, 0.5, 0.0, 0.0, 1.0])
    return torch.cat([world, intrinsics.expand(len(angles), -1)], dim=1)


def rays_of(label: Tensor, height: int, width: int) -> Rays:
    """The rays of cameras [N, 25], one through the middle of each pixel; directions have length 1."""
    world, inner = label[:, :16].reshape(-1, 4, 4), label[:, 16:].reshape(-1, 3, 3)
    down, right = ((torch.arange(n, dtype=torch.float32, device=label.device) + 0.5) / n for n in (height, width))
    v, u = (line.reshape(1, -1) for line in torch.meshgrid(down, right, indexing="ij"))
    fx, fy, cx, cy, skew = (inner[:, i, j, None] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2), (0, 1)))
    y = (v - cy) / fy
    x = (u - cx - skew * y) / fx
    local = torch.stack([x, y.expand_as(x), torch.ones_like(x)], dim=2)
    directions = torch.nn.functional.normalize(local @ world[:, :3, :3].transpose(1, 2), dim=2)
    return Rays(world[:, None, :3, 3].expand_as(directions), directions)
