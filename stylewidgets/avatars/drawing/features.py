"""What is painted on an avatar: eyes, brows, mouth, cheeks, moustache and glasses, as signed-distance shapes.

Shapes live in the head's own coordinates, so they turn with it. x is the picture's right when the head looks ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from . import palette
from .body import PART, Scene, hairline
from .geometry import Hit, Window, bounds, off_zero

REGIONS = (
    "background",
    "skin",
    "nose",
    "ears",
    "neck",
    "clothes",
    "hair",
    "hat",
    "beard",
    "eye_left",
    "eye_right",
    "brows",
    "mouth",
    "glasses",
    "mouth_inner",
)
"""The labels of the segmentation. "mouth" is the lips, "mouth_inner" what an open mouth shows: teeth, tongue and the dark."""

REGION = {name: i for i, name in enumerate(REGIONS)}

EYE_X, EYE_Y = 0.365, -0.06
BROW_Y = 0.265
MOUTH_Y = -0.575
GLASSES_Z = 0.9


@dataclass
class Face:
    """The window of the picture that the face is in, with what is painted so far."""

    scene: Scene
    window: Window
    v: Mapping[str, Tensor]  # factors, [N, 1, 1]
    x: Tensor  # local coordinates of the visible points, [N, h, w]
    y: Tensor
    z: Tensor
    skin: Tensor  # 1 where the face itself is in front, else 0
    albedo: Tensor  # [N, 3, h, w]
    label: Tensor  # uint8 [N, h, w]
    shade: Tensor  # extra factor on the light, [N, h, w]
    glow: Tensor  # how much the surface is lit evenly (eyes), [N, h, w]
    shine: Tensor  # strength of the highlight, [N, h, w]
    edge: float  # half a pixel, the softness of edges

    def inside(self, distance: Tensor) -> Tensor:
        """Coverage of a shape from its signed distance (negative inside), softened over a pixel."""
        return distance.mul(-0.5 / self.edge).add_(0.5).clamp_(0, 1)

    def paint(self, cover: Tensor, colour: Tensor, label: str | int | None = None) -> None:
        """Blend a colour [N, 3] over the albedo where `cover` [N, h, w] says; the label is one of REGIONS, or a number."""
        self.albedo.lerp_(colour[:, :, None, None].expand_as(self.albedo), cover[:, None])
        if label is not None:
            self.label.masked_fill_(cover > 0.5, REGION[label] if isinstance(label, str) else label)


def face_window(scene: Scene) -> Window:
    """The part of the picture in which anything is painted, glasses at the sides included."""
    reach = scene.vectors(None, scene.shape.width * 1.1 + 0.02, 1.03, 1.0)
    return scene.canvas.window(None, *bounds(scene.head, torch.zeros_like(reach), reach))


def paint_face(
    scene: Scene,
    albedo: Tensor,
    label: Tensor,
    shade: Tensor,
    glow: Tensor,
    shine: Tensor,
    on_skin: Callable[[Face], None],
    over_face: Callable[[Face, Tensor], None],
) -> None:
    """Paint all features into the buffers of the whole picture, in place. `on_skin` paints below eyes, brows and mouth,
    `over_face` above them and below glasses; it gets the parts in front, too."""
    canvas, window = scene.canvas, face_window(scene)
    depth = canvas.read(canvas.depth, window)
    x, y, z = (canvas.local(window, scene.head, k, depth) for k in range(3))
    part = canvas.read(canvas.part, window)
    v = {name: value[:, None, None] for name, value in scene.values.items()}
    face = Face(
        scene,
        window,
        v,
        x,
        y,
        z,
        ((part == PART["skin"]) & (z > 0)).to(x.dtype),
        canvas.read(albedo, window),
        canvas.read(label, window),
        canvas.read(shade, window),
        canvas.read(glow, window),
        canvas.read(shine, window),
        canvas.pixel * 0.5,
    )
    _cheeks(face, part)
    on_skin(face)
    _eyes(face)
    _mouth(face)
    _brows(face)
    _moustache(face, part)
    over_face(face, part)
    _glasses(face, part)


def _cheeks(face: Face, part: Tensor) -> None:
    v = face.v
    u = (face.x.abs() - 0.5) / 0.24
    w = (face.y + 0.36) / 0.19
    spot = (1 - u * u - w * w).clamp_(min=0)
    tone = palette.skin(face.scene.values)
    pink = tone * tone.new_tensor((1.0, 0.52, 0.5))
    face.paint((spot * spot).mul_(face.skin).mul_(1.15 * v["blush"]).clamp_(max=1), pink)
    # soft dark rims: eye sockets, below the nose, below the hairline
    socket = (1 - ((face.x.abs() - EYE_X) / 0.36) ** 2 - ((face.y - EYE_Y - 0.03) / 0.3) ** 2).clamp_(min=0)
    below = (1 - (face.x / 0.2) ** 2 - ((face.y + 0.40) / 0.12) ** 2).clamp_(min=0)
    dark = socket.mul_(0.14).add_(below, alpha=0.28)
    style = v["hair_style"].round()
    line = hairline(face.scene, None, face.x, face.z)
    line = torch.where(style == 0, torch.full_like(line, 9.0), line)
    line = torch.where(v["hat"].round() > 0, line.clamp(max=0.36), line)
    under = ((face.y - line + 0.16) / 0.16).clamp_(0, 1)
    dark.addcmul_(under, under, value=0.38)
    face.shade.mul_(1 - dark.mul_(((part == PART["skin"]) | (part == PART["ears"])).to(dark.dtype)))


def _eyes(face: Face) -> None:
    v, x, y = face.v, face.x, face.y
    size = 1 + 0.17 * v["eye_size"]
    half, high, low = 0.235 * size, 0.225 * size, 0.135 * size
    u, w = x.abs() - EYE_X, y - EYE_Y
    t = (1 - (u / half) ** 2).clamp_(min=0).sqrt_()
    curve = t * (0.5 + 0.5 * t)
    bottom = -low * curve
    top = bottom + (v["eye_openness"] * 0.97) * (high + low) * curve
    lid = (high * 1.12) * t
    skin = palette.skin(face.scene.values)
    # the upper lid, slightly darker than the face
    face.paint(
        face.inside(torch.maximum(w - lid, bottom - w)).mul_(face.skin), skin * skin.new_tensor((0.8, 0.7, 0.68))
    )
    open_ = face.inside(torch.maximum(w - top, bottom - w)).mul_(face.skin).mul_((t > 0) & (v["eye_openness"] > 0.06))
    ones = torch.ones_like(skin)
    face.paint(open_, ones * skin.new_tensor((0.93, 0.93, 0.95)))
    face.glow.copy_(torch.maximum(face.glow, open_ * 0.75))
    left = x < 0
    solid = open_ > 0.5
    face.label.masked_fill_(solid & left, REGION["eye_left"]).masked_fill_(solid & ~left, REGION["eye_right"])
    _iris(face, open_, torch.where(left, x + EYE_X, x - EYE_X), w, size)
    shadow = ((w - top) / 0.09 + 1).clamp_(0, 1).mul_(open_)
    face.shade.mul_(1 - 0.4 * shadow)
    # lashes along the upper lid, and a faint lower rim
    thick = 0.02 + 0.018 * t
    lash = face.inside((w - top - 0.012).abs() - thick).mul_(face.skin).mul_(face.inside(u.abs() - half * 1.02))
    face.paint(lash, skin * 0.03 + 0.004)
    rim = face.inside((w - bottom).abs() - 0.012).mul_(face.skin).mul_(face.inside(u.abs() - half * 0.9))
    face.paint(rim.mul_(0.45), skin * 0.2)


def _iris(face: Face, open_: Tensor, u: Tensor, w: Tensor, size: Tensor) -> None:
    v = face.v
    u = u - 0.095 * v["gaze_x"]
    w = w - 0.03 - 0.06 * v["gaze_y"]
    radius = 0.142 * size
    distance = (u * u + w * w).sqrt_()
    iris = palette.iris(face.scene.values)
    face.paint(face.inside(distance - radius).mul_(open_), iris * 0.35)
    face.paint(face.inside(distance - radius * 0.86).mul_(open_), iris)
    bright = (0.5 - w / radius).clamp_(0, 1).mul_(face.inside(distance - radius * 0.86)).mul_(open_)
    face.paint(bright.mul_(0.5), iris * 1.5 + 0.1)
    face.paint(face.inside(distance - radius * 0.48).mul_(open_), iris * 0.0 + 0.004)
    glint = ((u + 0.045) ** 2 + (w - 0.055) ** 2).sqrt_()
    cover = face.inside(glint - 0.04 * size).mul_(open_)
    face.paint(cover, iris * 0 + 1)
    face.glow.copy_(torch.maximum(face.glow, cover))


def _brows(face: Face) -> None:
    v = face.v
    u = (face.x.abs() - 0.37) / 0.25
    centre = BROW_Y + 0.09 * v["brow_height"] + 0.095 * v["brow_angle"] * u - 0.07 * u * u
    taper = (1 - u * u).clamp_(min=0).sqrt_()
    thick = (0.016 + 0.06 * v["brow_thickness"]) * (1 - 0.25 * u) * taper
    cover = face.inside((face.y - centre).abs() - thick).mul_(face.skin).mul_((taper > 0).to(taper.dtype))
    face.paint(cover, palette.brow(face.scene.values), "brows")


def mouth_corner(v: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Local x and y of the mouth's right corner."""
    return 0.265 + 0.05 * v["smile"].clamp(min=0), MOUTH_Y + 0.13 * v["smile"] * 0.6


