"""Face paint, scars, an eye patch and other moustaches: shapes in the head's own coordinates, as all that is painted there."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import palette
from ..body import PART
from ..clothing import BODY_REGION
from ..features import EYE_X, EYE_Y, REGION, Face

_PATCH = (0.3, 0.275)  # half its size
_STRAP = 0.035  # half as wide
_SCARS = {
    # (x, y) of the ends, in head coordinates; a scar is on the picture's right
    "cheek": (0.32, -0.2, 0.6, -0.52),
    "brow": (0.26, 0.42, 0.5, 0.08),
}


def on_skin(face: Face) -> None:
    """What lies under eyes, brows and mouth."""
    if "unseen" in face.scene.groups:
        _face_paint(face)
        _scars(face)


def over_face(face: Face, part: Tensor) -> None:
    """What lies over them, and under glasses; `part` [N, h, w] is what is in front."""
    if "unseen" in face.scene.groups:
        _moustache(face)
        _eye_patch(face, part)


def _chosen(face: Face, factor: str, *kinds: str) -> Tensor:
    """1 where a picture has one of these kinds, else 0, [N, 1, 1]."""
    rows = face.scene.which(factor, *kinds)
    mask = torch.zeros_like(face.v[factor])
    if rows is not None:
        mask[rows] = 1
    return mask


def _face_paint(face: Face) -> None:
    if face.scene.which("face_paint", "stripes", "dots", "half") is None:
        return
    x, y = face.x, face.y
    out = x.abs()
    colour = palette.hsl(face.scene.values["face_paint_hue"], 0.75, torch.full_like(face.scene.values["yaw"], 0.45))
    # three stripes across each cheek, falling to the outside
    along = (out - 0.5).abs() - 0.2
    across = torch.stack([(y + 0.14 + drop + 0.25 * (out - 0.5)).abs() for drop in (0.0, 0.13, 0.26)]).amin(0) - 0.04
    stripes = face.inside(torch.maximum(along, across))
    # dots on a grid of the forehead and the cheeks
    step = 0.2
    du, dv = ((a / step - (a / step).round()) * step for a in (x, y + 0.1))
    dots = face.inside((du * du + dv * dv).sqrt() - 0.055)
    half = face.inside(0.012 * (y * 23).sin() - x)
    for kind, cover in (("stripes", stripes), ("dots", dots), ("half", half * 0.85)):
        face.paint(cover * face.skin * _chosen(face, "face_paint", kind), colour, BODY_REGION["face_paint"])


def _scars(face: Face) -> None:
    skin = palette.skin(face.scene.values)
    for kind, (ax, ay, bx, by) in _SCARS.items():
        if face.scene.which("scar", kind) is None:
            continue
        dx, dy = bx - ax, by - ay
        t = ((face.x - ax) * dx + (face.y - ay) * dy) / (dx * dx + dy * dy)
        away = ((face.x - ax) * dy - (face.y - ay) * dx) / (dx * dx + dy * dy) ** 0.5
        length = (dx * dx + dy * dy) ** 0.5
        line = torch.maximum(away.abs() - 0.034, (t - 0.5).abs() * length - 0.5 * length)
        stitch = torch.maximum(
            ((t * 6 - (t * 6).round()) * length / 6).abs() - 0.014,
            torch.maximum(away.abs() - 0.075, (t - 0.5).abs() * length - 0.42 * length),
        )
        chosen = _chosen(face, "scar", kind) * face.skin
        face.paint(face.inside(stitch) * chosen * 0.8, skin * skin.new_tensor((0.5, 0.26, 0.26)), BODY_REGION["scar"])
        face.paint(face.inside(line) * chosen, skin * skin.new_tensor((0.8, 0.3, 0.32)) + 0.02, BODY_REGION["scar"])


def _eye_patch(face: Face, part: Tensor) -> None:
    dark = torch.full_like(face.scene.head.base, 0.012)
    for kind, side in (("left", -1.0), ("right", 1.0)):
        if face.scene.which("eye_patch", kind) is None:
            continue
        u, w = (face.x - side * EYE_X) / _PATCH[0], (face.y - EYE_Y - 0.01) / _PATCH[1]
        # an oval that is cut flat above
        oval = ((u * u + w * w).sqrt() - 1) * _PATCH[1]
        oval = torch.maximum(oval, face.y - EYE_Y - 0.235)
        strap = (face.y - EYE_Y - 0.17 + side * 0.32 * (face.x - side * EYE_X)).abs() - _STRAP
        solid = ((part == PART["skin"]) | (part == PART["nose"])) & (face.z > -0.1)
        cover = face.inside(torch.minimum(oval, strap)) * solid * _chosen(face, "eye_patch", kind)
        face.paint(cover, dark, BODY_REGION["eye_patch"])
        flat = torch.full_like(cover, 1.0)
        face.shade.lerp_(flat, cover)
        face.glow.lerp_(torch.zeros_like(cover), cover)


def _moustache(face: Face) -> None:
    x, y = face.x.abs(), face.y
    colour = palette.brow(face.scene.values) * 0.8
    # a handlebar curls up at its ends; a walrus hangs over the mouth
    t = (x / 0.46).clamp(max=1)
    bar = (y + 0.44 + 0.07 * t - 0.24 * t * t * t * t).abs() - 0.062 * (1 - t * t).clamp(min=0).sqrt() - 0.012
    ring = ((x - 0.44) ** 2 + (y + 0.235) ** 2).sqrt()
    handlebar = torch.minimum(torch.maximum(bar, x - 0.46), (ring - 0.05).abs() - 0.017)
    lower = -0.62 - 0.16 * (x / 0.34).clamp(max=1) + 0.016 * (x * 60).sin()
    walrus = torch.maximum(torch.maximum(y + 0.385 + 0.25 * x * x, lower - y), x - 0.36)
    on = (face.skin > 0) | (face.label == REGION["beard"])
    for kind, distance in (("handlebar", handlebar), ("walrus", walrus)):
        if face.scene.which("moustache", kind) is not None:
            face.paint(face.inside(distance) * on * _chosen(face, "moustache", kind), colour, BODY_REGION["moustache"])
