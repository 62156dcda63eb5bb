"""The surface of the head: an ellipsoid whose width changes with height (cheeks, jaw, chin)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .geometry import FAR, Canvas, Frame, Hit, Window, off_zero

DEPTH = 0.88  # half the depth of the head, in head units


class HeadShape(NamedTuple):
    """Per picture [N]: half width, and how fast the face narrows towards the chin."""

    width: Tensor
    taper: Tensor

    def rows(self, index: Tensor | None) -> HeadShape:
        """The shapes of some pictures; None means all."""
        return self if index is None else HeadShape(self.width[index], self.taper[index])

    def front(self, x: Tensor, y: Tensor) -> Tensor:
        """Height z of the face at local (x, y), each [N, K]: where a point painted on the face is."""
        low = y.clamp(max=0)
        width = self.width[:, None] * (1.03 - self.taper[:, None] * low * low)
        return DEPTH * (1 - (x / width) ** 2 - y * y).clamp(min=0).sqrt() + 0.1 * low * low


def head_shape(face_width: Tensor, jaw: Tensor) -> HeadShape:
    """Shape from the factors face_width and jaw, both [N] in [-1, 1]."""
    return HeadShape(0.80 + 0.1 * face_width, 0.22 - 0.23 * jaw)


def intersect(canvas: Canvas, frame: Frame, shape: HeadShape, window: Window, rounds: int = 3) -> Hit:
    """Where rays meet the head. The width at a height is held fixed, the quadratic solved, and the height corrected:
    three rounds are enough where rays are nearly level in the head's frame (pitch up to 15 degrees)."""
    flat = [canvas.affine(window, frame.base[:, k], frame.ux[:, k], frame.uy[:, k]) for k in range(3)]
    dx, dy, dz = (frame.uz[:, k, None, None] for k in range(3))
    width, taper = shape.width[:, None, None], shape.taper[:, None, None]
    constant = (dz / DEPTH) ** 2 + dy * dy
    z = (0.55 - flat[2]) / off_zero(dz)
    for _ in range(rounds):
        low = (flat[1] + dy * z).clamp_(max=0)
        square = low * low
        inverse = (width * (1.03 - taper * square)).reciprocal_()
        px, ex = flat[0] * inverse, dx * inverse
        pz = (flat[2] - 0.1 * square).mul_(1 / DEPTH)
        a = (ex * ex).add_(constant)
        b = (ex * px).addcmul_(pz, dz / DEPTH).addcmul_(flat[1], dy)
        c = (px * px).addcmul_(pz, pz).addcmul_(flat[1], flat[1]).sub_(1)
        root = b * b - a * c
        z = (root.clamp(min=0).sqrt_() - b).div_(a)
    x, y = flat[0] + dx * z, flat[1] + dy * z
    # the gradient of the implicit function, in head axes
    nx = x * inverse * inverse
    nz = (flat[2] + dz * z - 0.1 * square) / (DEPTH * DEPTH)
    ny = y + (2 * taper * low) * (x * nx) * width * inverse - nz * (0.2 * low)
    m = frame.matrix
    cx, cy, cz = (
        m[:, k, 0, None, None] * nx + m[:, k, 1, None, None] * ny + m[:, k, 2, None, None] * nz for k in range(3)
    )
    cz = -cz.clamp_(min=0.03).reciprocal_()
    return Hit(torch.where(root > 0, z, z.new_tensor(2 * FAR)), cx * cz, cy * cz)
