"""The controls of the StyleSpaceProbe and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...latent.latent import Latent
from ..kit.compat import button, set_tooltip
from ..kit.errors import reporting
from ..kit.jobs import Jobs
from ..kit.parts import STYLE, close_tree, column, note, row, say
from ..kit.state_panel import StatePanel
from ..kit.switcher import Switcher
from ..kit.views.channel_map import as_bytes
from .attribute_panel import AttributePanel
from .edit_panel import EditPanel
from .edits import edit_of
from .effect_panel import EffectPanel, StrengthSlider
from .example_panel import ExamplePanel
from .place_panel import PlacePanel
from .report_panel import ReportPanel
from .search import ATTRIBUTE, EFFECT, EXAMPLES, PLACE, VALUE, ProbeSearch

if TYPE_CHECKING:
    from .probe import StyleSpaceProbe

CHANNEL, BY_PLACE, BY_EXAMPLE, BY_ATTRIBUTE = "Channel", "By place", "By example", "By attribute"
EDITS, REPORT, SAVE = "Edits", "Report", "Save & code"

MEASURES = {
    "value in σ": VALUE,
    "effect on the whole picture": EFFECT,
    "effect inside a place": PLACE,
    "common to examples (θ)": EXAMPLES,
    "relation to an attribute": ATTRIBUTE,
}


class ProbePanels:
    """Builds the controls, moves them to a latent, and passes what people do to the widget. `root` is the whole layout."""

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch, work: Jobs) -> None:
        self._owner, self._search = owner, search
        self._syncing = False
        self._numbers_of: Any = None
        self._undo = self._button("undo", "one step back (key z)", owner.undo)
        self._redo = self._button("redo", "one step forward (key y)", owner.redo)
        random = self._button("random", "another random seed (key r on the picture); the edits stay", owner.randomize)
        self._strength = StrengthSlider(owner.move_selected, self._on_name)
        self._measure = widgets.Dropdown(
            options=list(MEASURES.items()), value=VALUE, description="colour by", style={"description_width": "62px"},
            layout=widgets.Layout(width="290px", max_width="100%"),
        )  # fmt: skip
        set_tooltip(self._measure, "what the colours of the map show")
        self._measure.observe(self._on_measure_chosen, "value")
        self._hint = note("")
        self._effect = EffectPanel(search.effect_changed, owner.move_selected)
        self._below = column(width="100%")
        self.edits = EditPanel(owner, search, self._below)
        self._switcher = Switcher(self._factories(), self._on_panel)
        view = owner.picture.view
        left = column(
            view, self._strength, row(self._undo, self._redo, random),
            flex="0 1 auto", width=f"{view.size + 4}px", margin="0 12px 0 0",
        )  # fmt: skip
        right = column(
            row(self._measure, self._hint),
            owner.view,
            work,
            self._switcher,
            flex="1 1 420px",
            min_width="0",
            width="auto",
        )
        style = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        self.root = widgets.VBox([style, row(left, right, align_items="flex-start", width="100%"), self._below])
        search.sigmas = lambda: self._effect.sigmas
        search.on_statistics = self._on_statistics
        search.on_measure = self._on_measure
        search.on_effect = self._on_effect
        search.on_ranking = self._on_ranking

    @property
    def sigmas(self) -> Sequence[float]:
        """What the pictures of the channel add, in sigma."""
        return self._effect.sigmas

    def update(self, latent: Latent, can_undo: bool, can_redo: bool) -> None:
        """Move every control to `latent` and the selected channel."""
        self._undo.disabled, self._redo.disabled = not can_undo, not can_redo
        channel = self._owner.selected
        layers = self._owner.session.layers
        name = "" if channel is None else channel.paper
        edit = None if channel is None else edit_of(latent, channel.flat(layers))
        ready = channel is not None and self._search.statistics is not None
        self._strength.update(name, 0.0 if edit is None else edit.strength, ready)
        self.edits.update(latent)
        for panel in self._panels_with_lists():
            panel.ranked.update(channel)
        if channel != self._numbers_of:
            self._numbers_of = channel
            self._show_numbers()
        self._refresh_code()

    def close(self) -> None:
        """Close the panels that are not in the tree at present, and an explorer that was made here."""
        self._switcher.close_panels()
        close_tree(self.edits, self._effect)
        if self.edits.own_explorer is not None:
            self._below.children = ()
            self.edits.own_explorer.close()

    # -- panels --------------------------------------------------------------------------------------------------------
    def _factories(self) -> dict[str, Any]:
        owner, search = self._owner, self._search
        return {
            CHANNEL: lambda: self._effect,
            BY_PLACE: lambda: PlacePanel(owner, search),
            BY_EXAMPLE: lambda: ExamplePanel(owner, search),
            BY_ATTRIBUTE: lambda: AttributePanel(owner, search),
            EDITS: lambda: self.edits,
            REPORT: lambda: ReportPanel(owner, search),
            SAVE: self._make_state,
        }

    def _make_state(self) -> Any:
        owner = self._owner
        self._state = StatePanel(owner.save, owner.load, owner.code, owner.view, "probe.json")
        self._path = widgets.Text("channel.svg", layout=widgets.Layout(width="170px"))
        set_tooltip(self._path, "file of the figure of the selected channel: .svg, .pdf or .png")
        self._wrote = note("")
        return column(
            self._state,
            row(self._path, self._button("save figure", "write it to this file", self._save_figure), self._wrote),
        )

    def _save_figure(self) -> None:
        say(self._wrote, "")
        say(self._wrote, f"wrote {self._owner.save_figure(self._path.value)}")

    def _panels_with_lists(self) -> list[Any]:
        made = (self._switcher.made(name) for name in (BY_PLACE, BY_EXAMPLE, BY_ATTRIBUTE))
        return [panel for panel in made if panel is not None]

    def _on_panel(self, name: str) -> None:
        self._refresh_code()
        self.rest()

    def rest(self) -> None:
        """The picture has come to rest: pictures that stand still follow it."""
        panel = self._switcher.made(BY_PLACE)
        if panel is not None and self._switcher.selected == BY_PLACE:
            panel.update()

    # -- what was computed ---------------------------------------------------------------------------------------------
    def _on_statistics(self) -> None:
        owner = self._owner
        owner.view.status = f"{self._search.size} channels, statistics over {self._search.statistics.n} samples"
        owner.refresh()

    def _on_measure(self, name: str) -> None:
        if name == self._measure.value:
            self._colour()
        elif name != VALUE and not self._syncing and name in (PLACE, EXAMPLES, ATTRIBUTE):
            self._choose_measure(name)
        self._show_numbers()

    def _on_effect(self, pictures: Any, heat: Any, sigmas: Any, channel: Any) -> None:
        self._effect.show_effect(pictures, heat, sigmas, channel.paper)

    def _on_ranking(self, measure: str, ranking: Any, words: str) -> None:
        for panel in self._panels_with_lists():
            if panel.measure == measure:
                panel.ranked.show_ranking(ranking, words)
                panel.ranked.update(self._owner.selected)

    def _show_numbers(self) -> None:
        channel = self._owner.selected
        if channel is not None and (numbers := self._search.numbers(channel)) is not None:
            self._effect.show_numbers(*numbers, channel.paper)

    def _choose_measure(self, name: str) -> None:
        outer, self._syncing = self._syncing, True
        try:
            self._measure.value = name
        finally:
            self._syncing = outer
        self._colour()

    def _colour(self) -> None:
        measure = self._search.measures.get(self._measure.value)
        view = self._owner.view
        if measure is not None:
            with view.hold_sync():
                view.scale, view.values = measure.scale, as_bytes(measure.values)
            say(self._hint, "")

    # -- what people do ------------------------------------------------------------------------------------------------
    def _button(self, text: str, tooltip: str, action: Any) -> widgets.Button:
        def guarded() -> None:
            with reporting(self._owner.view):
                action()

        return button(text, tooltip, guarded)

    def _on_name(self, text: str) -> None:
        with reporting(self._owner.view):
            self._owner.select(text)
        self._owner.refresh()

    def _on_measure_chosen(self, event: Any) -> None:
        if self._syncing:
            return
        self._colour()
        name = event["new"]
        if name in self._search.measures:
            return
        ways = {PLACE: BY_PLACE, EXAMPLES: BY_EXAMPLE, ATTRIBUTE: BY_ATTRIBUTE}
        if name == EFFECT:
            with reporting(self._owner.view):
                self._search.find_effect()
        elif name in ways:
            say(self._hint, f"not known yet: search under {ways[name]!r}")
            self._switcher.selected = ways[name]

    def _refresh_code(self) -> None:
        if self._switcher.made(SAVE) is not None and self._switcher.selected == SAVE:
            self._state.refresh()
