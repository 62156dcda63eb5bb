"""The lines of Python that make a style-mixing grid again, and one of its cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...latent.expression import latent_code
from ...latent.latent import Latent
from ...mixing.grid import MixGrid, Place
from ..kit.code import WIDTH, _session_lines

if TYPE_CHECKING:
    from ...session.session import GeneratorSession


def grid_code(session: GeneratorSession, grid: MixGrid, place: Place | None = None) -> str:
    """Return Python that makes the figure of this grid and, where a place is given, exactly its picture."""
    lines = ["import stylewidgets as sw", "", *_session_lines(session), "", *_grid_lines(session, grid)]
    lines += ["pictures = sw.mixing.GridRenderer(session).all(grid)", "figure = sw.mixing.figure(grid, pictures)"]
    if place is not None:
        lines += ["", f"latent = sw.mixing.mix_cell(session, grid, {place!r})", "image = session.render(latent)"]
    return "\n".join(lines) + "\n"


def _grid_lines(session: GeneratorSession, grid: MixGrid) -> Iterator[str]:
    yield "grid = sw.MixGrid.of("
    yield "    session,"
    for axis in ("rows", "columns"):
        sources = [_source(session, latent).split("\n") for latent in getattr(grid, axis)]
        if all(len(each) == 1 for each in sources) and sum(len(each[0]) + 2 for each in sources) <= WIDTH:
            yield f"    {axis}=[{', '.join(each[0] for each in sources)}],"
            continue
        yield f"    {axis}=["
        for each in sources:
            yield from (f"        {line}" for line in each[:-1])
            yield f"        {each[-1]},"
        yield "    ],"
    yield f"    layers={_layers(grid)},"
    plain = {"space": "w+", "noise": "row", "row_psi": None, "column_psi": None, "part": "", "catalogue": ""}
    yield from (f"    {name}={getattr(grid, name)!r}," for name, usual in plain.items() if getattr(grid, name) != usual)
    yield ")"


def _layers(grid: MixGrid) -> str:
    """A range where the mask is one, else one number each."""
    taken = [i for i, each in enumerate(grid.mask) if each]
    if grid.space == "w+" and taken and taken == list(range(taken[0], taken[-1] + 1)):
        return f"({taken[0]}, {taken[-1] + 1})"
    return repr("all" if all(grid.mask) else "none") if len(set(grid.mask)) == 1 else repr(list(grid.mask))


def _source(session: GeneratorSession, latent: Latent) -> str:
    """A seed where that is all, else a latent by its values."""
    plain = latent.seed is not None and latent == session.latent(seed=latent.seed)
    return str(latent.seed) if plain else latent_code(session, latent)
