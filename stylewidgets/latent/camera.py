"""Camera: from where a generator with a scene in space is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.checks import check_finite
from .view import View, register_view


@register_view
@dataclass(frozen=True, eq=False, repr=False)
class Camera(View):
    """Where a scene is seen from: StyleNeRF (Gu et al., ICLR 2022), EG3D (Chan et al., CVPR 2022).

    The angles are those of the head in the picture, as the avatars have them: ``Camera(yaw=20)`` shows what a head that has
    turned by 20 degrees shows.

    Args:
        yaw: in degrees, positive to the picture's right; -180 to 180.
        pitch: in degrees, positive up; -90 to 90.
        roll: in degrees, clockwise; -180 to 180.
        fov: field of view in degrees over the picture's side, above 0 and below 180; None is the generator's own.
        radius: from the middle of the scene in the generator's own units, 0.001 to 1000; None is the generator's own.

    Raises:
        ValueError: a value that is not finite or out of range.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    fov: float | None = None
    radius: float | None = None

    kind = "camera"

    def __post_init__(self) -> None:
        for name, limit in (("yaw", 180.0), ("pitch", 90.0), ("roll", 180.0)):
            value = check_finite(f"{name} of a camera", getattr(self, name), -limit, limit)
            object.__setattr__(self, name, value + 0.0)  # -0 becomes 0
        for name, low, high in (("fov", 0.01, 179.0), ("radius", 0.001, 1000.0)):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, check_finite(f"{name} of a camera", given, low, high))

    def towards(self, other: Camera, t: float) -> Camera:
        """The camera at t between this (0) and another (1): even steps. Of a field of view or a radius that only one of them
        states it has the nearer one's."""

        def mixed(a: float | None, b: float | None) -> float | None:
            if a is None or b is None:
                return a if t < 0.5 else b
            return (1 - t) * a + t * b

        yaw, pitch, roll = (
            (1 - t) * a + t * b for a, b in ((self.yaw, other.yaw), (self.pitch, other.pitch), (self.roll, other.roll))
        )
        return Camera(yaw, pitch, roll, mixed(self.fov, other.fov), mixed(self.radius, other.radius))
