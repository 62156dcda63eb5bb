"""The controls of the StyleSpaceProbe and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...latent.latent import Latent
from ..kit.controls.from_tools import FromTools
from ..kit.jobs import Jobs
from ..kit.opening import Beside
from ..kit.parts import button, column, control, heading, note, place, quiet, row
from ..kit.sharing import shared_layout
from ..kit.source_note import source_note
from ..kit.state_panel import StatePanel
from ..kit.tabs import Tabs
from ..kit.views.brush import Brush
from ..kit.views.channel_map import as_bytes
from ..kit.views.toolbar import Action, undo_bar
from .edit_panel import EditPanel
from .edits import edit_of
from .effect_panel import EffectPanel, StrengthSlider
from .find_panel import BY_ATTRIBUTE, BY_EXAMPLE, BY_PLACE, CHOICE, CHOICE_WIDTH, FindPanel
from .host import ProbeHost
from .report_panel import ReportPanel
from .search import ATTRIBUTE, EFFECT, EXAMPLES, PLACE, VALUE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...stylespace import Channel, Ranking


FIND, EDITS, REPORT, SAVE = "Find", "Edits", "Report", "Save & code"

MEASURES = {
    "effect on the whole picture": EFFECT,
    "effect inside a place": PLACE,
    "common to examples (θ)": EXAMPLES,
    "relation to an attribute": ATTRIBUTE,
    "value in this picture (σ)": VALUE,
}


WORDS = ("channel", "style", "layers", "σ")
"""What a newcomer may not know of the map."""


SOURCED = (
    "A source decides whom this picture shows, and seeds change nothing, “random” neither. A channel is a gain, 1 in every "
    "picture: it has no spread, so one σ stands for a gain of 1, and examples and attributes tell no channels apart. Searches "
    "look at the first source in its own pose."
)
"""What it cannot do where a generator draws a source."""


class ProbePanels:
    """Builds the controls, moves them to a latent, and passes what people do to the host. `parts` are the layout."""

    def __init__(self, host: ProbeHost, work: Jobs) -> None:
        self._host, self._search = host, host.search
        self._numbers_of: Channel | None = None
        random = Action(
            "random", "another face, by a random seed (key r on the picture); the edits stay", host.randomize, "dice"
        )
        back = Action("back", "set the chosen channel back to 0", lambda: host.move_selected(0.0), text="set back")
        self._undo = undo_bar(host, random, back)
        self._strength = StrengthSlider(host.move_selected)
        self._measure = control(
            widgets.Dropdown,
            tip="what the colours of the map show",
            on=self._on_measure_chosen,
            view=host.view,
            style=CHOICE,
            layout=CHOICE_WIDTH,
            options=list(MEASURES.items()),
            value=EFFECT,
            description="Colour channels by",
        )
        self.effect = EffectPanel(host.search.effect_changed, host.move_selected)
        view = host.picture.view
        self._stack = control(widgets.Box, [view], _dom_classes=("sw-stack",))
        panels: dict[str, Callable[[], widgets.Widget]] = {
            FIND: partial(FindPanel, host, lambda: self.brush),
            EDITS: partial(EditPanel, host),
            REPORT: partial(ReportPanel, host),
            SAVE: self._make_state,
        }
        self._switcher = Tabs(panels, lambda _: self._on_panel())
        left = place(
            "sw-probe-left", *source_note(host.session, SOURCED), self._stack, self._strength, self._undo, work
        )
        right = place("sw-probe-right", self._switcher)
        below = place("sw-probe-map", heading("All channels", *WORDS), self._measure, host.view)
        main = place("sw-home sw-probe-main", left, right, below, self.effect)
        self._root = place("sw-with-guest", main)
        self.parts = (self._root,)
        search = host.search
        search.sigmas = lambda: self.effect.sigmas
        search.on_statistics = self._on_statistics
        search.on_measure = self._on_measure
        search.on_effect = self._on_effect
        search.on_ranking = self._on_ranking

    @cached_property
    def beside(self) -> Beside:
        """The place for a widget that is opened from here."""
        made = Beside(self._host.view)
        self._root.children += (made,)
        return made

    @cached_property
    def brush(self) -> Brush:
        """Lies over the picture while a place is searched."""
        made = Brush(over=True, active=False, label="The picture, to paint on", layout=shared_layout())
        self._stack.children += (made,)
        return made

    @property
    def find(self) -> FindPanel:
        """The panel "Find"."""
        made = self._switcher.made(FIND)
        assert isinstance(made, FindPanel)  # the first tab is made with the widget
        return made

    def update(self, latent: Latent) -> None:
        """Move every control to `latent` and the selected channel."""
        self._undo.update(undo=not self._host.can_undo, redo=not self._host.can_redo)
        channel = self._host.selected
        edit = None if channel is None else edit_of(latent, channel.flat(self._host.session.layers))
        ready = channel is not None and self._search.statistics is not None
        words = "" if channel is None else self._search.words(channel)
        self._strength.update(words, 0.0 if edit is None else edit.strength, ready)
        if (edits := self._switcher.made(EDITS)) is not None:
            edits.update(latent)
        self.find.update(channel)
        if channel != self._numbers_of:
            self._numbers_of = channel
            self._show_numbers()
        self._refresh_code()

    # -- panels --------------------------------------------------------------------------------------------------------
    def _make_state(self) -> widgets.Widget:
        def take(latent: Latent) -> None:
            self._host.change("", lambda _: latent)

        self._state = StatePanel(
            self._host, "probe.json", FromTools(self._host.session, take, lambda: self._host.value)
        )
        path = control(
            widgets.Text,
            "channel.svg",
            tip="file of the figure of the selected channel: .svg, .pdf or .png",
            layout={"width": "170px"},
        )
        wrote = note("")
        save = button(
            "save figure",
            "write it to this file",
            lambda: f"wrote {self._host.save_figure(path.value)}",
            view=self._host.view,
            said=wrote,
        )
        return column(self._state, row(path, save, wrote))

    def _on_panel(self) -> None:
        self.find.look(self._switcher.selected == FIND)
        self._refresh_code()
        self.rest()

    def rest(self) -> None:
        """The picture has come to rest: pictures that stand still follow it."""
        if self._switcher.shown(FIND) is not None:
            self.find.rest()
        self._search.estimate_effect()

    # -- what was computed ---------------------------------------------------------------------------------------------
    def _on_statistics(self) -> None:
        host = self._host
        host.view.status = f"{self._search.size} channels, statistics over {self._search.need_statistics().n} samples"
        host.refresh()
        self.rest()

    def _on_measure(self, name: str) -> None:
        if name == self._measure.value:
            self._colour()
        elif name in (PLACE, EXAMPLES, ATTRIBUTE):
            with quiet(self._measure):
                self._measure.value = name
            self._colour()
        self._show_numbers()

    def _on_effect(
        self, pictures: NDArray[np.uint8], heat: NDArray[np.float32], sigmas: Sequence[float], channel: Channel
    ) -> None:
        self.effect.show_effect(pictures, heat, sigmas, channel.paper, self._search.words(channel))

    def _on_ranking(self, measure: str, ranking: Ranking, words: str) -> None:
        self.find.show_ranking(measure, ranking, words, self._host.selected)

    def _show_numbers(self) -> None:
        channel = self._host.selected
        if channel is not None and (numbers := self._search.numbers(channel)) is not None:
            self.effect.show_numbers(*numbers, channel.paper)

    def _colour(self) -> None:
        measure = self._search.measures.get(self._measure.value)
        view = self._host.view
        if measure is not None:
            with view.hold_sync():
                view.scale, view.values = measure.scale, as_bytes(measure.values)

    # -- what people do ------------------------------------------------------------------------------------------------
    def _on_measure_chosen(self, name: str) -> None:
        self._colour()
        ways = {PLACE: BY_PLACE, EXAMPLES: BY_EXAMPLE, ATTRIBUTE: BY_ATTRIBUTE}
        if name == EFFECT:
            self._search.find_effect()
        elif name in ways and name not in self._search.measures:
            view = self._host.view
            view.status = f"not known yet: find channels that {ways[name]}"
            self._switcher.selected = FIND
            self.find.way = ways[name]

    def _refresh_code(self) -> None:
        if self._switcher.shown(SAVE) is not None:
            self._state.refresh()