def _mouth(face: Face) -> None:
    v, x, y = face.v, face.x, face.y
    half, _ = mouth_corner(v)
    q = (x / half) ** 2
    t = (1 - q).clamp(min=0)
    root = t.sqrt()
    middle = MOUTH_Y + 0.13 * v["smile"] * (q.clamp(max=1.4) - 0.4)
    opening = 0.26 * v["mouth_open"] * root
    top, bottom = middle + 0.22 * opening, middle - 0.78 * opening
    upper = top + (0.066 - 0.014 * (1 - (x / 0.07) ** 2).clamp_(min=0)) * root
    lower = bottom - 0.09 * root
    lips = palette.lips(face.scene.values)
    body = face.inside(torch.maximum(y - upper, lower - y)).mul_(face.skin).mul_((t > 0).to(t.dtype))
    face.paint(body, lips, "mouth")
    face.paint(body * face.inside(middle - y).mul_(0.3), lips * 1.35 + 0.02)
    face.shine.add_(body, alpha=0.25)
    seam = face.inside((y - middle).abs() - 0.016).mul_(face.skin).mul_(face.inside(x.abs() - half * 1.06))
    face.paint(seam.mul_((1 - 3 * v["mouth_open"]).clamp(min=0)), lips * 0.12, "mouth")
    inner = face.inside(torch.maximum(y - top, bottom - y)).mul_(face.skin).mul_((t > 0).to(t.dtype))
    inner = inner.mul_((v["mouth_open"] * 12).clamp(max=1))
    face.paint(inner, lips * 0 + lips.new_tensor((0.10, 0.012, 0.016)), "mouth_inner")
    tongue = face.inside(((x / 0.17) ** 2 + ((y - bottom + 0.01) / 0.085) ** 2 - 1) * 0.08)
    face.paint(tongue.mul_(inner), lips * 0 + lips.new_tensor((0.55, 0.12, 0.13)))
    teeth = face.inside(top - 0.075 - y).mul_(inner).mul_(face.inside(x.abs() - half * 0.86))
    face.paint(teeth, lips * 0 + 0.93)
    face.glow.copy_(torch.maximum(face.glow, teeth * 0.6))


