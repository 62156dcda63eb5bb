"""Closed-form geometry of the avatar world: frames, ellipsoids, the head surface and the z-buffer.

Orthographic rays run along the camera's z axis (towards the viewer is +z), x to the right, y up. The unit of length is half
the height of the head. A depth is solved per pixel in closed form, so nothing is meshed and edges are exact at any resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

VIEW = 1.0 / 0.62  # half the height of the picture, in head units: the head fills 62 % of it
VIEW_Y = -0.13  # the height that the middle of the picture shows, in head units


class Framing(NamedTuple):
    """What of the camera plane a picture shows, in head units."""

    view: float = VIEW
    middle: float = VIEW_Y


FRAMINGS = {"head": Framing(), "half": Framing(2.8, -1.3)}
"""Head and neck; or from above the head to the hips."""

PIVOT = (0.0, -0.55, -0.1)  # the head nods and tilts about the top of the neck
FAR = -10.0  # depth of the background


def rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Head to camera, [N, 3, 3]. Degrees [N]: yaw to the picture's right, pitch up, roll anticlockwise."""
    y, p, r = torch.deg2rad(yaw), torch.deg2rad(-pitch), torch.deg2rad(roll)
    zero, one = torch.zeros_like(y), torch.ones_like(y)

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, -1).view(-1, 3, 3)

    turn = matrix(y.cos(), zero, y.sin(), zero, one, zero, -y.sin(), zero, y.cos())
    nod = matrix(one, zero, zero, zero, p.cos(), -p.sin(), zero, p.sin(), p.cos())
    tilt = matrix(r.cos(), -r.sin(), zero, r.sin(), r.cos(), zero, zero, zero, one)
    return tilt @ turn @ nod


def off_zero(x: Tensor) -> Tensor:
    """x, and 1e-6 where it is nearer to 0: what a ray is divided by that may run along a plane."""
    return torch.where(x.abs() < 1e-6, 1e-6, x)


@dataclass(frozen=True)
class Frame:
    """Camera to local coordinates, affine per picture: local = base + ux X + uy Y + uz Z; every field [N, 3]."""

    base: Tensor
    ux: Tensor
    uy: Tensor
    uz: Tensor
    matrix: Tensor  # local to camera, [N, 3, 3]

    @classmethod
    def of(cls, matrix: Tensor) -> Frame:
        """The frame that `matrix` [N, 3, 3] turns about PIVOT."""
        pivot = torch.tensor(PIVOT, dtype=matrix.dtype, device=matrix.device)
        base = pivot - (matrix.transpose(1, 2) * pivot).sum(2)
        return cls(base, matrix[:, 0], matrix[:, 1], matrix[:, 2], matrix)

    def rows(self, index: Tensor | slice | None) -> Frame:
        """The frame of some pictures of the batch; None means all."""
        if index is None:
            return self
        return Frame(self.base[index], self.ux[index], self.uy[index], self.uz[index], self.matrix[index])

    def project(self, points: Tensor) -> Tensor:
        """Local points [N, K, 3] to camera coordinates [N, K, 3]."""
        pivot = torch.tensor(PIVOT, dtype=points.dtype, device=points.device)
        return (points - pivot) @ self.matrix.transpose(1, 2) + pivot


class Window(NamedTuple):
    """A rectangle of the picture and the pictures of the batch that it is about (None: all of them)."""

    rows: Tensor | None
    ys: slice
    xs: slice


