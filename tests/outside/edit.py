"""An edit of one's own: a caricature."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from stylewidgets import Latent
from stylewidgets.latent import Edit, register_kind
from stylewidgets.latent.edits import Door
from stylewidgets.latent.files import Data, Get, Put, keys


@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class Caricature(Edit):
    """Takes w away from its mean by `strength`; −1 arrives at the average picture."""

    strength: float = 0.5
    layers: tuple[int, int] | None = None
    name: str = "caricature"

    kind = "caricature"
    stage = "w"  # what it changes: "z", "w" or "s"
    reach = (-1.0, 1.0)  # what its slider starts with

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        mean = door.map(latent.replace(psi=0.0, cutoff=None, edits=()))
        return value + self.strength * (value - mean)

    def describe(self, put: Put) -> Data:
        layers = None if self.layers is None else list(self.layers)
        return {"kind": self.kind, "strength": self.strength, "layers": layers, "name": self.name}

    @classmethod
    def build(cls, data: object, get: Get) -> Caricature:
        given = keys("edit", data, ("kind", "strength", "layers", "name"), required=("strength", "name"))
        return cls(given["strength"], given.get("layers"), given["name"])
