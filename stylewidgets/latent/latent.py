"""Latent: everything that determines one picture, as one value that never changes. Knows no torch module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from dataclasses import replace as _replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_finite, check_int, check_layers, unknown_name
from ..core.values import Value, as_numpy, frozen, what
from .view import IDENTITY, Transform

if TYPE_CHECKING:
    import os

__all__ = ["IDENTITY", "MAX_SEED", "NOISE_MODES", "SPACES", "Code", "Direction", "Edit", "Latent", "Transform"]

SPACES = ("z", "w", "w+", "s")
NOISE_MODES = ("const", "random", "none", "tf")
MAX_SEED = 2**32 - 1
_Value = Value
_MAX_TEXT = 200


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


@dataclass(frozen=True, eq=False, repr=False)
class Direction(Value):
    """A named direction to edit along. One unit of strength adds ``sigma * vector``.

    Args:
        name: unique within one latent or set.
        vector: float32, read-only: [w_dim] or [num_ws, w_dim] in "w"; flat [sum of channels] in "s".
        sigma: length of one unit of strength, as a rule the standard deviation along the vector.
        space: "w" or "s".
        unit: of the strength, for display.
        source: where it comes from, in words.
        layers: rows (first, last) of w+ where it works best, or None for all: what controls start with.
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
        if not isinstance(self.name, str) or not self.name.strip() or len(self.name) > _MAX_TEXT:
            raise ValueError(
                f"a direction's name is a text of 1 to {_MAX_TEXT} characters; {self.name!r:.80} was given"
            )
        if self.space not in ("w", "s"):
            raise unknown_name(f"space of a direction (here {self.name!r})", self.space, ("w", "s"))
        for name in ("unit", "source"):
            if not isinstance(getattr(self, name), str):
                text = f"{name} of direction {self.name!r} must be text; {what(getattr(self, name))} was given"
                raise ValueError(text)  # noqa: TRY004
        vector = frozen(f"direction {self.name!r}", self.vector)
        if vector.size == 0 or vector.ndim not in ((1, 2) if self.space == "w" else (1,)):
            accepted = "[w_dim] or [num_ws, w_dim]" if self.space == "w" else "[sum of channels]"
            raise ValueError(
                f"direction {self.name!r} in {self.space} has shape {accepted}; {list(vector.shape)} was given"
            )
        set_ = object.__setattr__
        set_(self, "vector", vector)
        set_(self, "sigma", check_finite(f"sigma of direction {self.name!r}", self.sigma))
        if self.layers is not None:
            set_(self, "layers", check_layers(self.layers))
        if self.explained is not None:
            set_(self, "explained", check_finite(f"explained of direction {self.name!r}", self.explained))

    def __repr__(self) -> str:
        more = "" if self.layers is None else f", layers={self.layers}"
        return f"Direction({self.name!r}, array of {list(self.vector.shape)}, sigma={self.sigma:.4g}, space={self.space!r}{more})"


@dataclass(frozen=True, eq=False, repr=False)
class Edit(Value):
    """A direction with a strength: adds ``strength * direction.sigma * direction.vector``.

    Args:
        direction: the `Direction`.
        strength: any finite number; 0 changes nothing.
        layers: rows first … last − 1 of w+ that it acts on (for "s": layers that read these rows); None for all.
    """

    direction: Direction
    strength: float
    layers: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.direction, Direction):
            raise TypeError(
                f"an Edit takes a Direction, such as session.directions['name']; {what(self.direction)} was given"
            )
        strength = check_finite(f"strength of {self.direction.name!r}", self.strength)
        object.__setattr__(self, "strength", strength)
        if self.layers is not None:
            object.__setattr__(self, "layers", check_layers(self.layers))

    def __repr__(self) -> str:
        more = "" if self.layers is None else f", layers={self.layers}"
        return f"Edit({self.direction.name!r}, {self.strength:g}{more})"


