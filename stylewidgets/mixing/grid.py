"""MixGrid: everything that determines a style-mixing figure, as one value that never changes. Knows no torch module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from dataclasses import replace as _replace
from typing import TYPE_CHECKING, Any

from ..core.checks import check_finite, check_int, unknown_name
from ..latent.files import Data, Get, Put, keys, sequence
from ..latent.latent import Latent
from ..latent.saved import Saved, check_version
from .sources import SPACES, Layers, as_source, check_mask, mask_of, parts_of

if TYPE_CHECKING:
    from ..session.session import GeneratorSession

AXES = ("rows", "columns")
NOISES = ("row", "column", "layers")
VERSION = 1
KIND = "mix grid"
_PLAIN = ("space", "noise", "row_psi", "column_psi")
_PART = ("part", "catalogue")
MOST = 64
"""Sources on one side."""

HEADER = -1
"""Stands for the row or column number of a header's picture: (2, HEADER) is the source of row 2, (HEADER, 0) of column 0."""

Place = tuple[int, int]
"""(row, column) of a picture, from 0, or HEADER."""


@dataclass(frozen=True, eq=False, repr=False)
class MixGrid(Saved):
    """Sources down the side, styles across the top, and which layers come from the top.

    The cell in row i and column j is `rows[i]`, with the layers of `mask` taken from `columns[j]`.

    Args:
        rows: latents that give the layers outside of the mask; 1 to 64.
        columns: latents that give the layers in the mask; 1 to 64.
        mask: one bool for each row of w+ (space "w+") or for each style layer (space "s"); True is from the column.
        space: "w+", or "s" to choose layer by layer (StyleSpace, Wu et al., CVPR 2021).
        noise: whose noise a cell has: that of the "row", of the "column", or in each layer of the one whose style it has.
        row_psi, column_psi: truncation of all sources of that side, in place of their own; None leaves these.
        part: of the layers in the mask only the channels of this part come from the columns, such as "eyes"; "" for all.
        catalogue: hash of the parts that the name is one of, `editing.Parts.weights`.

    Raises:
        ValueError: no source or too many, an empty mask, an unknown name, or a psi that is not finite.
    """

    title = "style-mixing grid"
    accepted = "Accepted are .json and .npz files written by MixGrid.save or StyleMixGrid.save"

    rows: tuple[Latent, ...]
    columns: tuple[Latent, ...]
    mask: tuple[bool, ...]
    space: str = "w+"
    noise: str = "row"
    row_psi: float | None = None
    column_psi: float | None = None
    part: str = ""
    catalogue: str = ""

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name in _PART:
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is text; {type(getattr(self, name)).__name__} was given")
        if not self.part:
            set_(self, "catalogue", "")
        for axis in AXES:
            set_(self, axis, _sources(axis, getattr(self, axis)))
        set_(self, "mask", _mask(self.mask))
        if self.space not in SPACES:
            raise unknown_name("space to mix in", self.space, SPACES)
        if self.noise not in NOISES:
            raise unknown_name("choice of noise", self.noise, NOISES)
        for name in ("row_psi", "column_psi"):
            psi = getattr(self, name)
            set_(self, name, None if psi is None else check_finite(name, psi))

    @classmethod
    def of(
        cls,
        session: GeneratorSession,
        rows: Iterable[object],
        columns: Iterable[object],
        layers: Layers = "coarse",
        **settings: Any,
    ) -> MixGrid:
        """Return a grid that `session` can draw.

        Args:
            rows, columns: seeds, latents, or paths of saved states.
            layers: which layers come from the columns: "coarse", "middle", "fine", "all", "none", a range
                (first, last), or one bool each.
            settings: `space`, `noise`, `row_psi`, `column_psi`, `part`, `catalogue`; the latter is that of the session's parts
                by default.
        """
        space = settings.get("space", "w+")
        if settings.get("part") and not settings.get("catalogue"):
            settings["catalogue"] = session.editors.of("parts").weights
        sources = [tuple(as_source(session, item) for item in axis) for axis in (rows, columns)]
        return check_grid(session, cls(sources[0], sources[1], mask_of(session, layers, space), **settings))

    def __repr__(self) -> str:
        taken = "".join("#" if taken else "." for taken in self.mask)
        only = f", {self.part} only" if self.part else ""
        return f"MixGrid({len(self.rows)} x {len(self.columns)}, mask {taken} in {self.space}{only})"

    # -- what is where -----------------------------------------------------------------------------------------------
    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)

    def row(self, i: int) -> Latent:
        """The source of row i with the psi of its side."""
        return _with_psi(self._get("rows", i), self.row_psi)

    def column(self, j: int) -> Latent:
        """The source of column j with the psi of its side."""
        return _with_psi(self._get("columns", j), self.column_psi)

    def cells(self) -> Iterator[Place]:
        """Every (row, column), row by row."""
        return ((i, j) for i in range(len(self.rows)) for j in range(len(self.columns)))

    def places(self) -> Iterator[Place]:
        """The headers of the columns, of the rows, then the cells."""
        yield from ((HEADER, j) for j in range(len(self.columns)))
        yield from ((i, HEADER) for i in range(len(self.rows)))
        yield from self.cells()

    def content(self, place: Place) -> tuple[object, ...]:
        """What the picture at a place depends on: equal content, equal picture."""
        i, j = place
        if i == HEADER:
            return (self.column(j),)
        if j == HEADER:
            return (self.row(i),)
        return (self.row(i), self.column(j), self.mask, self.space, self.noise, self.part, self.catalogue)

    # -- variations --------------------------------------------------------------------------------------------------
    def replace(self, **changes: Any) -> MixGrid:
        """Return this grid with other values. TypeError for an unknown name, with the nearest one."""
        names = [field.name for field in fields(self)]
        for name in changes:
            if name not in names:
                raise TypeError(str(unknown_name("part of a MixGrid", name, names)))
        return _replace(self, **changes)

    def with_source(self, axis: str, index: int, latent: Latent) -> MixGrid:
        """Return this grid with another latent at a place of "rows" or "columns"."""
        self._get(axis, index)
        sources = list(getattr(self, axis))
        sources[index] = latent
        return self.replace(**{axis: tuple(sources)})

    def added(self, axis: str, latent: Latent) -> MixGrid:
        """Return this grid with one more row or column."""
        return self.replace(**{_axis(axis): (*getattr(self, axis), latent)})

    def without(self, axis: str, index: int) -> MixGrid:
        """Return this grid without one row or column. ValueError for the last one."""
        self._get(axis, index)
        sources = getattr(self, axis)
        if len(sources) == 1:
            raise ValueError(f"the last of the {axis} cannot be removed; put another source in its place")
        return self.replace(**{axis: (*sources[:index], *sources[index + 1 :])})

    def swapped(self, one: tuple[str, int], other: tuple[str, int]) -> MixGrid:
        """Return this grid with two sources exchanged, each given as ("rows" or "columns", index)."""
        a, b = self._get(*one), self._get(*other)
        return self.with_source(*one, b).with_source(*other, a)

    def _get(self, axis: str, index: int) -> Latent:
        sources: tuple[Latent, ...] = getattr(self, _axis(axis))
        return sources[check_int(f"the number of one of the {axis}", index, 0, len(sources) - 1)]

    # -- files ---------------------------------------------------------------------------------------------------------
    def describe(self, put: Put) -> Data:
        """What a file says of it, its latents as their own files would."""
        data: Data = {"kind": KIND, "version": VERSION, "mask": [int(taken) for taken in self.mask]}
        data |= {name: getattr(self, name) for name in (*_PLAIN, *(_PART if self.part else ()))}
        return data | {axis: [latent.describe(put) for latent in getattr(self, axis)] for axis in AXES}

    @classmethod
    def build(cls, data: object, get: Get) -> MixGrid:
        """The inverse of `describe`."""
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise ValueError(f"its description does not say that it is a style-mixing grid (kind: {KIND!r})")
        check_version(data.get("version"), VERSION)
        given = keys("grid", data, ("kind", "version", "mask", *AXES, *_PLAIN, *_PART), required=("mask", *AXES))
        rows, columns = (tuple(Latent.build(item, get) for item in sequence(axis, given[axis])) for axis in AXES)
        plain = {name: given[name] for name in (*_PLAIN, *_PART) if name in given}
        return cls(rows, columns, tuple(sequence("mask", given["mask"])), **plain)


