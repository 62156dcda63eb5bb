"""A figure that is pulled by a joint: which angles bring the joint there, within what a body can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ..core.checks import unknown_name
from .drawing.body import frames
from .drawing.geometry import FRAMINGS, PIVOT, Frame
from .drawing.skeleton import HAND, HIP, SHOULDER, SIDES, Arm, arm_angles, held_off, skeleton
from .world.body import POSE
from .world.groups import BODY, columns, framed

Place = tuple[float, float]
"""Where in the picture: to the right and down, 0 and 1 are its edges."""

HEAD_ANGLES = ("yaw", "pitch", "roll")
JOINTS: dict[str, tuple[str, ...]] = {
    "head": ("yaw", "pitch"),
    "crown": ("roll",),
    **{f"shoulder_{side}": ("body_turn", "body_lean", "body_bend") for side in SIDES},
    **{f"elbow_{side}": arm_angles(side)[:2] for side in SIDES},
    **{f"wrist_{side}": arm_angles(side)[:4] for side in SIDES},
}
"""What can be pulled, and the angles that it moves: a head by its nose, to turn it, and by its crown, to tilt it."""

_NOSE, _CROWN, _EYE = (0.0, -0.2, 1.0), (0.0, 1.1, 0.0), (0.36, 0.12, 0.9)  # in head coordinates; the right eye
_KEEP = (
    0.02  # how much a whole range of an angle counts, in head units: of many ways to reach a place the shortest is gone
)
_ROOM = 0.03  # of `Arm.room`: an arm that is pulled stays this much clear of what would push it off
_CROWDED = 3.0  # and what it counts where it does not
_THERE = 0.01  # head units: nearer is where it was pulled to
_ROUNDS, _STILL, _NUDGE = 24, 5e-4, 1e-3
_STARTS = 8  # postures to begin from besides the present one, where that does not lead there


def angles_of(groups: Sequence[str] = BODY) -> tuple[str, ...]:
    """The names of all angles of an avatar with these groups: those of the head, and of `world.body.POSE` with a body."""
    known = columns(tuple(groups)).index
    return tuple(name for name in (*HEAD_ANGLES, *POSE) if name in known)


def limits(groups: Sequence[str] = BODY) -> dict[str, tuple[float, float]]:
    """How far each angle goes, in degrees."""
    known = columns(tuple(groups))
    factors = {name: known.factors[known.index[name]] for name in angles_of(groups)}
    return {name: (float(factor.low), float(factor.high)) for name, factor in factors.items()}


@torch.inference_mode()
def joints(angles: Mapping[str, float], framing: str = "half") -> dict[str, Place]:
    """Where the joints of a figure are in its picture: JOINTS that it has, "middle" of the head, eyes and "neck", and of the
    framing "half" the hips and the ends of the hands, too.

    Args:
        angles: every one of `angles_of` the figure, in degrees.
        framing: "head" or "half".
    """
    v = {name: torch.tensor([value], dtype=torch.float32, device="cpu") for name, value in angles.items()}
    half = framed(framing, BODY)
    head, body = frames(v, half=half)
    found = {"middle": _at(head, 0.0, 0.0, 0.0), "neck": torch.tensor([PIVOT], dtype=torch.float32, device="cpu")}
    found |= {"head": _at(head, *_NOSE), "crown": _at(head, *_CROWN)}
    found |= {f"eye_{side}": _at(head, sign * _EYE[0], *_EYE[1:]) for side, sign in SIDES.items()}
    if half:
        limbs = skeleton(v, body)
        for side, sign in SIDES.items():
            found[f"hip_{side}"] = _at(body, sign * HIP[0], *HIP[1:])
            for joint, limb in (("shoulder", "upper_arm"), ("elbow", "forearm"), ("wrist", "hand")):
                found[f"{joint}_{side}"] = limbs[f"{limb}_{side}"].origin
            found[f"hand_{side}"] = limbs[f"hand_{side}"].along(HAND)
    view, middle = FRAMINGS[framing]
    return {
        name: (0.5 + float(at[0, 0]) / (2 * view), 0.5 - (float(at[0, 1]) - middle) / (2 * view))
        for name, at in found.items()
    }


@torch.inference_mode()
def pulled(
    angles: Mapping[str, float], joint: str, place: Place, framing: str = "half", groups: Sequence[str] = BODY
) -> dict[str, float]:
    """The angles that bring a joint to a place in the picture, and where none do, as near to it as it goes.

    How deep the joint lies is free. Of all angles that lead there those are taken that change least; they stay within their
    `limits`, and arms stay off torso and head.

    Args:
        angles: how the figure stands, every one of `angles_of` it, in degrees.
        joint: one of JOINTS.
        place: where it is pulled to.
        framing: "head" or "half".
        groups: of the figure's factors.

    Returns:
        All angles, in tenths of a degree where they changed.

    Raises:
        ValueError: an unknown joint, or one that the framing does not show.
    """
    names = JOINTS.get(joint)
    if names is None or not set(names) <= set(angles):
        raise unknown_name("joint of this figure", joint, [name for name in JOINTS if set(JOINTS[name]) <= set(angles)])
    view, middle = FRAMINGS[framing]
    wanted = torch.tensor(
        [(place[0] - 0.5) * 2 * view, middle - (place[1] - 0.5) * 2 * view], dtype=torch.float32, device="cpu"
    )
    ends = limits(groups)
    low, high = (torch.tensor([ends[name][k] for name in names], dtype=torch.float32, device="cpu") for k in (0, 1))
    body = _Body(angles, joint, framed(framing, groups))
    start = ((body.standing() - low) / (high - low)).clamp(0, 1)

    def errors(shares: Tensor) -> Tensor:
        """What is to become small, [N, E], of angles as shares of their ranges."""
        at, crowded = body.reached(low + shares * (high - low))
        return torch.cat([at - wanted, _KEEP * (shares - start), _CROWDED * crowded], 1)

    found = _least(errors, start[None])
    if _off(errors, found)[0] > _THERE:
        others = torch.rand(
            _STARTS, len(names), generator=torch.Generator().manual_seed(0), dtype=torch.float32, device="cpu"
        )
        every = torch.cat([found, _least(errors, others)])
        off = _off(errors, every)
        if off.min() < off[0] - _THERE:
            found = every[off.argmin()][None]
    result = (low + found[0] * (high - low)).tolist()
    return {**angles, **{name: round(value, 1) + 0.0 for name, value in zip(names, result, strict=True)}}


class _Body:
    """A figure with some of its angles free."""

    def __init__(self, angles: Mapping[str, float], joint: str, half: bool) -> None:
        self.joint, self.half = joint, half
        self.names = JOINTS[joint]
        self.kind, _, self.side = joint.partition("_")
        self.given = {name: torch.tensor([x], dtype=torch.float32, device="cpu") for name, x in angles.items()}
        self.frame = frames(self.given, half=half)[1]  # of the body, which an arm does not move

    def standing(self) -> Tensor:
        """The free angles as they are drawn, [K]: an arm that would go into the body is held off."""
        given = dict(self.given)
        if self.kind == "wrist":
            names = arm_angles(self.side)
            held = held_off(SIDES[self.side], *(given[name] for name in names[:4]))
            given |= dict(zip(names[2:4], held, strict=True))
        return torch.cat([given[name] for name in self.names])

    def reached(self, free: Tensor) -> tuple[Tensor, Tensor]:
        """Where free angles [N, K] bring the joint, [N, 2] in head units, and how much too near an arm is to the body,
        [N, 0 or 8]."""
        v = {name: value.expand(len(free)) for name, value in self.given.items()}
        v |= dict(zip(self.names, free.unbind(1), strict=True))
        near = free.new_zeros(len(free), 0)
        if self.kind in ("elbow", "wrist"):
            arm = Arm.of(SIDES[self.side], *(v[name] for name in arm_angles(self.side)[:4]))
            at = self.frame.project(getattr(arm, self.kind)[None])[0]
            near = (_ROOM - arm.room()).clamp(min=0) if self.kind == "wrist" else near
        else:
            head, body = frames(v, half=self.half)
            if self.kind == "shoulder":
                at = _at(body, SIDES[self.side] * SHOULDER[0], *SHOULDER[1:])
            else:
                at = _at(head, *(_NOSE if self.kind == "head" else _CROWN))
        return at[:, :2], near


def _at(frame: Frame, x: float, y: float, z: float) -> Tensor:
    """A point of a frame in the camera plane, [N, 3]."""
    found: Tensor = frame.project(frame.base.new_tensor((x, y, z)).expand(len(frame.base), 1, 3))[:, 0]
    return found


def _off(errors: Callable[[Tensor], Tensor], shares: Tensor) -> Tensor:
    """How far from the wanted place, and too near to the body, [N] in head units."""
    found = errors(shares)
    return torch.cat([found[:, :2], found[:, 2 + shares.shape[1] :]], 1).square().sum(1).sqrt()


def _least(errors: Callable[[Tensor], Tensor], shares: Tensor) -> Tensor:
    """From each of `shares` [N, K] downhill to where the squares of `errors` are least, within 0 and 1.

    Levenberg (1944) and Marquardt (1963), with differences for derivatives; a value at its end that would go beyond it stays.
    """
    n, k = shares.shape
    nudges = torch.cat([shares.new_zeros(1, k), _NUDGE * torch.eye(k, dtype=shares.dtype, device=shares.device)])

    def look(at: Tensor) -> tuple[Tensor, Tensor]:
        """Errors [N, E] and their slopes [N, E, K]."""
        inward = torch.where(at > 0.5, -1.0, 1.0)[:, None]
        found = errors((at[:, None] + nudges * inward).flatten(0, 1)).view(n, k + 1, -1)
        return found[:, 0], ((found[:, 1:] - found[:, :1]) / (_NUDGE * inward.transpose(1, 2))).transpose(1, 2)

    here, slopes = look(shares)
    damping = torch.full_like(here[:, :1], 1e-3)
    for _ in range(_ROUNDS):
        down = -(slopes * here[:, :, None]).sum(1)
        stuck = ((shares <= 0) & (down < 0)) | ((shares >= 1) & (down > 0))
        free = slopes.masked_fill(stuck[:, None], 0.0)
        bent = free.transpose(1, 2) @ free
        bent = bent + torch.diag_embed(damping * bent.diagonal(dim1=1, dim2=2) + 1e-6)
        moved = (shares + torch.linalg.solve(bent, down.masked_fill(stuck, 0.0))).clamp(0, 1)
        there, others = look(moved)
        better = there.square().sum(1, keepdim=True) < here.square().sum(1, keepdim=True)
        still = (moved - shares).abs().amax(1, keepdim=True) < _STILL
        shares, here = torch.where(better, moved, shares), torch.where(better, there, here)
        slopes = torch.where(better[..., None], others, slopes)
        damping = torch.where(better, damping / 10, damping * 8)
        if (still | (damping > 1e4)).all():
            break
    return shares
