"""Direction: a named direction to edit along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_finite, check_layers, unknown_name
from ..core.values import Value, frozen, what
from .files import Data, Get, Put, keys

SPACES = ("z", "w", "s")
MAX_TEXT = 200
FEW = 64
"""Directions of at most so many channels are written into code channel by channel."""
_PLAIN = ("name", "sigma", "space", "unit", "source", "layers", "explained")
_SHAPES = {"z": "[z_dim]", "w": "[w_dim] or [num_ws, w_dim]", "s": "[sum of channels]"}


@dataclass(frozen=True, eq=False, repr=False)
class Direction(Value):
    """A named direction to edit along. One unit of strength adds ``sigma * vector``.

    Args:
        name: unique within one latent or set.
        vector: float32, read-only: [w_dim] or [num_ws, w_dim] in "w"; [z_dim] in "z"; flat [sum of channels] in "s".
        sigma: length of one unit of strength, as a rule the standard deviation along the vector.
        space: "w", "s", or "z", before the mapping network (such as the boundaries of InterFaceGAN, Shen et al., CVPR 2020).
        unit: of the strength, for display.
        source: where it comes from, in words.
        layers: rows (first, last) of w+ where it works best, or None for all: what controls start with. None in z.
        explained: share of the variance along it, or None.

    Raises:
        ValueError: an empty name, a shape that cannot belong to the space, or values that are not finite.
    """

    name: str
    vector: NDArray[np.float32]
    sigma: float = 1.0
    space: str = "w"
    unit: str = "σ"
    source: str = ""
    layers: tuple[int, int] | None = None
    explained: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or len(self.name) > MAX_TEXT:
            raise ValueError(f"a direction's name is a text of 1 to {MAX_TEXT} characters; {self.name!r:.80} was given")
        if self.space not in SPACES:
            raise unknown_name(f"space of a direction (here {self.name!r})", self.space, SPACES)
        for name in ("unit", "source"):
            if not isinstance(getattr(self, name), str):
                text = f"{name} of direction {self.name!r} must be text; {what(getattr(self, name))} was given"
                raise ValueError(text)  # noqa: TRY004
        vector = frozen(f"direction {self.name!r}", self.vector)
        if vector.size == 0 or vector.ndim not in ((1, 2) if self.space == "w" else (1,)):
            raise ValueError(
                f"direction {self.name!r} in {self.space} has shape {_SHAPES[self.space]}; {list(vector.shape)} was given"
            )
        set_ = object.__setattr__
        set_(self, "vector", vector)
        set_(self, "sigma", check_finite(f"sigma of direction {self.name!r}", self.sigma))
        if self.layers is not None:
            if self.space == "z":
                raise ValueError(f"z has no rows, so layers of direction {self.name!r} must be None")
            set_(self, "layers", check_layers(self.layers))
        if self.explained is not None:
            set_(self, "explained", check_finite(f"explained of direction {self.name!r}", self.explained))

    def __repr__(self) -> str:
        more = "" if self.layers is None else f", layers={self.layers}"
        return f"Direction({self.name!r}, array of {list(self.vector.shape)}, sigma={self.sigma:.4g}, space={self.space!r}{more})"

    @classmethod
    def of_channels(cls, name: str, weights: Mapping[int, float], size: int, **rest: Any) -> Direction:
        """Return a direction in s that moves a few channels.

        Args:
            weights: by place in the flat styles.
            size: sum of the layers' channels.
            rest: `sigma`, `unit`, `source`, `layers`, `explained`.
        """
        vector = np.zeros(size, np.float32)
        vector[list(weights)] = list(weights.values())
        return cls(name, vector, space="s", **rest)

    @property
    def channels(self) -> NDArray[np.intp]:
        """Places of the channels that it moves, [n]; none in z and w."""
        return np.flatnonzero(self.vector) if self.space == "s" else np.zeros(0, np.intp)

    @property
    def label(self) -> str:
        """Where it comes from, in a line."""
        parts = [f"strength in {self.unit or 'units'}", *filter(None, [self.source])]
        if self.explained is not None:
            parts.append(f"{100 * self.explained:.1f} % of the variance")
        return f"{self.name}: " + ", ".join(parts)

    def code(self) -> str | None:
        """Python that makes an equal one, where it moves few enough channels to be read."""
        if not 0 < len(self.channels) <= FEW:
            return None
        weights = {int(place): float(self.vector[place]) for place in self.channels}
        usual = {f.name: f.default for f in fields(self)}
        rest = ((name, getattr(self, name)) for name in _PLAIN if name not in ("name", "space"))
        words = "".join(f", {name}={value!r}" for name, value in rest if value != usual[name])
        return f"sw.Direction.of_channels({self.name!r}, {weights!r}, {self.vector.size}{words})"

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        data: Data = {name: getattr(self, name) for name in _PLAIN}
        return {**data, "layers": None if self.layers is None else list(self.layers), "vector": put(self.vector)}

    @classmethod
    def build(cls, data: object, get: Get) -> Direction:
        """The inverse of `describe`."""
        given = keys("direction", data, (*_PLAIN, "vector"), required=("name", "vector"))
        return cls(**{**given, "vector": get(given["vector"])})