def _moustache(face: Face, part: Tensor) -> None:
    rows = face.scene.which("beard", "moustache", "full")
    if rows is None:
        return
    x, y = face.x[rows].abs(), face.y[rows]
    centre = -0.425 - 0.55 * (x - 0.05).clamp_(min=0) ** 2
    thick = 0.062 * (1 - (x / 0.36) ** 2).clamp_(min=0).sqrt_()
    on_face = (part[rows] == PART["skin"]) & (face.z[rows] > 0)
    cover = torch.zeros_like(face.x)
    cover[rows] = face.inside((y - centre).abs() - thick).mul_(on_face).mul_((thick > 0).to(thick.dtype))
    face.paint(cover, palette.brow(face.scene.values) * 1.15, "beard")


class _Spectacles(NamedTuple):
    """The plane of the glasses, [n, h, w]: its depth, signed distances to the edge of a lens and to the bridge, and
    coordinates (u, w) from the middle of the nearer lens."""

    z: Tensor
    lens: Tensor
    bridge: Tensor
    u: Tensor
    w: Tensor


def _spectacles(scene: Scene, window: Window, square: Tensor) -> _Spectacles:
    canvas, frame = scene.canvas, scene.head.rows(window.rows)
    zero = torch.zeros_like(canvas.read(canvas.depth, window))
    z = (GLASSES_Z - canvas.local(window, frame, 2, zero)) / off_zero(frame.uz[:, 2, None, None])
    x, y = canvas.local(window, frame, 0, z), canvas.local(window, frame, 1, z)
    u, w = x.abs() - 0.375, y + 0.07
    circle = (u * u + w * w).sqrt() - 0.285
    corner = 0.10
    px, py = (u.abs() - (0.30 - corner)), (w.abs() - (0.235 - corner))
    box = (px.clamp(min=0) ** 2 + py.clamp(min=0) ** 2).sqrt() + torch.maximum(px, py).clamp(max=0) - corner
    bridge = torch.maximum(x.abs() - 0.13, (y + 0.0 + 0.6 * x * x).abs() - 0.032)
    return _Spectacles(z, torch.where(square, box, circle), bridge, u, w)


