"""The controls of the StyleMixGrid and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...core.checks import check_finite
from ...latent.caption import caption
from ...latent.latent import Latent
from ...mixing.grid import NOISES, MixGrid, Place
from ...mixing.sources import convert_mask, mask_of
from ..kit.compat import button, set_tooltip
from ..kit.controls.crossover import Crossover
from ..kit.controls.source_controls import PSI
from ..kit.errors import reporting
from ..kit.parts import STYLE, column, heading, note, row, say
from ..kit.state_panel import StatePanel
from ..kit.switcher import Switcher
from .state import describe_place

if TYPE_CHECKING:
    from .grid import StyleMixGrid

MIX, SOURCES, SAVE, EXPORT = "Mix", "Sources", "Save & code", "Export"
_LABEL = {"description_width": "62px"}


class MixPanels:
    """Builds the controls, moves them to a grid, and passes what people do to the widget. `root` is the whole layout."""

    def __init__(self, owner: StyleMixGrid) -> None:
        self._owner = owner
        self._undo = self._button("undo", "one step back (key z)", owner.undo)
        self._redo = self._button("redo", "one step forward (key y)", owner.redo)
        self._crossover = Crossover(owner.session.num_ws, self._on_range)
        self._space = _dropdown("mix in", [("w+", "w+"), ("s", "s")], "200px")
        set_tooltip(self._space, "w+: row by row; s: every style layer by itself, colours apart from shapes")
        words = {"row": "of the row", "column": "of the column", "layers": "mixed by layer"}
        self._noise = _dropdown("noise", [(words[name], name) for name in NOISES], "230px")
        set_tooltip(self._noise, "whose noise a cell has; it shows where sources have random noise or none")
        self._psi = {axis: _Psi(owner, axis) for axis in ("row", "column")}
        self._space.observe(lambda event: self._on_space(event["new"]), "value")
        self._noise.observe(lambda event: owner.change("", lambda grid: grid.replace(noise=event["new"])), "value")
        self._about = note("")
        self._switcher = Switcher(
            {MIX: self._make_mix, SOURCES: self._make_sources, SAVE: self._make_state, EXPORT: self._make_export},
            lambda name: self._refresh_code(),
        )
        left = column(owner.view, row(self._undo, self._redo), flex="0 1 auto", margin="0 12px 0 0", min_width="0")
        right = column(
            heading("Chosen picture"),
            self._make_chosen(),
            self._switcher,
            flex="1 1 320px",
            min_width="0",
            width="auto",
        )
        style = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        self._below = column(width="100%")
        self.root = widgets.VBox([style, row(left, right, align_items="flex-start", width="100%"), self._below])

    def update(self, grid: MixGrid, can_undo: bool, can_redo: bool) -> None:
        """Move every control to `grid`."""
        self._undo.disabled, self._redo.disabled = not can_undo, not can_redo
        self._crossover.update(convert_mask(self._owner.session, grid.mask, grid.space, "w+"))
        self._space.value, self._noise.value = grid.space, grid.noise
        for control in self._psi.values():
            control.update(grid)
        self._refresh_code()

    def choose(self, latent: Latent | None, place: Place | None, grid: MixGrid) -> None:
        """Say which picture is the large one."""
        say(self._about, describe_place(grid, place) if place is not None else caption(latent) if latent else "")
        self._refresh_code()

    def show_below(self, widget: Any | None) -> None:
        """Put a widget under the grid, or nothing."""
        self._below.children = () if widget is None else (widget,)

    def close(self) -> None:
        """Close the panels that are not in the tree at present."""
        self._switcher.close_panels()

    # -- panels --------------------------------------------------------------------------------------------------------
    def _make_chosen(self) -> Any:
        owner = self._owner
        self._path = widgets.Text("cell.png", layout=widgets.Layout(width="110px"))
        set_tooltip(self._path, "file of the chosen picture, beside the notebook unless you give a folder")
        actions = [
            self._button("explore", "go on with this picture in a LatentExplorer", owner.send),
            self._button("code", "Python that makes this picture", lambda: setattr(self._switcher, "selected", SAVE)),
            self._button("+ row", "add this picture as a row", lambda: owner.add("rows", owner.selected)),
            self._button("+ column", "add this picture as a column", lambda: owner.add("columns", owner.selected)),
        ]
        self._saved = note("")
        return column(
            owner.picture.view,
            self._about,
            row(*actions),
            row(
                self._path,
                self._button("save", "write the picture in full size to this file", self._save_cell),
                self._saved,
            ),
        )

    def _make_mix(self) -> Any:
        words = note(
            "blue layers of a cell are those of its column, the others those of its row; paint them above the grid"
        )
        return column(self._crossover, words, *(psi.root for psi in self._psi.values()), row(self._space, self._noise))

    def _make_sources(self) -> Any:
        self._axis = _dropdown("add to", [("rows", "rows"), ("columns", "columns")], "170px")
        self._item = widgets.Text(placeholder="seed or file", layout=widgets.Layout(width="170px"))
        set_tooltip(self._item, "a seed, or the .json or .npz file of a saved state; several with commas between")
        hint = note(
            "Drag a header onto another one to swap them, also between rows and columns, or into the corner to remove it. "
            "By keyboard: arrows, shift with arrows moves, x swaps with the other side, r rerolls, Delete removes."
        )
        return column(row(self._axis, self._item, self._button("add", "add these sources", self._add)), hint)

    def _make_state(self) -> Any:
        owner = self._owner
        return StatePanel(owner.save, owner.load, owner.code, owner.view, "grid.json")

    def _make_export(self) -> Any:
        self._name = widgets.Text("style-mixing", description="name", style={"description_width": "40px"},
                                  layout=widgets.Layout(width="210px"))  # fmt: skip
        set_tooltip(self._name, "name of the file, without its ending")
        self._wrote = note("")
        words = {"PNG": "pixels as they are", "SVG": "text stays text", "PDF": "text stays text"}
        buttons = [
            self._button(
                kind, f"write the figure with its labels as {kind}: {why}", lambda kind=kind: self._export(kind.lower())
            )
            for kind, why in words.items()
        ]
        return column(row(self._name, *buttons), self._wrote)

    # -- what people do ------------------------------------------------------------------------------------------------
    def _button(self, text: str, tooltip: str, action: Any) -> widgets.Button:
        def guarded() -> None:
            with reporting(self._owner.view):
                action()

        return button(text, tooltip, guarded)

    def _on_range(self, rows: tuple[int, int]) -> None:
        owner = self._owner
        owner.change("range", lambda grid: grid.replace(mask=mask_of(owner.session, rows, grid.space)))

    def _on_space(self, space: str) -> None:
        owner = self._owner
        owner.change(
            "", lambda grid: grid.replace(space=space, mask=convert_mask(owner.session, grid.mask, grid.space, space))
        )

    def _add(self) -> None:
        items = [item.strip() for item in self._item.value.split(",") if item.strip()]
        if not items:
            raise ValueError("type a seed, such as 7, or the file of a saved state, such as face.json")
        self._owner.add(self._axis.value, *(int(item) if item.isdecimal() else item for item in items))
        self._item.value = ""

    def _save_cell(self) -> None:
        say(self._saved, "")
        say(self._saved, f"saved in {self._owner.save_cell(self._path.value)}")

    def _export(self, kind: str) -> None:
        say(self._wrote, "")
        name = self._name.value.strip()
        if not name:
            raise ValueError("give the figure a name")
        path = f"{name}.{kind}"
        made = self._owner.save_image(path) if kind == "png" else self._owner.save_figure(path)
        say(self._wrote, f"wrote {made}")

    def _refresh_code(self) -> None:
        panel = self._switcher.made(SAVE)
        if panel is not None and self._switcher.selected == SAVE:
            panel.refresh()


class _Psi:
    """ψ of one side: that of each source, or one for all."""

    def __init__(self, owner: StyleMixGrid, axis: str) -> None:
        self._owner, self._name = owner, f"{axis}_psi"
        self._on = widgets.Checkbox(
            description=f"ψ of all {axis}s", indent=False, layout=widgets.Layout(width="130px", margin="2px 0 2px 4px")
        )
        set_tooltip(self._on, f"one truncation for all {axis}s in place of their own")
        self._slider = widgets.FloatSlider(
            1.0,
            min=PSI[0],
            max=PSI[1],
            step=0.01,
            disabled=True,
            layout=widgets.Layout(flex="1 1 160px", max_width="300px"),
        )
        set_tooltip(self._slider, "truncation ψ: 0 is the average picture, 1 the picture as drawn")
        self._on.observe(lambda event: self._change("", event["new"]), "value")
        self._slider.observe(lambda event: self._change(self._name, True), "value")
        self.root = row(self._on, self._slider)

    def update(self, grid: MixGrid) -> None:
        psi = getattr(grid, self._name)
        self._on.value, self._slider.disabled = psi is not None, psi is None
        if psi is not None:
            self._slider.min, self._slider.max = min(self._slider.min, psi), max(self._slider.max, psi)
            self._slider.value = psi

    def _change(self, source: str, on: bool) -> None:
        def transform(grid: MixGrid) -> MixGrid:
            return grid.replace(**{self._name: check_finite("ψ", self._slider.value) if on else None})

        if on or source == "":
            self._owner.change(source, transform)


def _dropdown(text: str, options: list[tuple[str, str]], width: str) -> widgets.Dropdown:
    return widgets.Dropdown(description=text, options=options, style={"description_width": "46px"},
                            layout=widgets.Layout(width=width))  # fmt: skip
