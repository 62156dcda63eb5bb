"""One cell: the layers of a mask from one latent, the rest from another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..core.checks import check_layers, unknown_name
from ..directions.layers import named_ranges
from ..latent.latent import Code, Latent
from ..session.synthesis import SEEDED_NOISE
from .grid import HEADER, NOISES, SPACES, MixGrid, Place

if TYPE_CHECKING:
    from ..session.session import GeneratorSession


def mix(
    session: GeneratorSession,
    row: Any,
    column: Any,
    layers: Any = "coarse",
    *,
    space: str = "w+",
    noise: str = "row",
    row_psi: float | None = None,
    column_psi: float | None = None,
) -> Latent:
    """Return the latent that is `row` with some layers of `column` (style mixing, Karras et al., CVPR 2019).

    Both are mapped, truncated and edited first. The result is a code in w+, or in s where the mask or a source needs it,
    without truncation and edits of its own; with an empty or full mask it is one of the sources itself. Its label and
    whatever else is not a style are those of `row`.

    Args:
        row, column: seeds, latents, or paths of saved states.
        layers: which come from `column`: "coarse", "middle", "fine", "all", "none", a range (first, last), or one bool each.
        space: "w+" (the mask is over the rows of w+) or "s" (over the style layers).
        noise: "row", "column", or "layers". A latent has one noise: where the two differ, "layers" gives that of `row`.
        row_psi, column_psi: truncation in place of the latents' own.

    Raises:
        ValueError: a latent or a mask that does not fit the generator, or an unknown name.
    """
    settings = {"space": space, "noise": noise, "row_psi": row_psi, "column_psi": column_psi}
    return mix_cell(session, MixGrid.of(session, [row], [column], layers, **settings), (0, 0))


def mix_cell(session: GeneratorSession, grid: MixGrid, place: Place) -> Latent:
    """Return the latent of a place of a grid: a cell's mix, or a header's source with the psi of its side."""
    i, j = place
    if i == HEADER:
        return grid.column(j)
    row = grid.row(i)
    if j == HEADER:
        return row
    column = grid.column(j)
    mask = layer_mask(session, grid.mask, grid.space)
    noisy = column if grid.noise == "column" else row
    noise: dict[str, Any] = {"noise_mode": noisy.noise_mode, "noise_seed": noisy.noise_seed}
    if not any(mask):
        return row.replace(**noise)
    if all(mask) and not _beyond_styles(row, column):
        return column.replace(**noise)
    code = _code(session, row, column, mask, grid)
    return row.replace(code=code, psi=1.0, cutoff=None, edits=(), **noise)


def as_source(session: GeneratorSession, item: Any) -> Latent:
    """Return a seed, a latent, the path of a saved state, or anything with a `latent` (an inversion) as a checked latent."""
    if isinstance(item, (str, os.PathLike)):
        return session.check(Latent.load(item))
    if isinstance(getattr(item, "latent", None), Latent):
        return session.check(item.latent)
    if isinstance(item, Latent):
        return session.check(item)
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return session.latent(seed=int(item))
    raise TypeError(f"a source is a seed, a Latent or the path of a saved state; {type(item).__name__} was given")


def mask_of(session: GeneratorSession, layers: Any, space: str = "w+") -> tuple[bool, ...]:
    """Return one bool for each row of w+ (or for each style layer, in s) from a name, a range of rows, or bools.

    Ranges and names count rows of w+ in both spaces.
    """
    if space not in SPACES:
        raise unknown_name("space to mix in", space, SPACES)
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
        _check_mask(session, mask, space)
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


def check_grid(session: GeneratorSession, grid: MixGrid) -> MixGrid:
    """Return `grid` if this generator can draw it; else ValueError with what was given and what is accepted."""
    if not isinstance(grid, MixGrid):
        raise TypeError(
            f"a MixGrid is expected; {type(grid).__name__} was given. MixGrid.of(session, [1], [2]) makes one"
        )
    _check_mask(session, grid.mask, grid.space)
    for axis in ("rows", "columns"):
        for i, latent in enumerate(getattr(grid, axis)):
            try:
                session.check(latent)
            except ValueError as error:
                raise ValueError(f"{axis[:-1]} {i}: {error}") from None
    return grid


def source_styles(session: GeneratorSession, latent: Latent) -> list[Tensor]:
    """One [1, C_l] per layer."""
    return session.code_styles(latent)


def noise_of(grid: MixGrid, place: Place, taken: Sequence[bool]) -> tuple[tuple[str, int], ...]:
    """The (mode, seed) of the noise of each convolution, where `taken` says which of them are in the mask."""
    i, j = place
    row = _noise(grid.row(i)) if i != HEADER else _noise(grid.column(j))
    column = _noise(grid.column(j)) if j != HEADER else row
    if HEADER in place or grid.noise == "row":
        return (row,) * len(taken)
    if grid.noise == "column":
        return (column,) * len(taken)
    return tuple(column if each else row for each in taken)


def _noise(latent: Latent) -> tuple[str, int]:
    return latent.noise_mode, latent.noise_seed if latent.noise_mode in SEEDED_NOISE else 0


def _code(session: GeneratorSession, row: Latent, column: Latent, mask: Sequence[bool], grid: MixGrid) -> Code:
    if grid.space == "w+" and not (_lives_in_s(row) or _lives_in_s(column)):
        taken = torch.tensor(grid.mask, dtype=torch.bool, device=session.device)[:, None]
        return Code("w+", torch.where(taken, session.map(column)[0], session.map(row)[0]).cpu().numpy())
    pairs = zip(source_styles(session, row), source_styles(session, column), mask, strict=True)
    return Code("s", torch.cat([theirs if taken else own for own, theirs, taken in pairs], dim=1).cpu().numpy())


def _lives_in_s(latent: Latent) -> bool:
    coded = latent.code is not None and latent.code.space == "s"
    return coded or any(edit.direction.space == "s" and edit.strength for edit in latent.edits)


def _beyond_styles(row: Latent, column: Latent) -> bool:
    """Whether the two differ in what stays with the row though all styles come from the column."""
    plain = {"seed": 0, "psi": 1.0, "cutoff": None, "label": None, "edits": (), "noise_mode": "const", "noise_seed": 0}
    return row.replace(**plain) != column.replace(**plain)


def _check_mask(session: GeneratorSession, mask: Sequence[bool], space: str) -> None:
    accepted = session.num_ws if space == "w+" else len(session.layers)
    if len(mask) != accepted:
        what = "row of w+" if space == "w+" else "style layer"
        raise ValueError(
            f"the mask has one bool for each {what}, {accepted} for this generator; {len(mask)} were given"
        )


__all__ = [
    "NOISES", "as_source", "check_grid", "convert_mask", "layer_mask", "mask_of", "mix", "mix_cell", "noise_of",
    "source_styles",
]  # fmt: skip
