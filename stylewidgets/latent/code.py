"""Code: a point in one of the generator's spaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.checks import unknown_name
from ..core.values import Value, as_numpy, frozen
from .files import Data, Get, Put, keys

SPACES = ("z", "w", "w+", "s")


@dataclass(frozen=True, eq=False, repr=False)
class Code(Value):
    """A point in one of the generator's spaces.

    Args:
        space: "z" (before the mapping network), "w", "w+" (one w per row), or "s" (StyleSpace, Wu et al., CVPR 2021).
        array: float32, read-only: z [z_dim], w [w_dim], w+ [num_ws, w_dim], s [sum of the layers' channels] in the order
            of `session.layers`. Arrays and tensors with a leading 1 are accepted, for s also a list with one array a layer.

    Raises:
        ValueError: an unknown space, a shape that cannot belong to it, or values that are not finite.
    """

    space: str
    array: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise unknown_name("space", self.space, SPACES)
        given = self.array
        if self.space == "s" and isinstance(given, (list, tuple)) and given and np.ndim(as_numpy(given[0])):
            given = np.concatenate([np.ravel(as_numpy(part)) for part in given])
        array = frozen(f"the {self.space} code", given)
        ndim = 2 if self.space == "w+" else 1
        if array.ndim == ndim + 1 and array.shape[0] == 1:
            array = array[0]
        if array.ndim != ndim or array.size == 0:
            accepted = {"w+": "[num_ws, w_dim]", "s": "[sum of channels]"}.get(self.space, f"[{self.space}_dim]")
            raise ValueError(f"a code in {self.space} has shape {accepted}; {list(array.shape)} was given")
        object.__setattr__(self, "array", array)

    def __repr__(self) -> str:
        return f"Code({self.space!r}, array of {list(self.array.shape)})"

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        return {"space": self.space, "array": put(self.array)}

    @classmethod
    def build(cls, data: object, get: Get) -> Code:
        """The inverse of `describe`."""
        given = keys("code", data, ("space", "array"), required=("space", "array"))
        return cls(given["space"], get(given["array"]))