def place_glasses(scene: Scene) -> None:
    """Put the frames of glasses into the z-buffer, where `paint_face` only paints them. Lenses are clear: what is
    behind them is seen; the arms lie on the head."""
    rows = scene.which("glasses", "round", "square")
    if rows is None:
        return
    canvas, frame = scene.canvas, scene.head.rows(rows)
    window = face_window(scene)._replace(rows=rows)
    at = _spectacles(scene, window, scene.values["glasses"][rows, None, None].round() == 2)
    slope_x, slope_y = (
        -(a[:, 2] / off_zero(frame.uz[:, 2]))[:, None, None].expand_as(at.z) for a in (frame.ux, frame.uy)
    )
    hit = Hit(at.z, slope_x, slope_y)
    canvas.place(window, hit, PART["glasses"], torch.minimum(at.lens.abs() - 0.036, at.bridge) < 0)


def _glasses(face: Face, part: Tensor) -> None:
    scene, canvas = face.scene, face.scene.canvas
    rows = scene.which("glasses", "round", "square")
    if rows is None:
        return
    window = face.window._replace(rows=rows)
    square = face.v["glasses"][rows].round() == 2
    z, lens, bridge, u, w = _spectacles(scene, window, square)
    front = (z > canvas.read(canvas.depth, window)).to(z.dtype)
    rim = face.inside(torch.minimum(lens.abs() - 0.036, bridge)).mul_(front)
    # arms run from the hinge to the ear, on the side of the head
    side = (part[rows] == PART["skin"]) | (part[rows] == PART["ears"])
    ax, ay, az = face.x[rows].abs(), face.y[rows], face.z[rows]
    arm = face.inside(
        torch.maximum((ay - 0.02).abs() - 0.03, torch.maximum(0.6 - ax, torch.maximum(az - 0.62, -0.08 - az)))
    )
    rim = torch.maximum(rim, arm.mul_(side))
    glass = face.inside(lens).mul_(front).mul_(((u - w * 0.7 + 0.06).abs() < 0.055).to(z.dtype))
    full = torch.zeros_like(face.x)
    white = torch.ones_like(scene.head.base)
    full[rows] = glass.mul_(0.16)
    face.paint(full, white)
    dark = torch.where(square[:, :, 0], white.new_tensor((0.012, 0.012, 0.016)), white.new_tensor((0.085, 0.03, 0.012)))
    colour = torch.zeros_like(white)
    colour[rows] = dark
    full = torch.zeros_like(face.x)
    full[rows] = rim
    face.paint(full, colour, "glasses")
    face.shade.lerp_(torch.ones_like(full), full)
    face.glow.copy_(torch.lerp(face.glow, torch.full_like(full, 0.4), full))
