"""Depth, normals, surface coordinates and parts of avatars: one ray through the centre of every pixel, nothing is averaged."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor

from .body import PART, Scene
from .camera import CAMERA_Z
from .features import place_glasses
from .figure import assemble
from .geometry import VIEW_Y
from .limbs import limb_uv
from .skeleton import LENGTHS
from .torso import torso_uv

TRUTH = ("depth", "normals", "uv", "part")
_HEAD_ROWS = 0.75  # the head's share of the height of the uv square; neck and clothes have the rest


def draw_truth(scene: Scene, outputs: Collection[str]) -> dict[str, Tensor]:
    """Those of TRUTH that are in `outputs`, of an exact scene that is still empty; see `Render` for what they mean."""
    assemble(scene)
    place_glasses(scene)
    canvas = scene.canvas
    seen = canvas.part > 0
    made = {}
    if "depth" in outputs:
        made["depth"] = torch.where(seen, CAMERA_Z - canvas.depth, math.inf)
    if "normals" in outputs:
        normal = torch.stack([-canvas.slope_x, -canvas.slope_y, torch.ones_like(canvas.depth)], 1)
        made["normals"] = torch.nn.functional.normalize(normal, dim=1) * seen[:, None]
    if "uv" in outputs:
        made["uv"] = _surface(scene, seen)
    if "part" in outputs:
        made["part"] = canvas.part
    return made


def _surface(scene: Scene, seen: Tensor) -> Tensor:
    canvas, part = scene.canvas, scene.canvas.part
    everything = canvas.window(None, (-9.0, 9.0), (-9.0, 9.0))
    depth = torch.where(seen, canvas.depth, torch.zeros_like(canvas.depth))
    head, body = (
        torch.stack([canvas.local(everything, frame, k, depth) for k in range(3)], -1)
        for frame in (scene.head, scene.body)
    )
    on_body = (part == PART["neck"]) | (part == PART["clothes"]) | (part == PART["collar"])
    uv = torch.where(on_body[..., None], body_uv(body), head_uv(head))
    if scene.skeleton is not None:
        uv = torch.where((part == PART["torso"])[..., None], torso_uv(body), uv)
        for name, limb in scene.skeleton.items():
            on = torch.isin(part, torch.tensor(parts_of(name), dtype=part.dtype, device=part.device))
            own = torch.stack([canvas.local(everything, limb, k, depth) for k in range(3)], -1)
            uv = torch.where(on[..., None], limb_uv(own, LENGTHS[name.rsplit("_", 1)[0]]), uv)
    return torch.where(seen[..., None], uv, -1.0).permute(0, 3, 1, 2)


def parts_of(limb: str) -> list[int]:
    """The parts that a limb carries: itself and its sleeve."""
    sleeve = limb.replace("upper_arm", "sleeve").replace("forearm", "forearm_sleeve")
    return [PART[name] for name in dict.fromkeys((limb, sleeve))]


def head_uv(points: Tensor) -> Tensor:
    """Head coordinates [..., 3] to (u, v) [..., 2]: longitude (0.5 is straight ahead) and latitude, 0 at the crown."""
    x, y, z = points.unbind(-1)
    u = 0.5 + torch.atan2(x, z) / (2 * math.pi)
    v = 0.5 - torch.atan2(y, (x * x + z * z).clamp(min=1e-12).sqrt()) / math.pi
    return torch.stack([u, _HEAD_ROWS * v], -1)


def body_uv(points: Tensor) -> Tensor:
    """The same for body coordinates: round the neck's axis, and down from under the chin."""
    x, y, z = points.unbind(-1)
    u = 0.5 + torch.atan2(x, z + 0.2) / (2 * math.pi)
    low, high = VIEW_Y - 2.0, -0.3
    return torch.stack([u, _HEAD_ROWS + (1 - _HEAD_ROWS) * ((high - y) / (high - low)).clamp(0, 1)], -1)
