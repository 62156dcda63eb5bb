"""Poses of avatars: some by name, one by seed, and the mirror image of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..latent.pose import Pose
from .pulling import HEAD_ANGLES, angles_of
from .world.body import mirrored_name
from .world.groups import BODY, columns
from .world.sampling import sample

_TURNED = ("yaw", "roll", "body_turn", "body_lean")  # what a mirror turns the other way

_HANGING = {"arm_raise": 8, "arm_swing": 4, "arm_twist": 20, "elbow": 8, "hand": 0}


def _arms(left: Mapping[str, float], right: Mapping[str, float], **others: float) -> dict[str, float]:
    """Angles by name, of arms that hang but for what is said of them."""
    found = dict(others)
    for side, own in (("left", left), ("right", right)):
        for name, value in {**_HANGING, **own}.items():
            found[name.replace("arm_", f"arm_{side}_") if name.startswith("arm") else f"{name}_{side}"] = value
    return found


_ON_HIP = {"arm_raise": 42, "arm_swing": -18, "arm_twist": 55, "elbow": 88}
_UP = {"arm_raise": 140, "arm_swing": 10, "arm_twist": -30, "elbow": 20}
_OUT = {"arm_raise": 88, "arm_swing": 0, "arm_twist": -10, "elbow": 4}

POSTURES: dict[str, dict[str, float]] = {
    "arms down": _arms({}, {}),
    "waving": _arms({}, {"arm_raise": 78, "arm_swing": 10, "arm_twist": -80, "elbow": 95}, roll=4, body_lean=2),
    "arms out": _arms(_OUT, _OUT),
    "arms up": _arms(_UP, _UP, pitch=8),
    "hands on hips": _arms(_ON_HIP, _ON_HIP, body_turn=-6),
    "pointing": _arms({}, {"arm_raise": 84, "arm_swing": 12, "elbow": 4}, yaw=24, body_turn=6),
    "profile": _arms({}, {"arm_swing": 16, "elbow": 22}, yaw=32, body_turn=24),
}
"""By name; the angles that it states, in degrees. Left and right are the picture's, as everywhere."""


def posture(name: str, groups: Sequence[str] = BODY) -> Pose:
    """One of POSTURES as a pose that states every angle of an avatar with these groups: what it does not say is straight.
    KeyError for another name."""
    return pose_of({each: POSTURES[name].get(each, 0.0) for each in angles_of(groups)})


def random_pose(seed: int, groups: Sequence[str] = BODY) -> Pose:
    """The pose of the avatar of this seed: joint limits, and what arms do together, as in the world."""
    row = dict(zip(columns(tuple(groups)).names, sample(1, seed, groups=tuple(groups))[0].tolist(), strict=True))
    return pose_of({name: row[name] for name in angles_of(groups)})


def mirrored(angles: Mapping[str, float]) -> dict[str, float]:
    """The angles of the mirror image: sides change places, turns and tilts go the other way."""
    swapped = {name: angles.get(mirrored_name(name), value) for name, value in angles.items()}
    return {name: (-value if name in _TURNED else value) + 0.0 for name, value in swapped.items()}


def pose_of(angles: Mapping[str, float]) -> Pose:
    """The `Pose` that states these angles by name, to a tenth of a degree."""
    own = {name: round(float(value), 1) + 0.0 for name, value in angles.items()}
    yaw, pitch, roll = (own.pop(name, None) for name in HEAD_ANGLES)
    return Pose(yaw, pitch, roll, tuple(own.items()))
