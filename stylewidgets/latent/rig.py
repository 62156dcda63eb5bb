"""RigEdit: wanted values of a rig's parameters, which a rig brings about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from .edits import Door, register_kind
from .files import Data, Get, Put, keys
from .latent import Latent
from .wishes import Values, Wishing, values_of

if TYPE_CHECKING:
    from torch import Tensor


class RigMachine(Protocol):
    """What a `RigEdit` asks of its machine; see `stylewidgets.editing.Rig`."""

    def edited(self, ws: Tensor, wanted: Mapping[str, float], strength: float = 1.0) -> Tensor: ...


@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class RigEdit(Wishing):
    """Brings pose, expression and light to wanted values (StyleRig, Tewari et al., CVPR 2020); `Rig.edit` makes one.

    Args:
        wanted: absolute values in the unit of each parameter, by name; what has none stays as it is.
        weights: hash of the rig's weights.
        strength: share of the way from what there is to what is wanted; 1 is all of it, 0 none.
        layers: rows first … last − 1 of w+ that it acts on; None for all.
        name: 1 to 200 characters.

    Raises:
        ValueError: a value that is no finite number, or an empty name. Ranges belong to the rig, which checks them.
    """

    wanted: Values
    weights: str
    strength: float = 1.0
    layers: tuple[int, int] | None = None
    name: str = "rig"

    kind = "rig"
    stage = "w"
    reach = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.weights, str) or not self.weights:
            raise ValueError(
                f"weights of {self.name!r} is the hash of a rig, as rig.weights; {self.weights!r} was given"
            )
        object.__setattr__(self, "wanted", values_of(self.wanted))

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        """w+ with the parameters that are wanted."""
        rig = cast(RigMachine, door.editor(self.kind, self.weights))
        return rig.edited(value[0], self.controls, self.strength)[None]

    def code(self, session: object) -> str:
        """Written out."""
        more = "" if self.layers is None else f", layers={self.layers!r}"
        more += "" if self.name == "rig" else f", name={self.name!r}"
        return f"sw.RigEdit({self.controls!r}, {self.weights!r}, strength={self.strength!r}{more})"

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        rest = {name: getattr(self, name) for name in ("name", "weights", "strength")}
        layers = None if self.layers is None else list(self.layers)
        return {"kind": self.kind, "wanted": self.controls, "layers": layers, **rest}

    @classmethod
    def build(cls, data: object, get: Get) -> RigEdit:
        """The inverse of `describe`."""
        needed = ("wanted", "weights", "strength", "name")
        given = keys("edit", data, ("kind", "layers", *needed), required=needed)
        if not isinstance(given["wanted"], dict):
            raise ValueError(f"its wanted must be a dictionary; {type(given['wanted']).__name__} was found")  # noqa: TRY004
        return cls(given["wanted"], given["weights"], given["strength"], given.get("layers"), given["name"])