@dataclass
class Canvas:
    """The z-buffer of one batch: depth and its slopes [N, H, W], and which part is in front (uint8)."""

    x: Tensor  # [W] camera x of the pixel centres
    y: Tensor  # [H]
    depth: Tensor
    slope_x: Tensor
    slope_y: Tensor
    part: Tensor
    framing: Framing = FRAMINGS["head"]

    @classmethod
    def empty(cls, n: int, size: int, like: Tensor, framing: Framing = FRAMINGS["head"]) -> Canvas:
        """An empty square canvas; dtype and device of `like`."""
        view, middle = framing
        steps = (torch.arange(size, dtype=like.dtype, device=like.device) + 0.5) * (2 * view / size) - view
        depth = like.new_full((n, size, size), FAR)
        zero = torch.zeros_like(depth)
        part = torch.zeros_like(depth, dtype=torch.uint8)
        return cls(steps, middle - steps, depth, zero, zero.clone(), part, framing)

    @property
    def pixel(self) -> float:
        """Size of a pixel in head units."""
        return 2 * self.framing.view / self.x.shape[0]

    def window(self, rows: Tensor | None, x: tuple[float, float], y: tuple[float, float]) -> Window:
        """The smallest window that holds the camera rectangle x = (low, high), y = (low, high)."""
        size = self.x.shape[0]
        view, middle = self.framing

        def clip(v: float) -> int:
            return min(max(int(v), 0), size)

        left, right = clip((x[0] + view) / self.pixel - 1), clip((x[1] + view) / self.pixel + 2)
        top, bottom = clip((middle + view - y[1]) / self.pixel - 1), clip((middle + view - y[0]) / self.pixel + 2)
        return Window(rows, slice(top, max(top, bottom)), slice(left, max(left, right)))

    def affine(self, window: Window, constant: Tensor, cx: Tensor, cy: Tensor) -> Tensor:
        """constant + cx X + cy Y over a window, [n, h, w]; coefficients [n]."""
        column = constant[:, None] + cy[:, None] * self.y[window.ys]
        return column[:, :, None] + (cx[:, None] * self.x[window.xs])[:, None, :]

    def local(self, window: Window, frame: Frame, axis: int, depth: Tensor) -> Tensor:
        """One local coordinate of the points at `depth` [n, h, w]; `frame` holds the window's pictures."""
        flat = self.affine(window, frame.base[:, axis], frame.ux[:, axis], frame.uy[:, axis])
        return flat.addcmul_(frame.uz[:, axis, None, None], depth)

    def read(self, buffer: Tensor, window: Window) -> Tensor:
        """A window of a [N, H, W] or [N, C, H, W] buffer: a view for all pictures, a copy for some."""
        view = buffer[..., window.ys, window.xs]
        return view if window.rows is None else view[window.rows]

    def write(self, buffer: Tensor, window: Window, value: Tensor) -> None:
        """The inverse of `read`."""
        view = buffer[..., window.ys, window.xs]
        if window.rows is None:
            view.copy_(value)
        else:
            view[window.rows] = value

    def place(self, window: Window, hit: Hit, part: int | Tensor, keep: Tensor | None = None) -> None:
        """Put a surface into the z-buffer where it is nearer than what is there (and where `keep` holds). `part` is one
        for all pictures, or uint8 [n, 1, 1]."""
        depth = self.read(self.depth, window)
        nearer = hit.depth > depth
        if keep is not None:
            nearer &= keep
        self.write(self.slope_x, window, torch.where(nearer, hit.slope_x, self.read(self.slope_x, window)))
        self.write(self.slope_y, window, torch.where(nearer, hit.slope_y, self.read(self.slope_y, window)))
        before = self.read(self.part, window)
        new = torch.where(nearer, part, before) if isinstance(part, Tensor) else before.masked_fill(nearer, part)
        self.write(self.part, window, new)
        self.write(self.depth, window, torch.where(nearer, hit.depth, depth))


class Hit(NamedTuple):
    """A surface seen through a window: depth (FAR where missed) and slopes dz/dx, dz/dy, each [n, h, w]."""

    depth: Tensor
    slope_x: Tensor
    slope_y: Tensor
    back: Tensor | None = None  # depth of the far side, [n, h, w]


def bounds(frame: Frame, centre: Tensor, radii: Tensor) -> tuple[tuple[float, float], tuple[float, float]]:
    """The camera rectangle that holds ellipsoids [n, 3] of every picture."""
    middle = frame.project(centre[:, None])[:, 0]
    reach = ((frame.matrix * radii[:, None]) ** 2).sum(2).sqrt()
    low, high = (middle - reach).amin(0).tolist(), (middle + reach).amax(0).tolist()
    return (low[0], high[0]), (low[1], high[1])


class Quadric(NamedTuple):
    """z = plane(X, Y) + sqrt(square(X, Y)): plane [..., 3] = (1, X, Y), square [..., 6] = (1, X, Y, XX, XY, YY)."""

    plane: Tensor
    square: Tensor


