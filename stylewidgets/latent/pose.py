"""Pose: how the person stands that a generator with a source draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.checks import check_finite
from ..core.values import what
from .view import View, register_view

_LIMITS = {"yaw": 180.0, "pitch": 90.0, "roll": 180.0}
_SHA256 = 64
Joints = tuple[tuple[str, float], ...]


@register_view
@dataclass(frozen=True, eq=False, repr=False)
class Pose(View):
    """The pose that a source takes (Pose with Style, AlBahar et al. 2021). The neutral one is the source's own.

    An avatar takes angles. A person from files takes the pose of an IUV picture, which the session is given
    (``Pose(iuv=session.put(picture))``).

    Args:
        yaw: of the head in degrees, positive to the picture's right; -180 to 180; None is the source's own.
        pitch: of the head in degrees, positive up; -90 to 90; None is the source's own.
        roll: of the head in degrees, clockwise; -180 to 180; None is the source's own.
        joints: other angles in degrees by name, as the source has them; kept as pairs. Those that are missing are its own.
        iuv: the SHA-256 of an IUV picture, 64 hexadecimal digits; None for none.

    Raises:
        ValueError: an angle that is not finite or out of range, or an IUV picture beside angles.
    """

    yaw: float | None = None
    pitch: float | None = None
    roll: float | None = None
    joints: Joints = ()
    iuv: str | None = None

    kind = "pose"

    def __post_init__(self) -> None:
        for name, limit in _LIMITS.items():
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, check_finite(f"{name} of a pose", given, -limit, limit) + 0.0)
        object.__setattr__(self, "joints", _checked(self.joints))
        if self.iuv is not None:
            if (
                not isinstance(self.iuv, str)
                or len(self.iuv) != _SHA256
                or not set(self.iuv) <= set("0123456789abcdef")
            ):
                raise ValueError(
                    f"iuv of a pose is 64 hexadecimal digits, which session.put(picture) returns; {what(self.iuv)} was given"
                )
            if self.angles:
                raise ValueError("a pose is angles or an IUV picture; both were given")

    @property
    def angles(self) -> dict[str, float]:
        """Every angle that is stated, by name, yaw, pitch and roll with the joints."""
        own = {name: getattr(self, name) for name in _LIMITS if getattr(self, name) is not None}
        return {**own, **dict(self.joints)}

    def stating(self, angles: Mapping[str, float]) -> Pose:
        """The same pose with every angle stated: what it leaves to the source stands as in `angles`, which are the source's own.
        One of an IUV picture stays."""
        if self.iuv is not None:
            return self
        every = {**angles, **self.angles}
        yaw, pitch, roll = (every.pop(name, None) for name in _LIMITS)
        return Pose(yaw, pitch, roll, tuple(every.items()))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**super().to_dict(), "joints": dict(self.joints)}

    def towards(self, other: Pose, t: float) -> Pose:
        """The pose at t between this (0) and another (1): even steps of angles that both state, all else as in the nearer one."""
        near = self if t < 0.5 else other
        if self.iuv is not None or other.iuv is not None:
            return near
        a, b = self.angles, other.angles
        mixed = {**near.angles, **{name: (1 - t) * a[name] + t * b[name] for name in a.keys() & b.keys()}}
        yaw, pitch, roll = (mixed.pop(name, None) for name in _LIMITS)
        return Pose(yaw, pitch, roll, tuple(mixed.items()))


def _checked(joints: Mapping[str, float] | Iterable[tuple[str, float]]) -> Joints:
    """Pairs by name, in the order of the names."""
    try:
        given = dict(joints)
    except (TypeError, ValueError):
        raise TypeError(f"joints is a dictionary of angles by name; {what(joints)} was given") from None
    for name in given:
        if not isinstance(name, str) or not name.isidentifier() or name in _LIMITS:
            raise ValueError(f"a joint is called as a variable is, and not yaw, pitch or roll; {what(name)} was given")
    return tuple((name, check_finite(f"{name} of a pose", given[name], -360.0, 360.0) + 0.0) for name in sorted(given))
