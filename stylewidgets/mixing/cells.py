"""One cell: the layers of a mask from one latent, the rest from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.values import as_numpy
from ..latent.latent import SEEDED_NOISE, Code, Latent
from ..latent.transfer import TransferEdit
from .grid import HEADER, MixGrid, Place
from .sources import Layers, layer_mask, parts_of

if TYPE_CHECKING:
    from ..session.session import GeneratorSession


def mix(
    session: GeneratorSession,
    row: object,
    column: object,
    layers: Layers = "coarse",
    *,
    space: str = "w+",
    noise: str = "row",
    row_psi: float | None = None,
    column_psi: float | None = None,
    part: str = "",
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
        part: of these layers only the channels that carry this part, such as "eyes", of the session's parts; "" for all. The
            result is then `row` with an edit.

    Raises:
        ValueError: a latent or a mask that does not fit the generator, or an unknown name.
    """
    settings = {"space": space, "noise": noise, "row_psi": row_psi, "column_psi": column_psi, "part": part}
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
    if grid.part:
        return _with_part(session, grid, row, column, mask).replace(**noise)
    if not any(mask):
        return row.replace(**noise)
    if all(mask) and not _beyond_styles(row, column):
        return column.replace(**noise)
    code = _code(session, row, column, mask, grid)
    return row.replace(code=code, psi=1.0, cutoff=None, edits=(), **noise)


def _with_part(session: GeneratorSession, grid: MixGrid, row: Latent, column: Latent, mask: Sequence[bool]) -> Latent:
    """The row with one part of the column, as far as its channels are in the mask: an edit that can be dragged."""
    found = parts_of(session, grid.catalogue, grid.part).carriers(grid.part, row, column, method="editing")
    taken = np.repeat(np.asarray(mask, np.float32), [layer.channels for layer in session.layers])
    weights = as_numpy(found) * taken
    return row.with_edit(TransferEdit(column, weights, name=grid.part)) if weights.any() else row


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
    if grid.space == "w+" and not (row.in_s or column.in_s):
        taken = np.asarray(grid.mask, np.bool_)[:, None]
        return Code("w+", np.where(taken, as_numpy(session.map(column)[0]), as_numpy(session.map(row)[0])))
    pairs = zip(session.code_styles(row), session.code_styles(column), mask, strict=True)
    return Code("s", np.concatenate([as_numpy(theirs if taken else own) for own, theirs, taken in pairs], axis=1))


def _beyond_styles(row: Latent, column: Latent) -> bool:
    """Whether the two differ in what stays with the row though all styles come from the column."""
    plain = {"seed": 0, "psi": 1.0, "cutoff": None, "label": None, "edits": (), "noise_mode": "const", "noise_seed": 0}
    return row.replace(**plain) != column.replace(**plain)
