"""A named, ordered collection of directions that belongs to one generator and lives in one file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace as _replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import files
from ..core.checks import unknown_name
from ..latent.latent import Direction

if TYPE_CHECKING:
    from ..session.session import GeneratorSession

FORMAT = 1
SUFFIXES = (".npz", ".safetensors")
_KEY = "stylewidgets"
_OTHERS = "Those of other tools are read by stylewidgets.read_directions(path, session); directions.from_tensor takes any array"
_FIELDS = ("name", "sigma", "space", "unit", "source", "layers", "explained")


class DirectionSet(Mapping[str, Direction]):
    """Directions by name, in order, together with the identity of the generator that they were made for.

    A set never changes: `add`, `rename`, `remove` and `merge` return a new one. Two sets are equal when they hold equal
    directions in the same order for the same generator.

    Args:
        directions: `Direction` values; their names must differ.
        w_dim: width of w of the generator, or None when unknown. Vectors are checked against it.
        num_ws: rows of w+ of the generator, or None when unknown.
        weights: fingerprint of the generator's parameters (see `fingerprint`), "" when unknown.

    Raises:
        ValueError: two directions share a name, or a vector does not fit w_dim or num_ws.
    """

    def __init__(
        self,
        directions: Iterable[Direction] = (),
        *,
        w_dim: int | None = None,
        num_ws: int | None = None,
        weights: str = "",
    ) -> None:
        self.w_dim = None if w_dim is None else int(w_dim)
        self.num_ws = None if num_ws is None else int(num_ws)
        self.weights = str(weights)
        self._items: dict[str, Direction] = {}
        for direction in directions:
            if not isinstance(direction, Direction):
                raise TypeError(f"a DirectionSet holds Direction values; {type(direction).__name__} was given")
            if direction.name in self._items:
                raise ValueError(f"two directions are called {direction.name!r}; names must differ: rename one of them")
            self._check_shape(direction)
            self._items[direction.name] = direction

    @classmethod
    def of(cls, session: GeneratorSession, directions: Iterable[Direction] = ()) -> DirectionSet:
        """A set marked with the identity of `session`'s generator."""
        return cls(directions, w_dim=session.w_dim, num_ws=session.num_ws, weights=session.fingerprint())

    # -- reading ---------------------------------------------------------------------------------------------------
    def __getitem__(self, name: str) -> Direction:
        try:
            return self._items[name]
        except (KeyError, TypeError):
            raise UnknownDirection(str(unknown_name("direction", str(name), self.names))) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DirectionSet):
            return NotImplemented
        return self._identity() == other._identity() and list(self._items.items()) == list(other._items.items())

    def __hash__(self) -> int:
        return hash((self._identity(), tuple(self._items.values())))

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:6]) + (", …" if len(self) > 6 else "")
        return f"DirectionSet({len(self)}: {shown})" if self._items else "DirectionSet(empty)"

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(self._items)

    # -- changing (each returns a new set) -------------------------------------------------------------------------
    def add(self, *directions: Direction, replace: bool = False) -> DirectionSet:
        """This set and `directions` at its end. With replace=True a direction of the same name is replaced in place."""
        items = dict(self._items)
        for direction in directions:
            if direction.name in items and not replace:
                raise ValueError(
                    f"there already is a direction called {direction.name!r}; rename one of them or pass replace=True"
                )
            items[direction.name] = direction
        return self._with(items.values())

    def remove(self, *names: str) -> DirectionSet:
        """This set without the named directions."""
        gone = {self[name].name for name in names}
        return self._with(d for d in self._items.values() if d.name not in gone)

    def rename(self, old: str, new: str) -> DirectionSet:
        """This set with one direction under a new name, at the same position."""
        target = self[old]
        if new != old and new in self._items:
            raise ValueError(f"cannot rename {old!r} to {new!r}: there already is a direction with that name")
        if not new:
            raise ValueError("a direction needs a name; an empty one was given")
        renamed = _replace(target, name=new)
        return self._with(renamed if d is target else d for d in self._items.values())

    def merge(self, other: DirectionSet, replace: bool = False) -> DirectionSet:
        """This set followed by `other`. Both must fit the same generator; equal names need replace=True."""
        for name in ("w_dim", "num_ws"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is not None and theirs is not None and mine != theirs:
                raise ValueError(
                    f"these direction sets belong to different generators: {name} is {mine} here and {theirs} there"
                )
        base = DirectionSet(
            self._items.values(),
            w_dim=self.w_dim if self.w_dim is not None else other.w_dim,
            num_ws=self.num_ws if self.num_ws is not None else other.num_ws,
            weights=_same_weights(self.weights, other.weights),
        )
        return base.add(*other.values(), replace=replace)

    def check(self, session: GeneratorSession) -> DirectionSet:
        """Return this set if it fits `session`; ValueError when sizes differ, a warning when only the weights differ."""
        for name in ("w_dim", "num_ws"):
            mine, theirs = getattr(self, name), getattr(session, name)
            if mine is not None and mine != theirs:
                raise ValueError(
                    f"these directions were made for a generator with {name} {mine}; this one has {theirs}. "
                    "Make them again from this session, for example with stylewidgets.directions.components(session)"
                )
        if self.weights and self.weights != session.fingerprint():
            warnings.warn(
                "these directions were made with other weights of the same shape; their effect may differ", stacklevel=2
            )
        return self

    # -- files -----------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one file, `.npz` or `.safetensors` by its suffix, and return its path. Nothing in it is executable."""
        files.check_suffix(path, SUFFIXES, "direction file")
        about = {
            "kind": "directions",
            "version": FORMAT,
            "w_dim": self.w_dim,
            "num_ws": self.num_ws,
            "weights": self.weights,
            "directions": [_fields(d) for d in self.values()],
        }
        arrays = {f"d{i:04d}": np.asarray(d.vector, np.float32) for i, d in enumerate(self.values())}
        return files.write_arrays(path, arrays, about, _KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> DirectionSet:
        """Read a file that `save` wrote.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the file is damaged, holds something else or is of a newer format.
        """
        try:
            files.check_suffix(path, SUFFIXES, "direction file")
        except ValueError as error:
            raise ValueError(f"{error}. {_OTHERS}") from None
        with files.reading(
            path, "direction file", f"Accepted are files written by DirectionSet.save. {_OTHERS}"
        ) as found:
            meta, arrays = files.read_arrays(found, _KEY)
            if not isinstance(meta, dict) or meta.get("kind") != "directions":
                raise ValueError("its description does not say that it holds directions")
            if meta["version"] > FORMAT:
                raise ValueError(f"it has format {meta['version']}; this version of stylewidgets reads up to {FORMAT}")
            items = []
            for i, fields in enumerate(meta["directions"]):
                known = {key: fields[key] for key in _FIELDS if key in fields}
                known["layers"] = None if known.get("layers") is None else tuple(known["layers"])
                items.append(Direction(vector=arrays[f"d{i:04d}"], **known))
            return cls(items, w_dim=meta["w_dim"], num_ws=meta["num_ws"], weights=meta.get("weights", ""))

    # -- inside ----------------------------------------------------------------------------------------------------
    def _identity(self) -> tuple[int | None, int | None, str]:
        return self.w_dim, self.num_ws, self.weights

    def _with(self, directions: Iterable[Direction]) -> DirectionSet:
        return DirectionSet(directions, w_dim=self.w_dim, num_ws=self.num_ws, weights=self.weights)

    def _check_shape(self, direction: Direction) -> None:
        shape = direction.vector.shape
        if direction.space != "w" or self.w_dim is None:
            return
        rows_fit = len(shape) == 1 or self.num_ws is None or shape[0] == self.num_ws
        if shape[-1] != self.w_dim or not rows_fit:
            rows = "num_ws" if self.num_ws is None else self.num_ws
            raise ValueError(
                f"direction {direction.name!r} has shape {list(shape)}; this generator takes "
                f"[{self.w_dim}] or [{rows}, {self.w_dim}]"
            )


class UnknownDirection(KeyError, ValueError):
    """No direction of that name; the text lists the nearest ones. A KeyError, so `in` and `get` work as for any mapping."""

    def __str__(self) -> str:  # KeyError would show the repr of the text
        return str(self.args[0])


def _same_weights(a: str, b: str) -> str:
    """The common fingerprint; "" when both are known and differ, because the merged set then belongs to neither."""
    return a if a == b or not b else b if not a else ""


def _fields(direction: Direction) -> dict[str, Any]:
    fields = {key: getattr(direction, key) for key in _FIELDS}
    fields["layers"] = None if direction.layers is None else tuple(int(x) for x in direction.layers)
    return fields
