"""The solid parts of a half figure: torso and arms, placed into the z-buffer beside those of the head."""

from __future__ import annotations

import torch
from torch import Tensor

from . import torso
from .added.worn import place_worn
from .body import PART, Scene, build
from .geometry import Canvas, ellipsoid
from .limbs import cone
from .skeleton import FORE, SIDES, THUMB, UPPER, Limb

SHOULDER_R, ELBOW_R, WRIST_R = 0.25, 0.185, 0.125  # of bare arms
CLOTH = 0.035  # how thick cloth is
SHORT = 0.6  # how far down the upper arm a short sleeve goes, of its length
_PALM = (0.125, 0.27, 0.185)
_PALM_MIDDLE = (0.0, -0.22, 0.0)
_YOKE = ((0.3, -1.5, -0.22), 0.17, (0.9, -1.8, -0.25), 0.272)
"""From the neck to the shoulder, in body coordinates: two balls, of the right side."""


def assemble(scene: Scene) -> None:
    """Place every solid part that the framing shows."""
    build(scene)
    place_worn(scene)
    if scene.skeleton is None:
        return
    canvas, frame = scene.canvas, scene.body
    height = (torso.CHEST + torso.TOP - torso.END + torso.BOTTOM) / 2
    middle = scene.vectors(None, 0.0, torso.CHEST + torso.TOP - height, torso.MIDDLE)
    reach = scene.vectors(None, torso.WIDTH, height, torso.DEPTH) * 1.02
    box = torch.linalg.vector_norm(frame.matrix * reach[:, None], ord=1, dim=2)  # a box, which is not an ellipsoid
    centre = frame.project(middle[:, None])[:, 0]
    low, high = (centre - box).amin(0).tolist(), (centre + box).amax(0).tolist()
    window = canvas.window(None, (low[0], high[0]), (low[1], high[1]))
    canvas.place(window, torso.intersect(canvas, frame, window, 3 if scene.orbit is None else 8), PART["torso"])
    near, thick, far, thin = _YOKE
    for side, sign in SIDES.items():
        start, end = (frame.project(scene.vectors(None, sign * x, y, z)[:, None])[:, 0] for x, y, z in (near, far))
        one = torch.ones_like(start[:, 0])
        canvas.place(*cone(canvas, None, start, end, one * thick, one * thin), PART["torso"])
        _arm(scene, side)


def _arm(scene: Scene, side: str) -> None:
    assert scene.skeleton is not None
    canvas = scene.canvas
    upper, fore, hand = (scene.skeleton[f"{name}_{side}"] for name in ("upper_arm", "forearm", "hand"))
    long = scene.values["sleeves"].round() == 1
    cloth = long.to(fore.base.dtype) * CLOTH
    # the forearm: bare or in its sleeve
    name = torch.where(long, PART[f"forearm_sleeve_{side}"], PART[f"forearm_{side}"]).to(torch.uint8)[:, None, None]
    end = fore.along(FORE)
    window, hit = cone(canvas, None, fore.origin, end, ELBOW_R + cloth, WRIST_R + cloth)
    canvas.place(window, hit, name)
    # the upper arm: a sleeve, which short ones leave early, and what comes out of it
    _limb(canvas, None, upper, UPPER, SHOULDER_R + CLOTH, ELBOW_R + CLOTH, f"sleeve_{side}", _ends(upper, long))
    rows = scene.which("sleeves", "short")
    if rows is not None:
        _limb(canvas, rows, upper.rows(rows), UPPER, SHOULDER_R, ELBOW_R, f"upper_arm_{side}")
    window, hit = ellipsoid(canvas, hand, None, scene.vectors(None, *_PALM_MIDDLE), scene.vectors(None, *_PALM))
    canvas.place(window, hit, PART[f"hand_{side}"])
    _limb(canvas, None, scene.skeleton[f"thumb_{side}"], THUMB, 0.075, 0.062, f"thumb_{side}")


def _ends(upper: Limb, long: Tensor) -> Tensor:
    """How far down the arm the sleeve goes, [N]."""
    return torch.where(long, 9.0, UPPER * SHORT).to(upper.base.dtype)


def _limb(
    canvas: Canvas,
    rows: Tensor | None,
    limb: Limb,
    length: float,
    thick: float,
    thin: float,
    part: str,
    ends: Tensor | None = None,
) -> None:
    one = torch.ones_like(limb.base[:, 0])
    window, hit = cone(canvas, rows, limb.origin, limb.along(length), one * thick, one * thin)
    keep = None if ends is None else canvas.local(window, limb, 1, hit.depth) > -ends[:, None, None]
    canvas.place(window, hit, PART[part], keep)
