"""FlowEdit: wanted values of attributes, which a conditional flow brings about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from ..core.checks import check_int
from .edits import Door, register_kind
from .files import Data, Get, Put, keys
from .latent import Latent
from .wishes import Values, Wishing, values_of

if TYPE_CHECKING:
    from torch import Tensor

CORRECTIONS = 2
"""Times that what came out is read again and the rest is asked for."""


class FlowMachine(Protocol):
    """What a `FlowEdit` asks of its machine; see `stylewidgets.editing.Flow`."""

    def edited(
        self,
        ws: Tensor,
        wanted: Mapping[str, float],
        strength: float = 1.0,
        start: Mapping[str, float] | None = None,
        corrections: int = CORRECTIONS,
    ) -> Tensor: ...


@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class FlowEdit(Wishing):
    """Brings attributes to wanted values by a conditional flow (StyleFlow, Abdal et al., ACM TOG 2021); `Flow.edit` makes one.

    Args:
        wanted: absolute values in the unit of each attribute, by name; what has none stays as it is.
        weights: hash of the flow's weights.
        strength: share of the way from what there is to what is wanted; 1 is all of it, 0 none.
        layers: rows first … last − 1 of w+ that it acts on; None for all.
        start: attributes of the code before it, by name; None: they are read off it.
        corrections: times that what came out is read again and the rest asked for: skewed attributes fall short without.
        name: 1 to 200 characters.

    Raises:
        ValueError: a value that is no finite number, or an empty name. Ranges belong to the flow, which checks them.
    """

    wanted: Values
    weights: str
    strength: float = 1.0
    layers: tuple[int, int] | None = None
    start: Values | None = None
    corrections: int = CORRECTIONS
    name: str = "attributes"

    kind = "flow"
    stage = "w"
    reach = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.weights, str) or not self.weights:
            raise ValueError(
                f"weights of {self.name!r} is the hash of a flow, as flow.weights; {self.weights!r} was given"
            )
        object.__setattr__(self, "wanted", values_of(self.wanted))
        object.__setattr__(self, "start", None if self.start is None else values_of(self.start))
        object.__setattr__(self, "corrections", check_int("corrections", self.corrections, 0, 20))

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        """w+ with the attributes that are wanted."""
        flow = cast(FlowMachine, door.editor(self.kind, self.weights))
        start = None if self.start is None else dict(self.start)
        return flow.edited(value[0], self.controls, self.strength, start, self.corrections)[None]

    def code(self, session: object) -> str:
        """Written out."""
        more = "" if self.layers is None else f", layers={self.layers!r}"
        more += "" if self.start is None else f", start={dict(self.start)!r}"
        more += "" if self.corrections == CORRECTIONS else f", corrections={self.corrections}"
        more += "" if self.name == "attributes" else f", name={self.name!r}"
        return f"sw.FlowEdit({self.controls!r}, {self.weights!r}, strength={self.strength!r}{more})"

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        rest = {name: getattr(self, name) for name in ("name", "weights", "strength", "corrections")}
        start = None if self.start is None else dict(self.start)
        layers = None if self.layers is None else list(self.layers)
        return {"kind": self.kind, "wanted": self.controls, "start": start, "layers": layers, **rest}

    @classmethod
    def build(cls, data: object, get: Get) -> FlowEdit:
        """The inverse of `describe`."""
        needed = ("wanted", "weights", "strength", "name")
        given = keys("edit", data, ("kind", "start", "layers", "corrections", *needed), required=needed)
        for name in ("wanted", "start"):
            if not isinstance(given.get(name), (dict, type(None))):
                raise ValueError(f"its {name} must be a dictionary; {type(given[name]).__name__} was found")  # noqa: TRY004
        return cls(
            given["wanted"],
            given["weights"],
            given["strength"],
            given.get("layers"),
            given.get("start"),
            given.get("corrections", CORRECTIONS),
            given["name"],
        )
