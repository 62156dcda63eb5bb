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
from ...mixing.sources import convert_mask
from ..kit.controls.from_tools import FromTools
from ..kit.controls.source_controls import PSI
from ..kit.host import Files, Host
from ..kit.opening import Beside
from ..kit.parts import button, column, control, heading, move, note, place, row, say, show
from ..kit.source_note import source_note
from ..kit.state_panel import StatePanel
from ..kit.tabs import Tabs
from ..kit.views.toolbar import Action, Toolbar, undo_bar
from .part_choice import PartChoice
from .state import describe_place

if TYPE_CHECKING:
    from ..kit.live_picture import LivePicture

SOURCES, MIX, EXPORT, SAVE = "Rows and columns", "Mixing", "Pictures", "Save & code"


WORDS = ("row", "column", "layers", "coarse", "middle", "fine", "seed")
"""What a newcomer may not know of the grid."""


SOURCED = (
    "A source decides whom these pictures show, and seeds change nothing: cells that differ by their seed alone look alike. "
    'Rows of other poses and persons differ: grid.add("rows", session.latent(view=sw.Pose(yaw=20))).'
)
"""What it cannot do where a generator draws a source."""


class GridHost(Host[MixGrid], Files, Protocol):
    """What the panels see of the widget."""

    @property
    def picture(self) -> LivePicture: ...
    @property
    def selected(self) -> Latent | None: ...
    def add(self, axis: str, *items: object) -> None: ...
    def send(self) -> object: ...
    def save_cell(self, path: str) -> object: ...
    def receive(self, latent: Latent) -> None: ...
    def save_image(self, path: str) -> object: ...
    def save_figure(self, path: str) -> object: ...


class MixPanels:
    """Builds the controls, moves them to a grid, and passes what people do to the host. `parts` are the layout."""

    def __init__(self, host: GridHost) -> None:
        self._host = host
        self._undo = undo_bar(host)
        self._about, self._saved = note(""), note("")
        self._switcher = Tabs(
            {SOURCES: self._make_sources, MIX: self._make_mix, EXPORT: self._make_export, SAVE: self._make_state},
            lambda name: self._refresh_code(),
        )
        self.beside = Beside(host.view)
        left = place(
            "sw-grid-left", heading("Mixing grid", *WORDS), *source_note(host.session, SOURCED), host.view, self._undo
        )
        top = place("sw-grid-top", left, self._make_chosen())
        main = place("sw-home", top, self._switcher)
        self.parts = (place("sw-with-guest", main, self.beside),)

    def update(self, grid: MixGrid) -> None:
        """Move every control to `grid`."""
        self._undo.update(undo=not self._host.can_undo, redo=not self._host.can_redo)
        if self._switcher.made(MIX) is not None:
            self._space.value, self._noise.value = grid.space, grid.noise
            self._part.update(grid)
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
        actions = Toolbar(
            [
                Action(
                    "explore",
                    "go on with this picture in an explorer beside the grid",
                    host.send,
                    text="Explore",
                    primary=True,
                ),
                Action("row", "add this picture as another row", partial(self._use, "rows"), text="use as row"),
                Action("column", "add it as another column", partial(self._use, "columns"), text="use as column"),
            ],
            host.view,
            label="the chosen picture",
        )
        return place("sw-grid-chosen", heading("Chosen picture"), host.picture.view, self._about, actions)

    def _make_mix(self) -> widgets.Widget:
        host = self._host
        tip = "w+ has one code for each step of the network; s has every layer by itself, colours apart from shapes"
        self._space = _dropdown(
            "mix by", tip, [("steps of the network (w+)", "w+"), ("every single layer (s)", "s")], self._on_space
        )
        words = {"row": "of the row", "column": "of the column", "layers": "mixed by layer"}
        self._noise = _dropdown(
            "fine grain",
            "whose noise a picture has; it shows where sources have random noise or none",
            [(words[name], name) for name in NOISES],
            lambda noise: host.change("", lambda grid: grid.replace(noise=noise)),
        )
        self._psi = {axis: _Psi(host, axis) for axis in ("row", "column")}
        self._part = PartChoice(host)
        made = column(row(self._space, self._noise), self._part, *(psi.root for psi in self._psi.values()))
        self._part.update(host.value)
        self._space.value, self._noise.value = host.value.space, host.value.noise
        for psi in self._psi.values():
            psi.update(host.value)
        return made

    def _make_sources(self) -> widgets.Widget:
        self._axis = _dropdown("add as", "the side of the grid", [("rows", "rows"), ("columns", "columns")])
        self._item = control(
            widgets.Text,
            tip="a seed, or the .json or .npz file of a saved state; several with commas between",
            layout={"width": "200px"},
            placeholder="seed or file, such as 7",
        )
        hint = note(
            "Drag the picture of a row or column onto another one to swap the two, or into the corner to remove it. "
            "With the keys: arrows go round, shift and an arrow moves, x swaps with the other side, r takes another seed, "
            "Delete removes."
        )
        return column(row(self._axis, self._item, self._button("add", "add these sources", self._add)), hint)

    def _make_state(self) -> widgets.Widget:
        host = self._host
        return StatePanel(host, "grid.json", FromTools(host.session, host.receive, lambda: host.selected))

    def _make_export(self) -> widgets.Widget:
        self._name = control(
            widgets.Text,
            "style-mixing",
            tip="name of the file, without its ending",
            style={"description_width": "108px"},
            layout={"width": "280px", "max_width": "calc(100% - 4px)"},
            description="whole grid",
        )
        words = {"PNG": "pixels as they are", "SVG": "text stays text", "PDF": "text stays text"}
        buttons = [
            self._button(
                kind,
                f"write the whole grid with its labels as {kind}: {why}",
                partial(self._export, kind.lower()),
                self._saved,
            )
            for kind, why in words.items()
        ]
        self._path = control(
            widgets.Text,
            "cell.png",
            tip="file of the chosen picture, beside the notebook unless you give a folder",
            style={"description_width": "110px"},
            layout={"width": "260px", "max_width": "calc(100% - 4px)"},
            description="chosen picture",
        )
        save = self._button("save", "write the chosen picture in full size to this file", self._save_cell, self._saved)
        return column(row(self._name, *buttons), row(self._path, save), self._saved)

    # -- what people do ------------------------------------------------------------------------------------------------
    def _button(
        self, text: str, tip: str, action: Callable[[], object], said: widgets.HTML | None = None
    ) -> widgets.Button:
        return button(text, tip, action, view=self._host.view, said=said)

    def _use(self, axis: str) -> None:
        self._host.add(axis, self._host.selected)

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
            tip=f"one truncation ψ for all {axis}s in place of their own",
            on=self._switch,
            layout={"width": "180px", "margin": "2px 0 2px 4px"},
            description=f"one ψ for all {axis}s",
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
    style, layout = {"description_width": "64px"}, {"width": "270px", "max_width": "calc(100% - 4px)"}
    return control(widgets.Dropdown, tip=tip, on=on, style=style, layout=layout, description=text, options=options)
