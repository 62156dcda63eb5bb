"""Tapered limbs: the hull of two balls, solved per pixel in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .geometry import FAR, Canvas, Hit, Window


def span(canvas: Canvas, rows: Tensor | None, start: Tensor, end: Tensor, reach: float) -> Window:
    """The window that holds what is nearer than `reach` to the lines from `start` to `end`, [n, 3]."""
    low, high = torch.minimum(start, end).amin(0).tolist(), torch.maximum(start, end).amax(0).tolist()
    return canvas.window(rows, (low[0] - reach, high[0] + reach), (low[1] - reach, high[1] + reach))


def cone(
    canvas: Canvas, rows: Tensor | None, start: Tensor, end: Tensor, thick: Tensor, thin: Tensor
) -> tuple[Window, Hit]:
    """The front of the balls with centres from `start` to `end` [n, 3] and radii from `thick` to `thin` [n].

    With t in [0, 1] along the limb, the ball at t is met at height z(t) = z0 + dz t + sqrt(Q(t)), where
    Q = (r + dr t)^2 - |p - c - d t|^2 = a t^2 + b t + c is a concave quadratic. z is concave, too, and its maximum is where
    t = -b / 2a + dz sqrt(D / (-a m)), D = c - b^2 / 4a, m = |d|^2 + dz^2 - dr^2.
    """
    window = span(canvas, rows, start, end, float(torch.maximum(thick, thin).max()))
    dx, dy, dz = (end - start).unbind(1)
    dr = thin - thick
    flat = dr * dr - dx * dx - dy * dy
    a = flat.clamp(max=-1e-4)  # a limb that points at the viewer hides its own length
    m = (dx * dx + dy * dy + dz * dz - dr * dr).clamp(min=1e-4)
    x, y = canvas.x[window.xs] - start[:, :1], canvas.y[window.ys] - start[:, 1:2]
    c = (thick[:, None] ** 2 - y * y)[:, :, None] - (x * x)[:, None, :]
    b = (2 * (thick * dr)[:, None] + 2 * dy[:, None] * y)[:, :, None] + (2 * dx[:, None] * x)[:, None, :]
    wide = torch.addcmul(c, b * b, (-0.25 / a)[:, None, None])
    lift = wide.clamp(min=1e-9).mul_((1 / (-a * m))[:, None, None]).sqrt_()
    t = (b * (-0.5 / a)[:, None, None]).addcmul_(lift, dz[:, None, None]).clamp_(0, 1)
    square = (t * flat[:, None, None]).add_(b).mul_(t).add_(c)
    missed = (square <= 0) | (wide <= 0)
    root = square.clamp_(min=1e-6).sqrt_()
    depth = (root + start[:, 2, None, None]).addcmul_(t, dz[:, None, None]).masked_fill_(missed, FAR * 2)
    inverse = root.reciprocal_()
    slope_x = (t * dx[:, None, None]).sub_(x[:, None, :]).mul_(inverse)
    slope_y = (t * dy[:, None, None]).sub_(y[:, :, None]).mul_(inverse)
    return window, Hit(depth, slope_x, slope_y)


_ROUND = 0.3  # more than the radius of any joint: how far a limb's chart goes on beyond its ends, in head units


def limb_uv(points: Tensor, length: float) -> Tensor:
    """Limb coordinates [..., 3] to (u, v) [..., 2] in [0, 1]: the angle round the limb, 0.5 where the elbow bends to, and the way
    down it. A sleeve has the chart of the limb in it."""
    x, y, z = points.unbind(-1)
    v = ((_ROUND - y) / (length + 2 * _ROUND)).clamp(0, 1)
    return torch.stack([0.5 + torch.atan2(x, z) / (2 * math.pi), v], -1)
