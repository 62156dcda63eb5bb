"""How well two views agree: one is brought into the other by the exact geometry of the avatar, and compared on the head."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...avatars import REGIONS, Render, render

TRUTH = ("image", "segmentation", "depth", "camera")
OFF_HEAD = tuple(REGIONS.index(name) for name in ("background", "neck", "clothes"))
NEAR = 0.06
"""Head units by which depths of one point, seen from two sides, may differ; else something stands before it."""


def head_pixels(truth: Render) -> Tensor:
    """Where the head is, bool [N, H, W]: not the backdrop, the neck or the clothes."""
    off = torch.stack([truth.segmentation == label for label in OFF_HEAD]).any(dim=0)
    return ~off & truth.depth.isfinite()


def warped(pictures: Tensor, seen: Render, wanted: Render) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, H, W] of the view `seen` as the view `wanted` would show them, and where that is known, bool [N, H, W]: on
    the head, seen from both sides."""
    n, _, side, _ = pictures.shape
    centres = torch.arange(side, dtype=torch.float32, device=pictures.device) + 0.5
    x, y = centres.expand(side, -1), centres[:, None].expand(-1, side)
    depth = torch.where(wanted.depth.isfinite(), wanted.depth, torch.zeros_like(wanted.depth))
    places = torch.stack([x.expand(n, -1, -1), y.expand(n, -1, -1), depth], dim=-1).flatten(1, 2)
    found = seen.camera.project(wanted.camera.unproject(places)).view(n, side, side, 3)
    grid = found[..., :2] * (2 / side) - 1
    moved = F.grid_sample(pictures, grid, align_corners=False, padding_mode="border")
    there = torch.where(seen.depth.isfinite(), seen.depth, torch.full_like(seen.depth, 100.0))
    before = F.grid_sample(there[:, None], grid, mode="nearest", align_corners=False, padding_mode="border")[:, 0]
    inside = (grid.abs() < 1).all(dim=-1)
    return moved, head_pixels(wanted) & inside & ((before - found[..., 2]).abs() < NEAR)


def warp_error(first: Tensor, second: Tensor, seen: Render, wanted: Render) -> Tensor:
    """Mean absolute difference, of 2, of each pair of pictures [N, 3, H, W] after the first was brought into the second's view,
    both ways, [N]."""
    errors = []
    for a, b, truth_a, truth_b in ((first, second, seen, wanted), (second, first, wanted, seen)):
        moved, known = warped(a, truth_a, truth_b)
        difference = (moved - b).abs().mean(dim=1) * known
        errors.append(difference.sum(dim=(1, 2)) / known.sum(dim=(1, 2)).clamp(min=1))
    return torch.stack(errors).mean(dim=0)


def orbits(factors: Tensor, pose: Tensor, side: int) -> Render:
    """What cameras of `pose` [N, 2] see of avatars that look ahead."""
    return render(factors, side, outputs=TRUTH, orbit=pose)
