"""What is painted on a half figure: trousers, stripes, checks, and a badge with a letter. It moves with the cloth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..world.body import LETTERS
from . import palette, torso
from .body import PART, Scene
from .features import REGIONS
from .geometry import Window
from .limbs import span
from .skeleton import FORE, SIDES, UPPER

BODY_REGIONS = (
    *REGIONS,
    "torso",
    "trousers",
    "badge",
    *(f"{name}_{side}" for name in ("sleeve", "upper_arm", "forearm", "hand") for side in SIDES),
)
"""The labels of a half figure's segmentation: those of a head, then the body's. Left and right are the picture's."""

ALL_REGIONS = (*BODY_REGIONS, "eye_patch", "face_paint", "scar", "earrings", "headphones", "moustache")
"""Behind them those of the group "unseen", of heads and half figures alike."""

BODY_REGION = {name: i for i, name in enumerate(ALL_REGIONS)}
BADGE, BADGE_R = (0.0, -2.3), 0.46  # on the chest, in body coordinates
_LETTER = (0.2, 0.26)  # half its size
_STROKE = 0.055  # half as thick as a stroke
_STROKES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "A": ((-1, -1, 0, 1), (0, 1, 1, -1), (-0.6, -0.25, 0.6, -0.25)),
    "E": ((-0.8, -1, -0.8, 1), (-0.8, 1, 0.9, 1), (-0.8, 0, 0.6, 0), (-0.8, -1, 0.9, -1)),
    "H": ((-0.85, -1, -0.85, 1), (0.85, -1, 0.85, 1), (-0.85, 0, 0.85, 0)),
    "K": ((-0.8, -1, -0.8, 1), (-0.8, -0.1, 0.85, 1), (-0.25, 0.25, 0.9, -1)),
    "N": ((-0.85, -1, -0.85, 1), (-0.85, 1, 0.85, -1), (0.85, -1, 0.85, 1)),
    "T": ((-1, 1, 1, 1), (0, 1, 0, -1)),
    "X": ((-0.9, -1, 0.9, 1), (-0.9, 1, 0.9, -1)),
    "Z": ((-0.9, 1, 0.9, 1), (0.9, 1, -0.9, -1), (-0.9, -1, 0.9, -1)),
}
"""The letters as lines (x, y, x, y) in a square of side 2."""


def region_of(part: str) -> int:
    """The label of a solid where nothing is painted on it."""
    name = part.replace("forearm_sleeve", "sleeve").replace("thumb", "hand")
    return BODY_REGION[{"collar": "clothes", "hair_back": "hair", "hat_trim": "hat"}.get(name, name)]


def paint_clothes(scene: Scene, albedo: Tensor, label: Tensor, shade: Tensor) -> None:
    """Paint torso and sleeves into the buffers of the whole picture, in place."""
    canvas = scene.canvas
    _outline(scene, shade)
    rows = scene.which("pattern", "stripes", "checks")
    if rows is not None:
        _pattern(scene, rows, albedo)
    rows = scene.which("pattern", "badge")
    if rows is not None:
        _badge(scene, rows, albedo, label)
    _trousers(scene, canvas.window(None, (-9.0, 9.0), (-9.0, 9.0)), albedo, label, shade)


def _outline(scene: Scene, shade: Tensor) -> None:
    """Limbs grow darker where they turn away, so that an arm is told from the torso behind it."""
    canvas = scene.canvas
    facing = (canvas.slope_x.square() + canvas.slope_y.square()).add_(1).rsqrt_()
    rim = facing.mul_(2.0).clamp_(max=1).mul_(0.34).add_(0.66)
    limbs = (canvas.part >= PART["torso"]) & (canvas.part <= PART["thumb_right"])
    shade.mul_(torch.where(limbs, rim, 1.0))


def _trousers(scene: Scene, window: Window, albedo: Tensor, label: Tensor, shade: Tensor) -> None:
    canvas = scene.canvas
    depth = canvas.read(canvas.depth, window)
    below = torso.HEM - canvas.local(window, scene.body, 1, depth)
    on = canvas.read(canvas.part, window) == PART["torso"]
    cover = (below / canvas.pixel + 0.5).clamp(0, 1) * on
    _blend(canvas.read(albedo, window), cover, palette.trousers(scene.values))
    canvas.read(label, window).masked_fill_(cover > 0.5, BODY_REGION["trousers"])
    fold = (1 - (below / 0.09 - 0.6).abs()).clamp(min=0) * on  # the jumper's shadow
    canvas.read(shade, window).mul_(1 - 0.4 * fold)


def _blend(albedo: Tensor, cover: Tensor, colour: Tensor) -> None:
    albedo.lerp_(colour[:, :, None, None].expand_as(albedo), cover[:, None])


