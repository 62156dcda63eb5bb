"""Rays of a camera, as published and as the avatars have it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..protocol import Rays
from .config import StyleNeRFConfig


def pixel_grid(height: int, width: int, like: Tensor, roll: float = 0.0) -> Tensor:
    """Centres of pixels [H·W, 2] in reading order, ± (1 − 1/n) from edge to edge, x to the right and y up, turned by `roll`
    radians."""
    x = (2 * torch.arange(width, dtype=like.dtype, device=like.device) + 1) / width - 1
    y = 1 - (2 * torch.arange(height, dtype=like.dtype, device=like.device) + 1) / height
    x, y = x.expand(height, -1).flatten(), y[:, None].expand(-1, width).flatten()
    cos, sin = math.cos(roll), math.sin(roll)
    return torch.stack([x * cos + y * sin, y * cos - x * sin], dim=-1)


def sphere_camera(azimuth: Tensor, polar: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """The camera on a sphere, z up, that looks at its middle: angles in radians and radius [N] → rotation from camera to world
    [N, 3, 3], whose columns are right, up and back, and position [N, 3]."""
    back = torch.stack([polar.sin() * azimuth.cos(), polar.sin() * azimuth.sin(), polar.cos()], dim=-1)
    up = back.new_tensor([0.0, 0.0, 1.0]).expand_as(back)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=-1)
    return torch.stack([right, torch.linalg.cross(back, right), back], dim=-1), back * radius[:, None]


def perspective_rays(turn: Tensor, position: Tensor, pixels: Tensor, fov: float) -> Rays:
    """Rays through `pixels` [R, 2], whose t is the depth along the optical axis: directions are not normalised.

    Args:
        turn, position: as of `sphere_camera`.
        fov: degrees.
    """
    reach = math.tan(math.radians(fov) / 2)
    local = torch.cat([pixels * reach, -torch.ones_like(pixels[:, :1])], dim=-1)
    directions = local @ turn.transpose(1, 2)
    return Rays(position[:, None].expand_as(directions), directions)


def head_turn(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Scene to camera [N, 3, 3] for a head that has turned by these degrees [N]: yaw to the picture's right, pitch up, roll
    clockwise."""
    y, p, r = torch.deg2rad(yaw), torch.deg2rad(-pitch), torch.deg2rad(-roll)
    zero, one = torch.zeros_like(y), torch.ones_like(y)

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, -1).view(-1, 3, 3)

    turn = matrix(y.cos(), zero, y.sin(), zero, one, zero, -y.sin(), zero, y.cos())
    nod = matrix(one, zero, zero, zero, p.cos(), -p.sin(), zero, p.sin(), p.cos())
    tilt = matrix(r.cos(), -r.sin(), zero, r.sin(), r.cos(), zero, zero, zero, one)
    return tilt @ turn @ nod


def orthographic_rays(config: StyleNeRFConfig, turn: Tensor, pixels: Tensor, fov: float, radius: float) -> Rays:
    """Parallel rays through `pixels` [R, 2] of a scene turned by `turn` [N, 3, 3] about the pivot of ``config.middle``; t is the
    depth from a plane at `radius` before the scene's origin. Axes are the avatars': x right, y up, z to the viewer."""
    *pivot, lift = config.middle
    about = turn.new_tensor(pivot)
    half = radius * math.tan(math.radians(fov) / 2)
    seen = torch.cat([pixels * half, pixels.new_full((len(pixels), 1), radius)], dim=-1) + pixels.new_tensor(
        [0.0, lift, 0.0]
    )
    origins = (seen - about) @ turn + about
    return Rays(origins, (-turn[:, 2])[:, None].expand_as(origins))


def rays_of(config: StyleNeRFConfig, pose: Tensor, pixels: Tensor, fov: float | None, radius: float | None) -> Rays:
    """The rays of cameras that see heads turned by `pose` [N, 3] (yaw, pitch, roll in degrees), through `pixels` [R, 2]."""
    fov, radius = fov or config.fov, radius or config.radius
    if config.projection == "orthographic":
        return orthographic_rays(config, head_turn(*pose.unbind(dim=1)), pixels, fov, radius)
    # A head that looks along x seems to turn to the right when the camera goes to the left, and up when it goes down.
    azimuth, polar = -torch.deg2rad(pose[:, 0]), math.pi / 2 + torch.deg2rad(pose[:, 1])
    roll = torch.deg2rad(pose[:, 2])
    turn, position = sphere_camera(azimuth, polar, torch.full_like(azimuth, radius))
    cos, sin, zero, one = roll.cos(), roll.sin(), torch.zeros_like(roll), torch.ones_like(roll)
    tilt = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], dim=-1).view(-1, 3, 3)
    return perspective_rays(turn @ tilt, position, pixels, fov)