def check_grid(session: GeneratorSession, grid: MixGrid) -> MixGrid:
    """Return `grid` if this generator can draw it; else ValueError with what was given and what is accepted."""
    if not isinstance(grid, MixGrid):
        raise TypeError(
            f"a MixGrid is expected; {type(grid).__name__} was given. MixGrid.of(session, [1], [2]) makes one"
        )
    check_mask(session, grid.mask, grid.space)
    if grid.part:
        parts_of(session, grid.catalogue, grid.part)
    for axis in ("rows", "columns"):
        for i, latent in enumerate(getattr(grid, axis)):
            try:
                session.check(latent)
            except ValueError as error:
                raise ValueError(f"{axis[:-1]} {i}: {error}") from None
    return grid


def nearest_first(places: Iterable[Place], near: Place | None) -> list[Place]:
    """Headers first, then cells by their distance from `near`; in the given order when it is None."""

    def distance(place: Place) -> tuple[bool, int]:
        far = 0 if near is None else (place[0] - near[0]) ** 2 + (place[1] - near[1]) ** 2
        return HEADER not in place, far

    return sorted(places, key=distance)


def _axis(axis: str) -> str:
    if axis not in AXES:
        raise unknown_name("side of a grid", axis, AXES)
    return axis


def _with_psi(latent: Latent, psi: float | None) -> Latent:
    return latent if psi is None else latent.replace(psi=psi)


def _sources(axis: str, given: Iterable[Latent]) -> tuple[Latent, ...]:
    try:
        sources = tuple(given)
    except TypeError:
        raise TypeError(f"{axis} is a sequence of latents; {type(given).__name__} was given") from None
    for source in sources:
        if not isinstance(source, Latent):
            raise TypeError(
                f"{axis} holds latents; {type(source).__name__} was given. MixGrid.of(session, ...) takes seeds and paths too"
            )
    if not 1 <= len(sources) <= MOST:
        raise ValueError(f"a grid has 1 to {MOST} {axis}; {len(sources)} were given")
    return sources


def _mask(given: Iterable[object]) -> tuple[bool, ...]:
    values = tuple(given)
    if not values:
        raise ValueError("the mask needs one bool for each layer; it is empty")
    for value in values:
        if value not in (0, 1):
            raise ValueError(f"the mask holds bools; {value!r:.40} was given. A range (first, last) goes to MixGrid.of")
    return tuple(bool(value) for value in values)
