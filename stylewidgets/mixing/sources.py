"""What a grid is made from: sources given as seeds, latents or files, and masks given by name, range or layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from ..core.checks import check_layers, unknown_name
from ..latent.latent import Latent

if TYPE_CHECKING:
    from torch import Tensor

    from ..session.session import GeneratorSession

SPACES = ("w+", "s")
Layers = str | Sequence[int] | Sequence[bool]
"""A name, a range (first, last) of rows of w+, or one bool each."""


def as_source(session: GeneratorSession, item: object) -> Latent:
    """Return a seed, a latent, the path of a saved state, or anything with a `latent` (an inversion) as a checked latent."""
    if isinstance(item, (str, os.PathLike)):
        return session.check(Latent.load(item))
    latent = item if isinstance(item, Latent) else getattr(item, "latent", None)
    if isinstance(latent, Latent):
        return session.check(latent)
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return session.latent(seed=int(item))
    raise TypeError(f"a source is a seed, a Latent or the path of a saved state; {type(item).__name__} was given")


def mask_of(session: GeneratorSession, layers: Layers, space: str = "w+") -> tuple[bool, ...]:
    """Return one bool for each row of w+ (or for each style layer, in s) from a name, a range of rows, or bools.

    Ranges and names count rows of w+ in both spaces.
    """
    if space not in SPACES:
        raise unknown_name("space to mix in", space, SPACES)
    from ..directions.layers import named_ranges  # torch comes along, which a grid itself does not need

    num_ws, names = session.num_ws, named_ranges(session.num_ws)
    whole = {"all": (0, num_ws), "none": (0, 0)}
    if isinstance(layers, str):
        ranges = {**names, **whole}
        if layers not in ranges:
            raise unknown_name("range of layers", layers, ranges)
        first, last = ranges[layers]
    elif len(layers) == 2 and not any(isinstance(value, (bool, np.bool_)) for value in layers):
        first, last = check_layers(layers, num_ws)
    else:
        mask = tuple(bool(value) for value in layers)
        check_mask(session, mask, space)
        return mask
    return convert_mask(session, [first <= i < last for i in range(num_ws)], "w+", space)


def convert_mask(session: GeneratorSession, mask: Sequence[bool], old: str, new: str) -> tuple[bool, ...]:
    """Return a mask for another space. From s to w+, a row is taken when most of the layers that read it are."""
    if old == new:
        return tuple(mask)
    if new == "s":
        return layer_mask(session, mask, old)
    votes = [
        [taken for taken, layer in zip(mask, session.layers, strict=True) if layer.ws_index == i]
        for i in range(session.num_ws)
    ]
    return tuple(2 * sum(each) > len(each) for each in votes)


def layer_mask(session: GeneratorSession, mask: Sequence[bool], space: str) -> tuple[bool, ...]:
    """Return one bool for each style layer."""
    return tuple(mask) if space == "s" else tuple(bool(mask[layer.ws_index]) for layer in session.layers)


class HasParts(Protocol):
    """What a grid needs of `editing.Parts`, which stands above it."""

    @property
    def names(self) -> tuple[str, ...]: ...
    def carriers(self, part: str, *latents: Latent, method: str = ...) -> Tensor: ...


def parts_of(session: GeneratorSession, catalogue: str, part: str) -> HasParts:
    """The parts with this hash. ValueError where the session does not know them, or they have no such part."""
    found = cast(HasParts, session.editors.get("parts", catalogue))
    if part not in found.names:
        raise unknown_name("part", part, found.names)
    return found


def check_mask(session: GeneratorSession, mask: Sequence[bool], space: str) -> None:
    """Raise ValueError unless a mask has one bool for each row of w+, or for each style layer in s."""
    accepted = session.num_ws if space == "w+" else len(session.layers)
    if len(mask) != accepted:
        what = "row of w+" if space == "w+" else "style layer"
        raise ValueError(
            f"the mask has one bool for each {what}, {accepted} for this generator; {len(mask)} were given"
        )
