"""What a page needs to know of a grid, as plain values; and the grid in words and as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...latent.caption import caption
from ...mixing.figures import describe_mask
from ...mixing.grid import HEADER, MixGrid, Place
from ...mixing.sources import mask_of

if TYPE_CHECKING:
    from ...generators.protocol import Layer
    from ...session.session import GeneratorSession


WIDTH = 600
"""Css pixels of all cells together, as long as each is within the limits below."""
SIDES = (48, 120)

WORDS = {"coarse": "pose, shape", "middle": "features", "fine": "colours"}
"""What the layers of a range do, as the paper's figure has it."""


def page_state(
    session: GeneratorSession, grid: MixGrid, place: Place | None, stale: Sequence[Place], version: int
) -> dict[str, object]:
    """Return the trait `state` of a `GridView`."""
    return {
        "version": version,
        "rows": [caption(latent) for latent in grid.rows],
        "columns": [caption(latent) for latent in grid.columns],
        "mask": list(grid.mask),
        "layers": layer_names(session, grid.space),
        "ranges": layer_ranges(session, grid.space),
        "selected": None if place is None else list(place),
        "stale": [list(each) for each in stale],
        "side": min(SIDES[1], max(SIDES[0], WIDTH // (grid.size[1] + 1))),
    }


def layer_names(session: GeneratorSession, space: str) -> list[dict[str, str]]:
    """Return name, group (the resolution) and title of each cell of the mask."""
    layers = session.layers
    if space == "s":
        return [_style_layer(k, layer) for k, layer in enumerate(layers)]
    return [_row(i, [layer for layer in layers if layer.ws_index == i]) for i in range(session.num_ws)]


def layer_ranges(session: GeneratorSession, space: str) -> list[dict[str, object]]:
    """Return name, what it does, and the mask of the coarse, the middle and the fine layers."""
    from ...directions.layers import named_ranges  # torch comes along, which a grid itself does not need

    return [
        {"name": name, "words": WORDS[name], "taken": list(mask_of(session, rows, space))}
        for name, rows in named_ranges(session.num_ws).items()
    ]


def describe_place(grid: MixGrid, place: Place) -> str:
    """Return what a place holds in words: "row 2 (seed 7) × column 1 (seed 12)"."""
    i, j = place
    row = f"row {i + 1} ({caption(grid.rows[i])})" if i != HEADER else ""
    column = f"column {j + 1} ({caption(grid.columns[j])})" if j != HEADER else ""
    return " × ".join(filter(None, (row, column)))


def describe_grid(grid: MixGrid) -> str:
    """Return the whole grid in one line."""
    rows, columns = (", ".join(caption(latent) for latent in axis) for axis in (grid.rows, grid.columns))
    return f"Style mixing of {rows} × {columns}: {describe_mask(grid)}"


def _style_layer(number: int, layer: Layer) -> dict[str, str]:
    name = "c" if layer.kind == "torgb" else str(number)
    return {"name": name, "group": _size(layer.resolution), "title": f"style layer {number}, {layer.name}"}


def _row(number: int, readers: Sequence[Layer]) -> dict[str, str]:
    """A row of w+ belongs to the resolution of the convolution that reads it; to that of the colours where none does."""
    convs = [layer for layer in readers if layer.kind == "conv"] or list(readers)
    read = " and ".join(layer.name for layer in readers) or "nothing"
    group = _size(max(layer.resolution for layer in convs)) if convs else ""
    return {"name": str(number), "group": group, "title": f"row {number} of w+, read by {read}"}


def _size(resolution: int) -> str:
    return f"{resolution}×{resolution}"
