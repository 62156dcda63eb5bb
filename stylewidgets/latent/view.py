"""How a picture is looked at: the kinds of views, and Transform, which moves, turns and scales it inside the generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_finite, unknown_name
from ..core.values import Value, what

Self = TypeVar("Self", bound="View")
Kind = TypeVar("Kind", bound="type[View]")
VIEWS: dict[str, type[View]] = {}
"""The registered kinds by name: what `Latent` takes as a keyword and files have as a key."""


class View(Value):
    """Base of the kinds, which are frozen dataclasses (eq=False, repr=False) of numbers with defaults.

    Attributes:
        kind: of the class; the keyword of `Latent` and the key in its files, such as "transform".
        version: of the first files that can hold one.
    """

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 2

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return self != type(self)()

    def __repr__(self) -> str:
        shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if getattr(self, f.name) != f.default]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(shown)})"

    def towards(self: Self, other: Self, t: float) -> Self:
        """The view at t between this (0) and another of its kind (1)."""
        raise NotImplementedError

    def code(self) -> str:
        """Python that makes an equal one; `sw` stands for itself."""
        return f"sw.{self!r}"

    def to_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls: type[Self], values: object) -> Self:
        """The inverse of `to_dict`; parts that are missing change nothing. ValueError for unknown ones."""
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        if not isinstance(values, Mapping):
            raise ValueError(f"a {cls.kind} is a dictionary with {', '.join(names)}; {what(values)} was given")  # noqa: TRY004
        for name in values:
            if name not in names:
                raise unknown_name(f"part of a {cls.kind}", name, names)
        return cls(**values)


def register_view(kind: Kind) -> Kind:
    """Make a kind of views known to `Latent` and its files. To be used as a decorator of the class."""
    if not kind.kind.isidentifier() or VIEWS.get(kind.kind, kind).__qualname__ != kind.__qualname__:
        raise ValueError(f"a kind of views needs a name of its own; {kind.kind!r} was given")
    VIEWS[kind.kind] = kind
    return kind


def between(a: View, b: View, t: float) -> View:
    """The view at t between two. One that changes nothing counts as the plain one of the other's kind; of two kinds it is the
    nearer one."""
    if type(a) is type(b):
        return a.towards(b, t)
    if not a:
        return type(b)().towards(b, t)
    return a.towards(type(a)(), t) if not b else a if t < 0.5 else b


LARGEST = 1000.0
"""Of shifts (picture widths) and scale, whose smallest is 1 over this: beyond, float32 frequencies mean nothing."""


@register_view
@dataclass(frozen=True, eq=False, repr=False)
class Transform(View):
    """Moves, turns and scales what a StyleGAN3 draws (Karras et al., NeurIPS 2021), before a pixel exists.

    Scaled and turned around the middle of the picture first, then moved.

    Args:
        x: to the right, in picture widths; -1000 to 1000.
        y: down, in picture widths; -1000 to 1000.
        angle: in degrees against the clock.
        scale: 2 is twice as large; 0.001 to 1000.

    Raises:
        ValueError: a value that is not finite or out of range.
    """

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    scale: float = 1.0

    kind = "transform"
    version = 1

    def __post_init__(self) -> None:
        limits = {
            "x": (-LARGEST, LARGEST),
            "y": (-LARGEST, LARGEST),
            "angle": (None, None),
            "scale": (1 / LARGEST, LARGEST),
        }
        for name, (low, high) in limits.items():
            value = check_finite(f"{name} of a transform", getattr(self, name), low, high)
            object.__setattr__(self, name, value + 0.0)  # -0 becomes 0

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return (self.x, self.y, self.angle % 360, self.scale) != (0, 0, 0, 1)

    def matrix(self) -> NDArray[np.float64]:
        """[3, 3]: from where a thing is to where it shall be. The picture is 1 wide around the origin, y goes down."""
        turn = math.radians(self.angle)
        cosine, sine = self.scale * math.cos(turn), self.scale * math.sin(turn)
        return np.array([[cosine, sine, self.x], [-sine, cosine, self.y], [0.0, 0.0, 1.0]])

    def towards(self, other: Transform, t: float) -> Transform:
        """The transform at t between this (0) and another (1): even steps of shift and angle, even ratios of scale."""
        x, y, angle = (
            (1 - t) * a + t * b for a, b in ((self.x, other.x), (self.y, other.y), (self.angle, other.angle))
        )
        return Transform(x, y, angle, self.scale ** (1 - t) * other.scale**t)


IDENTITY = Transform()
