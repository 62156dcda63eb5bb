"""The surface of the torso in body coordinates: shoulders like half an ellipsoid, then waist and hips, closed below."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .geometry import FAR, Canvas, Frame, Hit, Window, off_zero

WIDTH, DEPTH = 1.0, 0.62  # half the torso at the chest, in head units
MIDDLE = -0.25  # z of its axis
CHEST, END = -2.17, -4.1  # between these heights it is a tube
TOP, BOTTOM = 0.93, 0.4  # how far it is rounded above and below the tube
WAIST = -3.18
HEM = -3.62  # where the jumper ends and trousers begin
_NARROW = 0.54
_HIPS = 1.45  # how far below the chest hips are no longer growing


def profile(y: Tensor) -> tuple[Tensor, Tensor]:
    """How wide the tube is at a height, as a share of the chest, and how it grows downwards."""
    q = (CHEST - y).clamp(0, _HIPS)
    width = 1 - _NARROW * q * q * (1 - q / 1.5)
    slope = -_NARROW * q * (2 - 2 * q)
    return width, slope * (q < _HIPS)


def room(x: Tensor, y: Tensor, z: Tensor, margin: float) -> Tensor:
    """How far body coordinates are from the torso with `margin` around it: below 0 inside of that, 0 on it; 3 is twice as far
    from its axis."""
    width, _ = profile(y)
    end = (y - y.clamp(END, CHEST)) / (TOP + margin)
    return (x / (WIDTH * width + margin)) ** 2 + ((z - MIDDLE) / (DEPTH * width + margin)) ** 2 + end * end - 1


def intersect(canvas: Canvas, frame: Frame, window: Window, rounds: int) -> Hit:
    """Where rays meet the torso: as for the head, the width at a height is held fixed, the quadratic solved, and the
    height corrected."""
    flat = [canvas.affine(window, frame.base[:, k], frame.ux[:, k], frame.uy[:, k]) for k in range(3)]
    dx, dy, dz = (frame.uz[:, k, None, None] for k in range(3))
    px, pz = flat[0] / WIDTH, (flat[2] - MIDDLE) / DEPTH
    ex, ez = dx / WIDTH, dz / DEPTH
    across, along, out = ex * ex + ez * ez, px * ex + pz * ez, px * px + pz * pz
    z = (MIDDLE + DEPTH - flat[2]) / off_zero(dz)
    for _ in range(rounds):
        y = flat[1] + dy * z
        width, slope = profile(y)
        level = y.clamp(END, CHEST)
        ends = torch.where(y > CHEST, 1 / TOP**2, torch.where(y < END, 1 / BOTTOM**2, 0.0))
        thin = (width * width).reciprocal_()
        offset = flat[1] - level
        a = across * thin + dy * dy * ends
        b = along * thin + offset * dy * ends
        root = b * b - a * (out * thin + offset * offset * ends - 1)
        z = (root.clamp(min=1e-9).sqrt() - b) / a
    x, y, deep = px + ex * z, flat[1] + dy * z, pz + ez * z
    nx, nz = x * thin / WIDTH, deep * thin / DEPTH
    ny = (y - level) * ends + (x * x + deep * deep) * thin / width * slope
    m = frame.matrix
    cx, cy, cz = (
        m[:, k, 0, None, None] * nx + m[:, k, 1, None, None] * ny + m[:, k, 2, None, None] * nz for k in range(3)
    )
    cz = -cz.clamp(min=0.03).reciprocal()
    return Hit(torch.where(root > 0, z, z.new_tensor(2 * FAR)), cx * cz, cy * cz)


def torso_uv(points: Tensor) -> Tensor:
    """Body coordinates [..., 3] of the torso to (u, v) [..., 2] in [0, 1]: longitude, 0.5 straight ahead, and height from the
    neck down."""
    x, y, z = points.unbind(-1)
    top, low = CHEST + TOP + 0.1, END - BOTTOM
    return torch.stack([0.5 + torch.atan2(x, z - MIDDLE) / (2 * math.pi), ((top - y) / (top - low)).clamp(0, 1)], -1)
