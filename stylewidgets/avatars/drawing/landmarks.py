"""Named points of an avatar's head, in head coordinates, straight from the formulas that draw it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .body import ear_offset
from .features import BROW_Y, EYE_X, EYE_Y, MOUTH_Y, mouth_corner
from .head import DEPTH, HeadShape

LANDMARKS = (
    "eye_left",
    "eye_right",
    "nose_tip",
    "mouth_left",
    "mouth_right",
    "chin",
    "eye_left_outer",
    "eye_left_inner",
    "eye_right_inner",
    "eye_right_outer",
    "lid_left_top",
    "lid_left_bottom",
    "lid_right_top",
    "lid_right_bottom",
    "pupil_left",
    "pupil_right",
    "brow_left_outer",
    "brow_left_middle",
    "brow_left_inner",
    "brow_right_inner",
    "brow_right_middle",
    "brow_right_outer",
    "nose_bridge",
    "nose_left",
    "nose_right",
    "nose_base",
    "lip_top",
    "mouth_top",
    "mouth_bottom",
    "lip_bottom",
    "ear_left",
    "ear_right",
    "lobe_left",
    "lobe_right",
    "cheek_left",
    "cheek_right",
    "jaw_left",
    "jaw_right",
    "forehead",
    "crown",
)
"""Left and right are the picture's. mouth_top and mouth_bottom are the edges of the opening, lip_* the lips' outer edges."""

Values = Mapping[str, Tensor]


def landmark_points(v: Values, shape: HeadShape) -> Tensor:
    """LANDMARKS in head coordinates, [N, K, 3]; differentiable. `v` has every factor by name, each [N]."""
    painted = _eyes(v) | _brows(v) | _mouth(v)
    zero = torch.zeros_like(v["yaw"])
    painted |= {"chin": (zero, zero - 0.985), "nose_bridge": (zero, zero + EYE_Y), "forehead": (zero, zero + 0.55)}
    x, y = (torch.stack([place[k] for place in painted.values()], 1) for k in (0, 1))
    on_face = torch.stack([x, y, shape.front(x, y)], 2)
    solid = _solid(v, shape)
    points = dict(zip(painted, on_face.unbind(1), strict=True))
    points |= {
        name: torch.stack([c if isinstance(c, Tensor) else zero + c for c in place], 1) for name, place in solid.items()
    }
    return torch.stack([points[name] for name in LANDMARKS], 1)


def _eyes(v: Values) -> dict[str, tuple[Tensor, Tensor]]:
    """(x, y) of what is painted, on the face."""
    size = 1 + 0.17 * v["eye_size"]
    half, high, low = 0.235 * size, 0.225 * size, 0.135 * size
    zero = torch.zeros_like(size)
    level, bottom = zero + EYE_Y, EYE_Y - low
    top = bottom + v["eye_openness"] * 0.97 * (high + low)
    points: dict[str, tuple[Tensor, Tensor]] = {}
    for name, side in (("left", -1.0), ("right", 1.0)):
        middle = zero + side * EYE_X
        points |= {
            f"eye_{name}": (middle, level),
            f"eye_{name}_inner": (middle - side * half, level),
            f"eye_{name}_outer": (middle + side * half, level),
            f"lid_{name}_top": (middle, top),
            f"lid_{name}_bottom": (middle, bottom),
            f"pupil_{name}": (middle + 0.095 * v["gaze_x"], level + 0.03 + 0.06 * v["gaze_y"]),
        }
    return points


def _brows(v: Values) -> dict[str, tuple[Tensor, Tensor]]:
    points = {}
    for name, side in (("left", -1.0), ("right", 1.0)):
        for end, u in (("outer", 1.0), ("middle", 0.0), ("inner", -1.0)):
            y = BROW_Y + 0.09 * v["brow_height"] + 0.095 * v["brow_angle"] * u - 0.07 * u * u
            points[f"brow_{name}_{end}"] = (torch.full_like(y, side * (0.37 + 0.25 * u)), y)
    return points


def _mouth(v: Values) -> dict[str, tuple[Tensor, Tensor]]:
    half, corner = mouth_corner(v)
    zero = torch.zeros_like(half)
    middle = MOUTH_Y - 0.13 * 0.4 * v["smile"]
    opening = 0.26 * v["mouth_open"]
    top, bottom = middle + 0.22 * opening, middle - 0.78 * opening
    return {
        "mouth_left": (-half, corner),
        "mouth_right": (half, corner),
        "lip_top": (zero, top + 0.052),
        "mouth_top": (zero, top),
        "mouth_bottom": (zero, bottom),
        "lip_bottom": (zero, bottom - 0.09),
    }


def _solid(v: Values, shape: HeadShape) -> dict[str, tuple[Tensor | float, Tensor | float, Tensor | float]]:
    """(x, y, z) of what stands out of the face, and of the head's outline as seen from the front."""
    nose = v["nose_size"]
    y, z = -0.25 - 0.02 * nose, DEPTH - 0.07 + 0.05 * nose
    wing, drop = 0.095 + 0.115 * nose, 0.11 + 0.1 * nose
    points: dict[str, tuple[Tensor | float, Tensor | float, Tensor | float]] = {
        "nose_tip": (0.0, y, 0.96 + 0.15 * nose),
        "nose_base": (0.0, y - drop, z),
        "crown": (0.0, 1.0, 0.0),
    }
    ear = ear_offset(v, shape)
    for name, side in (("left", -1.0), ("right", 1.0)):
        points |= {
            f"nose_{name}": (side * wing, y, z),
            f"ear_{name}": (side * (ear + 0.11), -0.1, -0.08),
            f"lobe_{name}": (side * ear, -0.3, -0.08),
        }
        for part, height in (("cheek", -0.2), ("jaw", -0.6)):
            half = shape.width * (1.03 - shape.taper * height * height) * (1 - height * height) ** 0.5
            points[f"{part}_{name}"] = (side * half, height, 0.1 * height * height)
    return points