def _bands(place: Tensor, period: Tensor, pixel: float) -> Tensor:
    """Coverage of bands that are half as wide as their period [n, 1, 1]; `place` [n, h, w] is a length."""
    share = place / period
    edge = ((share - share.round()).abs() - 0.25) * period
    return (edge / pixel + 0.5).clamp(0, 1)


def _pattern(scene: Scene, rows: Tensor, albedo: Tensor) -> None:
    canvas, v = scene.canvas, scene.values
    assert scene.skeleton is not None
    period = (0.34 + 0.44 * v["pattern_size"][rows])[:, None, None]
    checks = v["pattern"][rows].round() == 2
    colour = palette.pattern(v)[rows]
    body = scene.body.rows(rows)

    def weave(window: Window, part: str, down: Tensor, round_: Tensor, radius: float) -> None:
        """Bands across the limb, and for checks bands along it, a whole number of them round it."""
        cover = _bands(down, period, canvas.pixel)
        count = (2 * math.pi * radius / period).round().clamp(min=2)
        along = _bands(round_ * radius, 2 * math.pi * radius / count, canvas.pixel)
        cover = torch.where(checks[:, None, None], (cover + along) / 2, cover)
        cover = cover * (canvas.read(canvas.part, window) == PART[part])
        painted = canvas.read(albedo, window)
        _blend(painted, cover, colour)
        canvas.write(albedo, window, painted)

    low, high = (
        scene.vectors(None, side * torso.WIDTH, y, torso.MIDDLE) for side, y in ((-1.0, torso.END), (1.0, torso.CHEST))
    )
    window = span(canvas, rows, body.project(low[rows][:, None])[:, 0], body.project(high[rows][:, None])[:, 0], 0.95)
    x, y, z = (canvas.local(window, body, k, canvas.read(canvas.depth, window)) for k in range(3))
    weave(window, "torso", torso.CHEST - y, torch.atan2(x, z - torso.MIDDLE), 0.9)
    for side in SIDES:
        upper, fore = (scene.skeleton[f"{name}_{side}"].rows(rows) for name in ("upper_arm", "forearm"))
        for part, limb, start, length in (
            (f"sleeve_{side}", upper, 0.0, UPPER),
            (f"forearm_sleeve_{side}", fore, UPPER, FORE),
        ):
            window = span(canvas, rows, limb.origin, limb.along(length), 0.3)
            x, y, z = (canvas.local(window, limb, k, canvas.read(canvas.depth, window)) for k in range(3))
            weave(window, part, start - y, torch.atan2(x, z), 0.24)


def _badge(scene: Scene, rows: Tensor, albedo: Tensor, label: Tensor) -> None:
    canvas, body, v = scene.canvas, scene.body.rows(rows), scene.values
    middle = scene.vectors(rows, *BADGE, torso.MIDDLE + torso.DEPTH)
    place = body.project(middle[:, None])[:, 0]
    window = span(canvas, rows, place, place, BADGE_R * 1.1)
    depth = canvas.read(canvas.depth, window)
    x, y, z = (canvas.local(window, body, k, depth) for k in range(3))
    x, y = x - BADGE[0], y - BADGE[1]
    on = (canvas.read(canvas.part, window) == PART["torso"]) & (z > torso.MIDDLE)
    disc = (x * x + y * y).clamp(min=1e-9).sqrt()
    painted, labelled = canvas.read(albedo, window), canvas.read(label, window)

    def inside(distance: Tensor) -> Tensor:
        return (0.5 - distance / canvas.pixel).clamp(0, 1) * on

    colour = palette.pattern(v)[rows]
    ink = palette.ink(v)[rows]
    cover = inside(disc - BADGE_R)
    _blend(painted, cover, ink)
    _blend(painted, inside(disc - BADGE_R * 0.9), colour)
    lines = _lines(v["badge_letter"][rows])
    distance = torch.stack([_segment(x, y, line) for line in lines.unbind(1)]).amin(0) - _STROKE
    _blend(painted, inside(distance), ink)
    labelled = labelled.masked_fill(cover > 0.5, BODY_REGION["badge"])
    canvas.write(albedo, window, painted)
    canvas.write(label, window, labelled)


def _lines(letter: Tensor) -> Tensor:
    """The strokes of each picture's letter, [n, K, 4] in head units."""
    longest = max(map(len, _STROKES.values()))
    table = [[*_STROKES[name], *(longest - len(_STROKES[name])) * [_STROKES[name][0]]] for name in LETTERS]
    return letter.new_tensor(table)[letter.round().long()] * letter.new_tensor(_LETTER * 2)


def _segment(x: Tensor, y: Tensor, line: Tensor) -> Tensor:
    """Distance from (x, y) [n, h, w] to a line [n, 4]."""
    ax, ay, bx, by = (c[:, None, None] for c in line.unbind(1))
    dx, dy = bx - ax, by - ay
    t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    return ((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2).clamp(min=1e-9).sqrt()
