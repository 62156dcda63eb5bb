"""StyleMixGrid: the style-mixing figure of StyleGAN, alive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from ... import mixing
from ...core.checks import check_int
from ...core.files import as_path, check_suffix, writing
from ...core.pictures import encoded
from ...core.pixels import tiled
from ...latent.latent import Latent
from ...mixing.figures import describe_mask, figure, save_figure, sheet
from ...mixing.grid import HEADER, MixGrid, Place, check_grid
from ...mixing.sources import as_source
from ..kit.base import StateWidget
from ..kit.controls.source_controls import random_seed
from ..kit.errors import report
from ..kit.live_picture import LivePicture
from ..kit.sharing import shared_layout
from ..kit.state_lock import STATE
from ..kit.static import SavedPicture
from ..kit.views.grid_view import GridView, Header
from .code import grid_code
from .filler import GridFiller
from .panels import MixPanels
from .state import describe_grid, page_state

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...session.session import GeneratorSession
    from ..latent_explorer.explorer import LatentExplorer

ROWS, COLUMNS = (1, 2, 3), (4, 5, 6, 7)
RESOLUTION = 128
SAVED_WIDTH = 560
"""Css pixels of the picture that a notebook keeps."""


class StyleMixGrid(StateWidget[MixGrid]):
    """Sources down the side, styles across the top, mixed pictures between (Karras et al., CVPR 2019, figure 3).

    `value` is the only state: controls build the next `MixGrid` and assign it, and whatever assigns it (a control, undo, a
    cell, `traitlets.link`) moves the controls and the pictures. `selected` is the latent of the chosen picture.

    Args:
        session: draws.
        rows, columns: seeds, latents, or paths of saved states; an inverted photo is a latent.
        layers: which layers come from the columns; see `MixGrid.of`.
        value: a `MixGrid`, in place of these three.
        explorer: a `LatentExplorer` that `send` and the button "explore" give the chosen picture to. None: a new one.
        resolution: longest side in pixels of a cell; the chosen picture always has full size.
        size: width of the chosen picture in css pixels.

    Raises:
        TypeError: an unknown keyword, with the nearest one that exists.
        ValueError: a source or a mask that does not fit the generator.
    """

    value = traitlets.Instance(MixGrid)
    """The current `MixGrid`. Assign, observe or link it; one that does not fit the generator raises."""
    selected = traitlets.Instance(Latent, allow_none=True)
    """The latent of the chosen picture. It follows the grid; assigning another one shows that, and chooses no cell."""

    def __init__(
        self,
        session: GeneratorSession,
        rows: Iterable[object] = ROWS,
        columns: Iterable[object] = COLUMNS,
        *,
        layers: str | Sequence[int] | Sequence[bool] = "coarse",
        value: MixGrid | None = None,
        explorer: LatentExplorer | None = None,
        resolution: int = RESOLUTION,
        size: int = 300,
    ) -> None:
        start = MixGrid.of(session, rows, columns, layers) if value is None else check_grid(session, value)
        self.explorer = explorer
        self.resolution = check_int("resolution", resolution, 8)
        self._version, self._choosing = 0, False
        self._place: Place | None = (0, 0)
        self._renderer = session.grid_renderer()
        view = GridView(layout=shared_layout())
        self._filler = GridFiller(
            self._draw, self._show, self._announce, self._filled, self._failed, at_once=self._renderer.at_once
        )
        self.picture = LivePicture(session, size, "Chosen picture")
        super().__init__(session, start, view, SavedPicture(SAVED_WIDTH), "sw-mixgrid")
        self._panels = MixPanels(self)
        self._listen()
        self._begin(*self._panels.parts)
        self._choose()
        self.observe(self._on_selected, "selected")
        self.picture.submit(self._need_selected())
        self._filler.prepare(start)

    # -- what it shows -----------------------------------------------------------------------------------------------
    @property
    def cell(self) -> Place | None:
        """The chosen place (row, column), with -1 for a header; None when `selected` came from elsewhere."""
        return self._place

    def latent(self, row: int, column: int) -> Latent:
        """Return the latent of a cell, or of a header with -1 in place of the other number."""
        place = self._check_place((row, column))
        return mixing.mix_cell(self.session, self.value, place)

    def pictures(self, resolution: int | None = None) -> dict[Place, NDArray[np.uint8]]:
        """Return all pictures, uint8 [h, w, 3] by (row, column), -1 for headers. Draws what is missing.

        Args:
            resolution: longest side in pixels; None is that of the cells.
        """
        grid = self.value
        known = self._filler.pictures(grid) if resolution in (None, self.resolution) else {}
        missing = [place for place in grid.places() if place not in known]
        drawn = self._renderer.cells(grid, missing, resolution=resolution or self.resolution)
        return {**known, **{(i, j): picture for i, j, picture in drawn}}

    @property
    def image(self) -> Image.Image:
        """The whole grid with its labels as a PIL image, drawn now as far as it is not."""
        return sheet(self.value, self.pictures())

    def figure(self, resolution: int | None = None) -> Figure:
        """Return the grid as a `matplotlib.figure.Figure`."""
        return figure(self.value, self.pictures(resolution))

    def finish(self) -> None:
        """Draw every cell now, and return when that is done. Without a page nothing else would ask a slow grid to."""
        self._filler.finish()

    # -- going somewhere ---------------------------------------------------------------------------------------------
    def select(self, row: int, column: int) -> None:
        """Choose a cell, or a header with -1 in place of the other number."""
        with STATE:
            self._place = self._check_place((row, column))
            self._choose()
            self._announce(self._filler.stale)

    def add(self, axis: str, *items: object) -> None:
        """Add sources to "rows" or "columns": seeds, latents or paths; a random seed when none is given."""
        with STATE:
            grid = self.value
            for item in items or (random_seed(),):
                grid = grid.added(axis, as_source(self.session, item))
            self.value = grid

    def remove(self, axis: str, index: int) -> None:
        """Remove a source. ValueError for the last one of its side."""
        self.value = self.value.without(axis, index)

    def reroll(self, axis: str, index: int) -> None:
        """Put a random seed in the place of a source."""
        self.value = self.value.with_source(axis, index, as_source(self.session, random_seed()))

    def swap(self, one: Header, other: Header) -> None:
        """Exchange two sources, each ("rows" or "columns", index)."""
        self.value = self.value.swapped(one, other)

    def send(self, explorer: LatentExplorer | None = None) -> LatentExplorer:
        """Give the chosen picture to a `LatentExplorer` and return it: the given one, `self.explorer`, or one beside the
        grid."""
        made: LatentExplorer = self._panels.beside.send(self.session, self._need_selected(), explorer or self.explorer)
        return made

    def receive(self, latent: Latent) -> None:
        """Take a latent that another widget sends: it becomes another row."""
        self.add("rows", latent)

    # -- files and code ------------------------------------------------------------------------------------------------
    def save_figure(self, path: str | os.PathLike[str], resolution: int | None = None) -> Path:
        """Write the grid with its labels as .svg or .pdf (text stays text) or .png by matplotlib; return the path."""
        return save_figure(self.figure(resolution), path)

    def save_image(self, path: str | os.PathLike[str]) -> Path:
        """Write the grid with its labels as .png, pixel by pixel, and return the path."""
        return _save_png(self.image, path)

    def save_cell(self, path: str | os.PathLike[str]) -> Path:
        """Write the chosen picture in full size as .png and return the path."""
        return _save_png(self.session.render(self._need_selected()), path)

    def code(self) -> str:
        """Return lines of Python that make exactly this figure, and the chosen picture."""
        return grid_code(self.session, self.value, self._place)

    def _need_selected(self) -> Latent:
        if self.selected is None:
            raise ValueError("no picture is chosen: click a cell, or grid.select(0, 0)")
        return self.selected

    # -- wiring: state -------------------------------------------------------------------------------------------------
    def _checked(self, value: MixGrid) -> MixGrid:
        return check_grid(self.session, value)

    def _words(self) -> str:
        rows, columns = self.value.size
        return f"{rows} x {columns}, {describe_mask(self.value)}"

    def _displayed(self) -> None:
        self._filler.begin()  # the page builds its view meanwhile

    def _end(self) -> None:
        self._filler.close()
        self.view.forget()
        self.picture.close()

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Mapping[str, Latent | None]) -> Latent | None:
        return None if proposal["value"] is None else self.session.check(proposal["value"])

    def _check_place(self, place: Place) -> Place:
        sizes = self.value.size
        made = tuple(
            check_int(name, n, HEADER, size - 1) for name, n, size in zip(("row", "column"), place, sizes, strict=True)
        )
        if made == (HEADER, HEADER):
            raise ValueError("-1 stands for a header; there is none in the corner")
        return made[0], made[1]

    def _update(self) -> None:
        self._panels.update(self.value)

    def _follow(self, old: MixGrid, new_step: bool) -> None:
        grid = self.value
        if self._place is not None:
            rows, columns = grid.size
            self._place = (min(self._place[0], rows - 1), min(self._place[1], columns - 1))
        STATE.afterwards((id(self), "grid"), lambda: self._filler.submit(grid))
        self._choose()

    def _choose(self) -> None:
        """Make `selected` the latent of the chosen place."""
        if self._place is not None:
            outer, self._choosing = self._choosing, True
            try:
                self.selected = mixing.mix_cell(self.session, self.value, self._place)
            finally:
                self._choosing = outer
        self._panels.choose(self.selected, self._place, self.value)

    def _on_selected(self, _: object) -> None:
        with STATE:
            latent = self.selected
            if not self._choosing:
                self._place = None
                self._panels.choose(latent, None, self.value)
                self._announce(self._filler.stale)
            if latent is not None:
                STATE.afterwards((id(self), "picture"), lambda: self.picture.submit(latent))

    # -- wiring: pictures ------------------------------------------------------------------------------------------------
    def _draw(self, grid: MixGrid, places: Sequence[Place]) -> list[NDArray[np.uint8]]:
        return self._renderer.draw(grid, places, self.resolution)

    def _show(self, index: int, pictures: Mapping[Place, NDArray[np.uint8]]) -> None:
        self.view.show(index, pictures, self._version)

    def _announce(self, stale: list[Place]) -> None:
        """Tell the page what the grid is, before its pictures."""
        with STATE:
            self._version += 1
            self.view.state = page_state(self.session, self.value, self._place, stale, self._version)

    def _filled(self) -> None:
        """Nothing more is drawn for now: say so, and where no page will say that it rests, keep the picture."""
        count, left, each = len(list(self.value.places())), len(self._filler.stale), self._filler.seconds_each * 1000
        done = f"{count} pictures" if not left else f"{count - left} of {count} pictures"
        self.view.status = f"{done} · {each:.0f} ms each · {describe_mask(self.value)}"
        if not self._filler.live:
            self._rest()

    def _rest(self) -> None:
        """Keep the picture for pages without a kernel, and for the notebook's file."""
        grid = self.value
        pictures = self._filler.pictures(grid)
        if pictures and (self._filler.done or not self._filler.live):
            rows, columns = grid.size
            whole = tiled({(i + 1, j + 1): picture for (i, j), picture in pictures.items()}, rows + 1, columns + 1)
            self.view.rest(whole)
            data = encoded(sheet(grid, pictures), "PNG")
            self.saved.update(data, "image/png", describe_grid(grid))

    def _failed(self, error: Exception) -> None:
        report(self.view, error, "drawing the grid")

    # -- wiring: page ----------------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        view, filler = self.view, self._filler
        view.on_hello, view.on_ack, view.on_near = filler.hello, filler.acknowledge, filler.near
        view.on_settle = self._rest
        view.on_pick = lambda place: self._guard(self.select, *place)
        # A painted stroke has a number of its own, so it stays one step however long the hand rests in it.
        view.on_mask = lambda mask, stroke: self.change(
            f"stroke {stroke}", lambda grid: grid.replace(mask=mask), float("inf")
        )
        view.on_swap = lambda one, other: self._guard(self.swap, one, other)
        view.on_remove = lambda header: self._guard(self.remove, *header)
        view.on_reroll = lambda header: self._guard(self.reroll, *header)
        view.on_add = lambda axis: self._guard(self.add, axis)
        view.on_key = self._on_key


def _save_png(image: Image.Image, path: str | os.PathLike[str]) -> Path:
    check_suffix(path, (".png",), "saved picture")
    with writing(path) as part:
        image.save(part, "PNG")
    return as_path(path)
