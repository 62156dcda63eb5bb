"""Patterns on the wall behind an avatar. As the wall itself they stay with the viewer."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import palette
from ..body import Scene

_PERIOD = 0.5  # of the pattern, in head units


def patterned(scene: Scene, wall: Tensor) -> Tensor:
    """The wall [N, 3, H, W] with its pattern, of rows with the group "unseen"."""
    if "unseen" not in scene.groups or scene.which("backdrop", "checks", "stripes", "dots") is None:
        return wall
    canvas, v = scene.canvas, scene.values
    x, y = canvas.x[None, :] / _PERIOD, canvas.y[:, None] / _PERIOD
    soft = canvas.pixel / _PERIOD

    def band(place: Tensor) -> Tensor:
        """1 in every second stripe, with soft edges."""
        return (((place - place.round()).abs() - 0.25) / -soft + 0.5).clamp(0, 1)

    across, up = band(x), band(y)
    covers = {
        "checks": across * up + (1 - across) * (1 - up),
        "stripes": band((x + y) * 0.75),
        "dots": ((0.29 - ((x - x.round()) ** 2 + (y - y.round()) ** 2).sqrt()) / soft + 0.5).clamp(0, 1),
    }
    colour = palette.hsl(v["backdrop_hue"], 0.55, torch.full_like(v["backdrop_hue"], 0.5))[:, :, None, None]
    for kind, cover in covers.items():
        rows = scene.which("backdrop", kind)
        if rows is not None:
            wall = wall.index_copy(0, rows, torch.lerp(wall[rows], colour[rows].expand_as(wall[rows]), cover))
    return wall
