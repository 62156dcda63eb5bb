"""MapperEdit: what a trained mapper adds to a code (StyleCLIP, Patashnik et al., ICCV 2021)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from .edits import Door, Edit, register_kind
from .files import Data, Get, Put, keys

if TYPE_CHECKING:
    from torch import Tensor

    from .latent import Latent

LEVELS = ("coarse", "medium", "fine")
"""Of the rows of w+: 0–3, 4–7 and the rest; a mapper has a network for each, or leaves some out."""


class Mapping(Protocol):
    """A machine of the kind "mapper", as far as its edits need it."""

    def delta(self, value: Tensor, levels: tuple[str, ...]) -> Tensor:
        """What it adds to w+ [N, num_ws, w_dim], or to styles [N, sum of channels], at full strength."""


@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class MapperEdit(Edit):
    """Adds ``strength * M(w)``: a mapper's answer to the code before it, so another face gets another change.

    Args:
        weights: hash of the mapper's parameters; `Words.mapper(name).edit()` fills it in.
        name: as a rule the sentence that it was trained for.
        strength: 1 is what it was trained for, 0 changes nothing.
        layers: rows first … last − 1 of w+ that it acts on; None for all.
        levels: those of `LEVELS` that take part; a mapper in s has none and ignores them.
        space: "w+", or "s" for a mapper of styles.

    Raises:
        ValueError: an unknown level or space, no hash, an empty name.
    """

    weights: str
    name: str = "mapper"
    strength: float = 1.0
    layers: tuple[int, int] | None = None
    levels: tuple[str, ...] = LEVELS
    space: str = "w+"

    kind = "mapper"
    reach = (-1.0, 2.0)

    def __post_init__(self) -> None:
        if self.space not in ("w+", "s"):
            raise ValueError(f"a mapper works in 'w+' or in 's'; {self.space!r} was given")
        if not isinstance(self.weights, str) or not self.weights:
            raise ValueError("a MapperEdit holds the hash of its mapper's weights; Words.mapper(name).edit() makes one")
        unknown = [level for level in self.levels if level not in LEVELS]
        if unknown or isinstance(self.levels, str):
            raise ValueError(f"levels of a mapper are some of {', '.join(LEVELS)}; {self.levels!r} was given")
        object.__setattr__(self, "levels", tuple(level for level in LEVELS if level in self.levels))
        super().__post_init__()

    @property
    def stage(self) -> str:
        """w, or s for a mapper of styles."""
        return "w" if self.space == "w+" else "s"

    @property
    def label(self) -> str:
        """What it does, in a line."""
        which = "" if self.levels == LEVELS else f" ({', '.join(self.levels) or 'no level'})"
        return f"{self.name}: a mapper's answer to this face{which}; 1 is what it was trained for"

    def with_levels(self, *levels: str) -> MapperEdit:
        """Return this edit with other levels."""
        return replace(self, levels=levels)

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        """The code, and what the mapper adds to it."""
        machine: Mapping = door.editor(self.kind, self.weights)  # type: ignore[assignment]  # found by its kind
        return value + machine.delta(value, self.levels) * self.strength

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "strength": self.strength,
            "layers": None if self.layers is None else list(self.layers),
            "weights": self.weights,
            "levels": list(self.levels),
            "space": self.space,
        }

    @classmethod
    def build(cls, data: object, get: Get) -> MapperEdit:
        """The inverse of `describe`."""
        needed = ("name", "strength", "weights")
        given = keys("edit", data, ("kind", "layers", "levels", "space", *needed), required=needed)
        levels = given.get("levels", LEVELS)
        if not isinstance(levels, (list, tuple)) or not all(isinstance(level, str) for level in levels):
            raise ValueError(f"levels of a mapper are some of {', '.join(LEVELS)}; {levels!r} was found")
        return cls(
            given["weights"],
            given["name"],
            given["strength"],
            given.get("layers"),
            tuple(levels),
            given.get("space", "w+"),
        )