def quadric(frame: Frame, centre: Tensor, radii: Tensor) -> Quadric:
    """The front of ellipsoids with centre and radii [n, 3] (or [n, K, 3]) in local axes, as seen along z."""
    shape = (slice(None),) + (None,) * (centre.ndim - 2)
    u, v, w = (a[shape] / radii for a in (frame.ux, frame.uy, frame.uz))
    o = (frame.base[shape] - centre) / radii

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum(-1)

    a = dot(w, w)
    p0, px, py = -dot(w, o) / a, -dot(w, u) / a, -dot(w, v) / a
    square = torch.stack(
        [
            p0 * p0 - (dot(o, o) - 1) / a,
            2 * (p0 * px - dot(o, u) / a),
            2 * (p0 * py - dot(o, v) / a),
            px * px - dot(u, u) / a,
            2 * (px * py - dot(u, v) / a),
            py * py - dot(v, v) / a,
        ],
        -1,
    )
    return Quadric(torch.stack([p0, px, py], -1), square)


def ellipsoid(
    canvas: Canvas, frame: Frame, rows: Tensor | None, centre: Tensor, radii: Tensor, back: bool = False
) -> tuple[Window, Hit]:
    """Solve ellipsoids, one a picture: centre, radii [n, 3] in the axes of `frame` (which holds the same pictures)."""
    window = canvas.window(rows, *bounds(frame, centre, radii))
    plane, square = quadric(frame, centre, radii)
    x, y = canvas.x[window.xs], canvas.y[window.ys]
    s0, sx, sy, sxx, sxy, syy = (c[:, None] for c in square.unbind(-1))
    root = (s0 + sy * y + syy * y * y)[:, :, None] + (sx * x + sxx * x * x)[:, None, :]
    root.addcmul_((sxy * y)[:, :, None], x)
    missed = root <= 0
    root = root.clamp_(min=1e-6).sqrt_()
    middle = canvas.affine(window, *plane.unbind(-1))
    depth = (middle + root).masked_fill_(missed, FAR * 2)
    far = (middle - root).masked_fill_(missed, FAR * 2) if back else None
    inverse = root.reciprocal_()
    slope_x = canvas.affine(window, sx[:, 0] / 2, sxx[:, 0], sxy[:, 0] / 2).mul_(inverse).add_(plane[:, 1, None, None])
    slope_y = canvas.affine(window, sy[:, 0] / 2, sxy[:, 0] / 2, syy[:, 0]).mul_(inverse).add_(plane[:, 2, None, None])
    return window, Hit(depth, slope_x, slope_y, far)


def cluster(canvas: Canvas, frame: Frame, rows: Tensor, centres: Tensor, radii: Tensor) -> tuple[Window, Hit]:
    """The front of K spheres a picture: centres [n, K, 3], radii [n, K] (0 or less: no sphere)."""
    reach = radii.amax(1, keepdim=True).expand(-1, 3)
    boxes = [bounds(frame, centres[:, k], reach) for k in range(centres.shape[1])]
    window = canvas.window(
        rows,
        (min(b[0][0] for b in boxes), max(b[0][1] for b in boxes)),
        (min(b[1][0] for b in boxes), max(b[1][1] for b in boxes)),
    )
    middle = frame.project(centres)
    dx = canvas.x[window.xs] - middle[:, :, 0, None]  # [n, K, w]
    dy = canvas.y[window.ys] - middle[:, :, 1, None]
    root = (radii[:, :, None] * radii.abs()[:, :, None] - dy * dy)[:, :, :, None] - (dx * dx)[:, :, None, :]
    depth = root.clamp(min=0).sqrt_().add_(middle[:, :, 2, None, None]).masked_fill_(root <= 0, FAR * 2)
    best, which = depth.max(1)
    size = which.shape

    def of_best(values: Tensor) -> Tensor:
        return values.gather(1, which.flatten(1)).view(size)

    rise = (best - of_best(middle[:, :, 2])).clamp_(min=1e-3)
    slope_x = (of_best(middle[:, :, 0]) - canvas.x[window.xs]) / rise
    slope_y = (of_best(middle[:, :, 1]) - canvas.y[window.ys][:, None]) / rise
    return window, Hit(best, slope_x, slope_y)
