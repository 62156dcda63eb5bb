"""Move: a step along a direction, in z, w or s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.values import what
from .direction import Direction
from .edits import Door, Edit, Sizes, json_code, register_kind
from .files import Data, Get, Put, keys

if TYPE_CHECKING:
    from torch import Tensor

    from .latent import Latent


@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class Move(Edit):
    """A direction with a strength: adds ``strength * direction.sigma * direction.vector``.

    Args:
        direction: the `Direction`; its space says where the edit acts. In w it acts on codes in s as well.
        strength: any finite number; 0 changes nothing.
        layers: rows first … last − 1 of w+ that it acts on (for "s": layers that read these rows); None for all, and in z.
    """

    direction: Direction
    strength: float
    layers: tuple[int, int] | None = None

    kind = "move"

    def __post_init__(self) -> None:
        if not isinstance(self.direction, Direction):
            raise TypeError(
                f"an Edit takes a Direction, such as session.directions['name']; {what(self.direction)} was given"
            )
        super().__post_init__()

    @property
    def name(self) -> str:
        """That of the direction."""
        return self.direction.name

    @property
    def stage(self) -> str:
        """The space of the direction."""
        return self.direction.space

    @property
    def version(self) -> int:
        """0.1 knew no directions in z."""
        return 2 if self.stage == "z" else 1

    @property
    def label(self) -> str:
        """Where the direction comes from, in a line."""
        return self.direction.label

    @property
    def channels(self) -> NDArray[np.intp]:
        """Those of the direction."""
        return self.direction.channels

    def renamed(self, name: str) -> Move:
        """Return this edit with its direction under another name."""
        return replace(self, direction=replace(self.direction, name=name))

    def accepts(self, latent: Latent) -> str | None:
        """A shift of w passes through the affine style layers, so codes in s take it too."""
        return None if self.stage == "w" else super().accepts(latent)

    def fits(self, sizes: Sizes) -> str | None:
        """Whether the vector has one of the shapes of its space."""
        accepted: dict[str, tuple[tuple[int, ...], ...]] = {
            "z": ((sizes.z_dim,),),
            "w": ((sizes.w_dim,), (sizes.num_ws, sizes.w_dim)),
            "s": ((sum(layer.channels for layer in sizes.layers),),),
        }
        shape = self.direction.vector.shape
        if shape in accepted[self.stage]:
            return None
        listed = " or ".join(str(list(size)) for size in accepted[self.stage])
        return (
            f"direction {self.name!r} in {self.stage} must have shape {listed} for this generator; "
            f"{list(shape)} was given. It was made for another one"
        )

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        """The code, moved along the direction."""
        return value + door.tensor(self.direction.vector) * (self.strength * self.direction.sigma)

    def code(self, session: object) -> str:
        """By the direction's name where the session has it, by its channels where they are few, else as JSON."""
        known: Direction | None = getattr(session, "directions", {}).get(self.name)
        words = f"session.directions[{self.name!r}]" if known == self.direction else self.direction.code()
        if words is None:
            return json_code("Edit", self)
        return f"{words}, {self.strength!r}" + ("" if self.layers is None else f", layers={self.layers!r}")

    def describe(self, put: Put) -> Data:
        """What a file says of it; 0.1 wrote no kind."""
        layers = None if self.layers is None else list(self.layers)
        return {"direction": self.direction.describe(put), "strength": self.strength, "layers": layers}

    @classmethod
    def build(cls, data: object, get: Get) -> Move:
        """The inverse of `describe`."""
        given = keys("edit", data, ("kind", "direction", "strength", "layers"), required=("direction", "strength"))
        return cls(Direction.build(given["direction"], get), given["strength"], given.get("layers"))


def moves(latent: Latent) -> tuple[Move, ...]:
    """The edits of a latent along directions: what has a row in a list of directions."""
    return tuple(edit for edit in latent.edits if isinstance(edit, Move))
