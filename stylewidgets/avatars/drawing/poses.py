"""Exact ways between pictures of one half figure in two poses: which point of one is which point of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..world.groups import BODY, framed, with_head
from ..world.rows import by_name
from .body import PARTS, frames
from .camera import Camera, extrinsic
from .geometry import FRAMINGS
from .orbit import Orbit, orbit_frame
from .renderer import Render, render
from .skeleton import skeleton


def limb_matrices(
    factors: Tensor, groups: Sequence[str] = BODY, orbit: Orbit = (0.0, 0.0), framing: str = "half"
) -> dict[str, Tensor]:
    """Coordinates of "head", "body" and, of the framing "half", every limb to camera coordinates, [N, 4, 4] each.

    ``camera.pixels @ limb_matrices(factors)["forearm_left"]`` brings forearm coordinates to pixels and depth. A limb's origin is
    the joint that it hangs from, and it goes down its own y axis; the unit is half the height of the head.
    """
    with_head(groups, "limb_matrices").check(factors.shape, "limb_matrices")
    factors = factors.to(torch.float32)
    v = by_name(factors, groups)
    half = framed(framing, groups)
    head, body = frames(v, orbit_frame(orbit, factors), half)
    every = {"head": head, "body": body, **(skeleton(v, body) if half else {})}
    return {name: extrinsic(frame, FRAMINGS[framing]) for name, frame in every.items()}


def carrier(part: str) -> str:
    """Which of `limb_matrices` a part moves with."""
    if part in ("neck", "clothes", "collar", "torso"):
        return "body"
    name = part.replace("forearm_sleeve", "forearm").replace("sleeve", "upper_arm")
    return name if name.startswith(("upper_arm_", "forearm_", "hand_", "thumb_")) else "head"


class Flow(NamedTuple):
    """Where each pixel of a target was in a source.

    places: float32 [N, H, W, 2], pixel coordinates (x, y) in the source; 0 is the left / top edge.
    seen: bool [N, H, W], where the source shows that point: not behind something, not outside, not background.
    """

    places: Tensor
    seen: Tensor


class Stance(NamedTuple):
    """How figures stand: what a picture of them shows (depth, part and camera), and where their limbs are."""

    drawn: Render
    limbs: dict[str, Tensor]

    @classmethod
    def of(
        cls,
        factors: Tensor,
        resolution: int,
        groups: Sequence[str] = BODY,
        framing: str = "half",
        outputs: Sequence[str] = (),
    ) -> Stance:
        """`outputs`: of the renderer, besides those."""
        wanted = ("depth", "camera", "part", *outputs)
        drawn = render(factors, resolution, outputs=wanted, groups=groups, framing=framing)
        return cls(drawn, limb_matrices(factors, groups, framing=framing))


def exact_flow(
    source: Tensor, target: Tensor, resolution: int = 128, groups: Sequence[str] = BODY, framing: str = "half"
) -> Flow:
    """From depth and joints: a target's pixel is brought to coordinates of the limb that it lies on, and from those into the
    source. The oracle for what is warped by surface coordinates.

    Args:
        source, target: factors [N, F] of the same people in two poses.
    """
    return flow_between(*(Stance.of(f, resolution, groups, framing) for f in (source, target)))


def flow_between(source: Stance, target: Stance) -> Flow:
    """`exact_flow` of figures that are drawn already."""
    (before, old), (after, new) = source, target
    n, side, _ = after.depth.shape
    device = after.depth.device
    line = torch.arange(side, dtype=torch.float32, device=device) + 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    there = after.depth.isfinite()
    here = torch.stack([x.expand_as(there), y.expand_as(there), torch.where(there, after.depth, 0.0)], 3).flatten(1, 2)
    found = here.clone()
    for name in old:
        parts = [i for i, part in enumerate(PARTS) if i and carrier(part) == name]
        on = torch.isin(after.part, torch.tensor(parts, dtype=after.part.dtype, device=device)).flatten(1)
        if on.any():
            local = Camera(new[name], new[name], after.camera.pixels).unproject(here)
            moved = Camera(old[name], old[name], before.camera.pixels).project(local)
            found = torch.where(on[..., None], moved, found)
    found = found.view(n, side, side, 3)
    grid = found[..., :2] * (2 / side) - 1

    def nearest(values: Tensor) -> Tensor:
        return torch.nn.functional.grid_sample(values[:, None], grid, mode="nearest", align_corners=False)[:, 0]

    near = (nearest(before.depth.nan_to_num(posinf=0.0)) - found[..., 2]).abs() < 0.08
    seen = there & near & (nearest(before.part.to(torch.float32)) == after.part) & (grid.abs() < 1).all(3)
    return Flow(found[..., :2], seen)