@dataclass(frozen=True, eq=False, repr=False)
class Latent(Value):
    """One picture as a value: where it starts, how it is truncated, its label, noise and edits.

    Exactly one of seed, blend and code is the source; with none of them it is seed 0.

    Args:
        seed: z is ``numpy.random.RandomState(seed).randn(1, z_dim)``; 0 to 2**32 - 1.
        blend: (seed, weight) pairs with weights that sum to 1, mixed in w before truncation.
        code: a `Code`.
        psi: truncation (Karras et al., CVPR 2019): w_avg + psi·(w − w_avg). 1 is none, 0 the average picture.
        cutoff: rows 0 … cutoff − 1 of w+ are truncated; None for all.
        label: class index of a conditional generator, else None.
        noise_mode: "const" (the stored noise), "random" (drawn from noise_seed), "none", or "tf": as the TensorFlow scripts of
            StyleGAN2 and ADA draw it, after z from the same RandomState. For their pictures give noise_seed=seed.
        noise_seed: 0 to 2**32 - 1; of "random" and "tf".
        edits: `Edit` values, applied after truncation, whose directions have different names.
        transform: a `Transform`: shift, rotation and scale of the whole picture, for generators that can (StyleGAN3).

    Raises:
        ValueError: a value out of range, two sources, or two edits of one name.
    """

    seed: int | None = None
    blend: tuple[tuple[int, float], ...] = ()
    code: Code | None = None
    psi: float = 1.0
    cutoff: int | None = None
    label: int | None = None
    noise_mode: str = "const"
    noise_seed: int = 0
    edits: tuple[Edit, ...] = ()
    transform: Transform = IDENTITY

    def __post_init__(self) -> None:
        blend = _pairs(self.blend)
        sources = {"seed": self.seed is not None, "blend": bool(blend), "code": self.code is not None}
        given = [name for name, there in sources.items() if there]
        if len(given) > 1:
            raise ValueError(f"one of seed, blend and code is the source of a latent; {' and '.join(given)} were given")
        if self.code is not None and not isinstance(self.code, Code):
            raise TypeError(f"code is a Code, such as Code('w', array); {what(self.code)} was given")
        seed = (
            None
            if blend or self.code is not None
            else 0
            if self.seed is None
            else check_int("seed", self.seed, 0, MAX_SEED)
        )
        if not isinstance(self.transform, Transform):
            raise TypeError(f"transform is a Transform, such as Transform(angle=30); {what(self.transform)} was given")
        if self.noise_mode not in NOISE_MODES:
            raise unknown_name("noise mode", self.noise_mode, NOISE_MODES)
        values = {
            "seed": seed,
            "blend": blend,
            "psi": check_finite("psi", self.psi),
            "cutoff": None if self.cutoff is None else check_int("cutoff", self.cutoff, 0),
            "label": None if self.label is None else check_int("label", self.label, 0),
            "noise_seed": check_int("noise_seed", self.noise_seed, 0, MAX_SEED),
            "edits": _edits(self.edits),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if getattr(self, f.name) != f.default]
        return f"Latent({', '.join(shown)})"

    # -- variations --------------------------------------------------------------------------------------------------
    def replace(self, **changes: Any) -> Latent:
        """Return this latent with other values. Setting one of seed, blend and code clears the other two.

        Raises:
            TypeError: an unknown name; the nearest one is named.
        """
        names = [field.name for field in fields(self)]
        for name in changes:
            if name not in names:
                raise TypeError(str(unknown_name("part of a Latent", name, names)))
        empty = {"seed": None, "blend": (), "code": None}
        if any(name in changes and changes[name] is not None and changes[name] != () for name in empty):
            changes = {**empty, **changes}
        return _replace(self, **changes)

    def with_edit(self, direction: Direction, strength: float, layers: tuple[int, int] | None = None) -> Latent:
        """Return this latent with an edit along `direction`: in place of the one of that name, else after all others.

        Strength 0 keeps the edit, so that its control stays. `layers` None acts on all rows of w+.
        """
        edit = Edit(direction, strength, layers)
        if any(old.direction.name == direction.name for old in self.edits):
            return _replace(self, edits=tuple(edit if o.direction.name == direction.name else o for o in self.edits))
        return _replace(self, edits=(*self.edits, edit))

    def without_edit(self, name: str) -> Latent:
        """Return this latent without the edit of that name. ValueError when there is none."""
        self._edit(name)
        return _replace(self, edits=tuple(edit for edit in self.edits if edit.direction.name != name))

    def strength(self, name: str) -> float:
        """Return the strength of the edit of that name. ValueError when there is none."""
        return self._edit(name).strength

    def _edit(self, name: str) -> Edit:
        for edit in self.edits:
            if edit.direction.name == name:
                return edit
        raise unknown_name("edit", name, [edit.direction.name for edit in self.edits])

    # -- text and files ----------------------------------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; arrays become base64 text. `from_dict` gives an equal latent."""
        from . import files as _latent_io

        return _latent_io.to_dict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Latent:
        """Return the latent of a dict that `to_dict` made. ValueError with the reason when it cannot be read."""
        from . import files as _latent_io

        return _latent_io.from_dict(data)

    def to_json(self) -> str:
        """Return the latent as one line of JSON."""
        from . import files as _latent_io

        return _latent_io.to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Latent:
        """Return the latent of a text that `to_json` made. ValueError with the reason when it cannot be read."""
        from . import files as _latent_io

        return _latent_io.from_json(text)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a .json or .npz file, by the path's ending, and return its path."""
        from . import files as _latent_io

        return _latent_io.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Latent:
        """Read a file that `save` wrote. Nothing in it is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged, holds something else or was written by a newer version.
        """
        from . import files as _latent_io

        return _latent_io.load(path)


def _pairs(blend: Iterable[Sequence[Any]]) -> tuple[tuple[int, float], ...]:
    try:
        pairs = [(seed, weight) for seed, weight in blend]
    except (TypeError, ValueError):
        raise ValueError(
            f"blend is (seed, weight) pairs, such as ((1, 0.25), (2, 0.75)); {blend!r:.80} was given"
        ) from None
    checked = tuple(
        (check_int("a seed of blend", s, 0, MAX_SEED), check_finite("a weight of blend", w)) for s, w in pairs
    )
    total = sum(weight for _, weight in checked)
    if checked and abs(total - 1.0) > 1e-4:
        raise ValueError(f"the weights of blend must sum to 1; they sum to {total:g}. Divide each by that")
    return checked


def _edits(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    try:
        edits = tuple(edits)
    except TypeError:
        raise TypeError(f"edits is a sequence of Edit values; {what(edits)} was given") from None
    seen: set[str] = set()
    for edit in edits:
        if not isinstance(edit, Edit):
            raise TypeError(
                f"edits holds Edit values; {what(edit)} was given. latent.with_edit(direction, strength) makes one"
            )
        if edit.direction.name in seen:
            raise ValueError(
                f"two edits are called {edit.direction.name!r}; names must differ. with_edit replaces the old one"
            )
        seen.add(edit.direction.name)
    return edits
