"""The arms of a half figure: where shoulders, elbows and wrists are, and how each limb is turned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .geometry import Frame
from .torso import room

SIDES = {"left": -1.0, "right": 1.0}
SHOULDER = (0.94, -1.8, -0.25)  # of the right arm, in body coordinates
UPPER, FORE, HAND, THUMB = 0.9, 0.8, 0.3, 0.23  # lengths, in head units
LENGTHS = {"upper_arm": UPPER, "forearm": FORE, "hand": HAND, "thumb": THUMB}
HIP = (0.6, -3.78, -0.25)
_PRONATION = 50.0  # how far a resting hand is turned, thumb inward
_THUMB = (0.0, -0.08, 0.1)  # where it grows, in hand coordinates
_SPREAD = 41.0  # degrees between thumb and palm
_CLEAR = 0.12  # what stays free between the middle of a forearm and the torso, in head units
_HEAD = (1.06, 1.14, 1.06)  # the same round the head
_SHARES = (0.35, 0.7, 1.0, 1.35)  # how far along a forearm that is looked at
_OUTWARD, _STRETCHED = -85.0, 2.0


@dataclass(frozen=True)
class Limb(Frame):
    """The frame of a limb: its origin [N, 3] is the joint it hangs from, in the units and axes of the camera plane; y points
    back along the limb, z is where the elbow bends to (of a hand: the thumb's side)."""

    origin: Tensor

    @classmethod
    def at(cls, origin: Tensor, matrix: Tensor) -> Limb:
        """Limb coordinates are turned by `matrix` [N, 3, 3] and moved to `origin`."""
        base = -(matrix.transpose(1, 2) @ origin[:, :, None])[:, :, 0]
        return cls(base, matrix[:, 0], matrix[:, 1], matrix[:, 2], matrix, origin)

    def rows(self, index: Tensor | slice | None) -> Limb:
        return self if index is None else Limb.at(self.origin[index], self.matrix[index])

    def project(self, points: Tensor) -> Tensor:
        return points @ self.matrix.transpose(1, 2) + self.origin[:, None]

    def along(self, length: float) -> Tensor:
        """The point [N, 3] this far down the limb."""
        return self.origin - self.matrix[:, :, 1] * length


Skeleton = Mapping[str, Limb]
"""upper_arm_left, forearm_left, hand_left, thumb_left, and the same for the right."""


def skeleton(v: Mapping[str, Tensor], body: Frame) -> Skeleton:
    """The limbs of figures whose body stands in this frame. `v`: factors by name, [N]."""
    limbs: dict[str, Limb] = {}
    for side, sign in SIDES.items():
        *angles, hand = (v[name] for name in arm_angles(side))
        raised, swing, twist, elbow = angles
        arm = Arm.of(sign, raised, swing, *held_off(sign, raised, swing, twist, elbow))
        palm = arm.fore @ _turn(1, torch.full_like(hand, -sign * _PRONATION)) @ _turn(2, -sign * hand)
        places = body.project(torch.stack([arm.shoulder, arm.elbow, arm.wrist], 1)).unbind(1)
        for name, joint, matrix in zip(
            ("upper_arm", "forearm", "hand"), places, (arm.upper, arm.fore, palm), strict=True
        ):
            limbs[f"{name}_{side}"] = Limb.at(joint, body.matrix @ matrix)
        hand_limb = limbs[f"hand_{side}"]
        root = hand_limb.project(palm.new_tensor(_THUMB).expand(len(palm), 1, 3))[:, 0]
        limbs[f"thumb_{side}"] = Limb.at(root, hand_limb.matrix @ _turn(0, torch.full_like(hand, -_SPREAD)))
    return limbs


def arm_angles(side: str) -> tuple[str, str, str, str, str]:
    """The factors that an arm stands by: how far it is raised, swung and twisted, then elbow and hand."""
    return f"arm_{side}_raise", f"arm_{side}_swing", f"arm_{side}_twist", f"elbow_{side}", f"hand_{side}"


class Arm(NamedTuple):
    """An arm in body coordinates: how both of its limbs are turned, [N, 3, 3], and the joint that it hangs from, [N, 3]."""

    upper: Tensor
    fore: Tensor
    shoulder: Tensor

    @classmethod
    def of(cls, sign: float, raised: Tensor, swing: Tensor, twist: Tensor, elbow: Tensor) -> Arm:
        """By its angles [N]; `sign` as of SIDES."""
        upper = _turn(2, sign * raised) @ _turn(0, -swing) @ _turn(1, -sign * twist)
        shoulder = upper.new_tensor((sign * SHOULDER[0], *SHOULDER[1:])).expand(len(upper), 3)
        return cls(upper, upper @ _turn(0, -elbow), shoulder)

    @property
    def elbow(self) -> Tensor:
        """[N, 3]."""
        return self.shoulder - self.upper[:, :, 1] * UPPER

    @property
    def wrist(self) -> Tensor:
        """[N, 3]."""
        return self.elbow - self.fore[:, :, 1] * FORE

    def room(self) -> Tensor:
        """How far some places along the forearm are from torso and head, [N, 8]: below 0 is too near, see `torso.room`."""
        reach = self.fore.new_tensor(_SHARES)[:, None] * FORE
        x, y, z = (self.elbow[:, None] - self.fore[:, None, :, 1] * reach).unbind(2)
        head = (x / _HEAD[0]) ** 2 + (y / _HEAD[1]) ** 2 + (z / _HEAD[2]) ** 2 - 1
        return torch.cat([room(x, y, z, _CLEAR), head], 1)


def held_off(sign: float, raised: Tensor, swing: Tensor, twist: Tensor, elbow: Tensor) -> tuple[Tensor, Tensor]:
    """Twist and elbow, [N] each, as far as torso and head leave room: an arm that would go into them is turned outward until
    it lies on them; where that is not enough, the elbow opens."""

    def clear(twist: Tensor, elbow: Tensor) -> Tensor:
        up, forward = (x[:, None].expand_as(twist).flatten() for x in (raised, swing))
        return (Arm.of(sign, up, forward, twist.flatten(), elbow.flatten()).room() > 0).all(1).view(twist.shape)

    with torch.no_grad():
        turned = _first(twist, _OUTWARD, lambda t: clear(t, elbow[:, None].expand_as(t)))
        opened = _first(elbow, _STRETCHED, lambda e: clear(turned[:, None].expand_as(e), e))
    return twist + (turned - twist).detach(), elbow + (opened - elbow).detach()


def _first(angle: Tensor, end: float, clear: Callable[[Tensor], Tensor]) -> Tensor:
    """The first angle [N] on the way from `angle` to `end` that is clear; `angle` where none is. Each round looks at nine
    angles of the stretch that is left."""
    low, high = angle, torch.full_like(angle, end)
    steps = torch.linspace(0, 1, 9, dtype=angle.dtype, device=angle.device)
    found = None
    for _ in range(3):
        tried = low[:, None] + (high - low)[:, None] * steps
        free = clear(tried)
        at = free.to(torch.uint8).argmax(1, keepdim=True)
        if found is None and not at.any():
            return angle  # each is clear as it is, or nowhere
        found = free.any(1) if found is None else found
        low, high = tried.gather(1, (at - 1).clamp(min=0))[:, 0], tried.gather(1, at)[:, 0]
    return torch.where(found, high, angle) if found is not None else angle


def _turn(axis: int, degrees: Tensor) -> Tensor:
    """Rotations about a coordinate axis, [N, 3, 3]."""
    angle = degrees * (math.pi / 180)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    rows = {
        0: (one, zero, zero, zero, cos, -sin, zero, sin, cos),
        1: (cos, zero, sin, zero, one, zero, -sin, zero, cos),
        2: (cos, -sin, zero, sin, cos, zero, zero, zero, one),
    }[axis]
    return torch.stack(rows, -1).view(-1, 3, 3)


BODY_LANDMARKS = tuple(f"{joint}_{side}" for joint in ("shoulder", "elbow", "wrist", "hip") for side in SIDES)
"""What landmarks of half figures have behind LANDMARKS: the middle of each joint."""


def body_points(limbs: Skeleton, head: Frame, body: Frame) -> Tensor:
    """BODY_LANDMARKS in head coordinates, [N, 8, 3]."""
    n, like = len(body.base), body.base
    hips = like.new_tensor([(sign * HIP[0], *HIP[1:]) for sign in SIDES.values()]).expand(n, 2, 3)
    joints = [limbs[f"{limb}_{side}"].origin for limb in ("upper_arm", "forearm", "hand") for side in SIDES]
    places = torch.cat([torch.stack(joints, 1), body.project(hips)], 1)
    return places @ head.matrix + head.base[:, None]
