"""The controls of the StyleMixGrid and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

import ipywidgets as widgets

from ...core.checks import check_finite
from ...latent.caption import caption
from ...latent.latent import Latent
from ...mixing.grid import NOISES, MixGrid, Place
from ...mixing.sources import convert_mask, mask_of
from ..kit.controls.crossover import Crossover
from ..kit.controls.source_controls import PSI
from ..kit.host import Files, Host
from ..kit.opening import Below
from ..kit.parts import UndoButtons, button, column, control, heading, move, note, row, say, show
from ..kit.state_panel import StatePanel
from ..kit.tabs import Tabs
from .state import describe_place

if TYPE_CHECKING:
    from ..kit.live_picture import LivePicture

MIX, SOURCES, SAVE, EXPORT = "Mix", "Sources", "Save & code", "Export"


class GridHost(Host[MixGrid], Files, Protocol):
    """What the panels see of the widget."""

    @property
    def picture(self) -> LivePicture: ...
    @property
    def selected(self) -> Latent | None: ...
    def add(self, axis: str, *items: object) -> None: ...
    def send(self) -> object: ...
    def save_cell(self, path: str) -> object: ...
    def save_image(self, path: str) -> object: ...
    def save_figure(self, path: str) -> object: ...


class MixPanels:
    """Builds the controls, moves them to a grid, and passes what people do to the host. `parts` are the layout."""

    def __init__(self, host: GridHost) -> None:
        self._host = host
        self._undo = UndoButtons(host)
        self._about, self._saved = note(""), note("")
        self._switcher = Tabs(
            {MIX: self._make_mix, SOURCES: self._make_sources, SAVE: self._make_state, EXPORT: self._make_export},
            lambda name: self._refresh_code(),
        )
        left = column(host.view, row(*self._undo.both), flex="0 1 auto", margin="0 12px 0 0", min_width="0")
        right = column(
            heading("Chosen picture"),
            self._make_chosen(),
            self._switcher,
            flex="1 1 320px",
            min_width="0",
            width="auto",
        )
        self.below = Below()
        self.parts = (row(left, right, align_items="flex-start", width="100%"), self.below)

    def update(self, grid: MixGrid) -> None:
        """Move every control to `grid`."""
        self._undo.update()
        self._crossover.update(convert_mask(self._host.session, grid.mask, grid.space, "w+"))
        self._space.value, self._noise.value = grid.space, grid.noise
        for psi in self._psi.values():
            psi.update(grid)
        self._refresh_code()

    def choose(self, latent: Latent | None, place: Place | None, grid: MixGrid) -> None:
        """Say which picture is the large one."""
        say(self._about, describe_place(grid, place) if place is not None else caption(latent) if latent else "")
        self._refresh_code()

    # -- panels --------------------------------------------------------------------------------------------------------
    def _make_chosen(self) -> widgets.Widget:
        host = self._host
        self._path = control(
            widgets.Text,
            "cell.png",
            tip="file of the chosen picture, beside the notebook unless you give a folder",
            layout={"width": "170px"},
        )
        actions = [
            self._button("explore", "go on with this picture in a LatentExplorer", host.send),
            self._button("code", "Python that makes this picture", lambda: setattr(self._switcher, "selected", SAVE)),
            self._button("+ row", "add this picture as a row", lambda: host.add("rows", host.selected)),
            self._button("+ column", "add this picture as a column", lambda: host.add("columns", host.selected)),
        ]
        save = self._button("save", "write the picture in full size to this file", self._save_cell, self._saved)
        return column(host.picture.view, self._about, row(*actions), row(self._path, save, self._saved))

    def _make_mix(self) -> widgets.Widget:
        host = self._host
        self._crossover = Crossover(host.session.num_ws, self._on_range)
        tip = "w+: row by row; s: every style layer by itself, colours apart from shapes"
        self._space = _dropdown("mix in", tip, [("w+", "w+"), ("s", "s")], self._on_space)
        words = {"row": "of the row", "column": "of the column", "layers": "mixed by layer"}
        self._noise = _dropdown(
            "noise",
            "whose noise a cell has; it shows where sources have random noise or none",
            [(words[name], name) for name in NOISES],
            lambda noise: host.change("", lambda grid: grid.replace(noise=noise)),
        )
        self._psi = {axis: _Psi(host, axis) for axis in ("row", "column")}
        hint = note(
            "blue layers of a cell are those of its column, the others those of its row; paint them above the grid"
        )
        return column(self._crossover, hint, *(psi.root for psi in self._psi.values()), row(self._space, self._noise))

    def _make_sources(self) -> widgets.Widget:
        self._axis = _dropdown("add to", "the side of the grid", [("rows", "rows"), ("columns", "columns")])
        self._item = control(
            widgets.Text,
            tip="a seed, or the .json or .npz file of a saved state; several with commas between",
            layout={"width": "170px"},
            placeholder="seed or file",
        )
        hint = note(
            "Drag a header onto another one to swap them, also between rows and columns, or into the corner to remove it. "
            "By keyboard: arrows, shift with arrows moves, x swaps with the other side, r rerolls, Delete removes."
        )
        return column(row(self._axis, self._item, self._button("add", "add these sources", self._add)), hint)

    def _make_state(self) -> widgets.Widget:
        return StatePanel(self._host, "grid.json")

    def _make_export(self) -> widgets.Widget:
        self._name = control(
            widgets.Text,
            "style-mixing",
            tip="name of the file, without its ending",
            style={"description_width": "40px"},
            layout={"width": "210px"},
            description="name",
        )
        wrote = note("")
        words = {"PNG": "pixels as they are", "SVG": "text stays text", "PDF": "text stays text"}
        buttons = [
            self._button(
                kind, f"write the figure with its labels as {kind}: {why}", partial(self._export, kind.lower()), wrote
            )
            for kind, why in words.items()
        ]
        return column(row(self._name, *buttons), wrote)

    # -- what people do ------------------------------------------------------------------------------------------------
    def _button(
        self, text: str, tip: str, action: Callable[[], object], said: widgets.HTML | None = None
    ) -> widgets.Button:
        return button(text, tip, action, view=self._host.view, said=said)

    def _on_range(self, rows: tuple[int, int]) -> None:
        host = self._host
        host.change("range", lambda grid: grid.replace(mask=mask_of(host.session, rows, grid.space)))

    def _on_space(self, space: str) -> None:
        host = self._host
        host.change(
            "", lambda grid: grid.replace(space=space, mask=convert_mask(host.session, grid.mask, grid.space, space))
        )

    def _add(self) -> None:
        items = [item.strip() for item in self._item.value.split(",") if item.strip()]
        if not items:
            raise ValueError("type a seed, such as 7, or the file of a saved state, such as face.json")
        self._host.add(self._axis.value, *(int(item) if item.isdecimal() else item for item in items))
        self._item.value = ""

    def _save_cell(self) -> str:
        return f"saved in {self._host.save_cell(self._path.value)}"

    def _export(self, kind: str) -> str:
        name = self._name.value.strip()
        if not name:
            raise ValueError("give the figure a name")
        path = f"{name}.{kind}"
        made = self._host.save_image(path) if kind == "png" else self._host.save_figure(path)
        return f"wrote {made}"

    def _refresh_code(self) -> None:
        panel = self._switcher.shown(SAVE)
        if panel is not None:
            panel.refresh()


class _Psi:
    """ψ of one side: that of each source, or one for all."""

    def __init__(self, host: GridHost, axis: str) -> None:
        self._host, self._axis, self._name = host, axis, f"{axis}_psi"
        self._on = control(
            widgets.Checkbox,
            tip=f"one truncation for all {axis}s in place of their own",
            on=self._switch,
            layout={"width": "130px", "margin": "2px 0 2px 4px"},
            description=f"ψ of all {axis}s",
            indent=False,
        )
        self.root = row(self._on)

    @cached_property
    def _slider(self) -> widgets.FloatSlider:
        made = control(
            widgets.FloatSlider,
            1.0,
            tip="truncation ψ: 0 is the average picture, 1 the picture as drawn",
            on=lambda psi: self._set(self._name, psi),
            layout={"flex": "1 1 160px", "max_width": "300px"},
            min=PSI[0],
            max=PSI[1],
            step=0.01,
        )
        self.root.children += (made,)
        return made

    def update(self, grid: MixGrid) -> None:
        """Bring the controls to `grid`; the slider is made when it is first asked for."""
        psi = getattr(grid, self._name)
        self._on.value = psi is not None
        if psi is not None:
            move(self._slider, psi)
        if "_slider" in self.__dict__:
            show(self._slider, psi is not None)

    def _switch(self, on: bool) -> None:
        self._set("", self._slider.value if on else None)

    def _set(self, source: str, psi: float | None) -> None:
        value = None if psi is None else check_finite("ψ", psi)
        self._host.change(source, lambda grid: grid.replace(**{self._name: value}))


def _dropdown(
    text: str, tip: str, options: list[tuple[str, str]], on: Callable[[str], object] | None = None
) -> widgets.Dropdown:
    style, layout = {"description_width": "46px"}, {"width": "200px"}
    return control(widgets.Dropdown, tip=tip, on=on, style=style, layout=layout, description=text, options=options)
