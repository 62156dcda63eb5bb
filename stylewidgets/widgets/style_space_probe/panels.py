"""The controls of the StyleSpaceProbe and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...latent.latent import Latent
from ..kit.errors import reporting
from ..kit.jobs import Jobs
from ..kit.opening import Below
from ..kit.parts import LABEL, UndoButtons, button, column, control, note, quiet, row, say
from ..kit.state_panel import StatePanel
from ..kit.tabs import Tabs
from ..kit.views.channel_map import as_bytes
from .attribute_panel import AttributePanel
from .edit_panel import EditPanel
from .edits import edit_of
from .effect_panel import EffectPanel, StrengthSlider
from .example_panel import ExamplePanel
from .host import ProbeHost
from .place_panel import PlacePanel
from .report_panel import ReportPanel
from .search import ATTRIBUTE, EFFECT, EXAMPLES, PLACE, VALUE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...stylespace import Channel, Ranking


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
    """Builds the controls, moves them to a latent, and passes what people do to the host. `parts` are the layout."""

    def __init__(self, host: ProbeHost, work: Jobs) -> None:
        self._host, self._search = host, host.search
        self._numbers_of: Channel | None = None
        self._undo = UndoButtons(host)
        self._strength = StrengthSlider(host.move_selected, self._on_name)
        self._measure = control(
            widgets.Dropdown,
            tip="what the colours of the map show",
            on=self._on_measure_chosen,
            view=host.view,
            style=LABEL,
            layout={"width": "290px", "max_width": "100%"},
            options=list(MEASURES.items()),
            value=VALUE,
            description="colour by",
        )
        self._hint = note("")
        self.effect = EffectPanel(host.search.effect_changed, host.move_selected)
        self.below = Below()
        panels: dict[str, Callable[[], widgets.Widget]] = {
            CHANNEL: lambda: self.effect,
            BY_PLACE: partial(PlacePanel, host),
            BY_EXAMPLE: partial(ExamplePanel, host),
            BY_ATTRIBUTE: partial(AttributePanel, host),
            EDITS: partial(EditPanel, host),
            REPORT: partial(ReportPanel, host),
            SAVE: self._make_state,
        }
        self._switcher = Tabs(panels, lambda _: self._on_panel())
        view = host.picture.view
        tip = "another random seed (key r on the picture); the edits stay"
        actions = row(*self._undo.both, button("random", tip, host.randomize, view=host.view))
        left = column(view, self._strength, actions, flex="0 1 auto", width=f"{view.size + 4}px", margin="0 12px 0 0")
        right = column(
            row(self._measure, self._hint),
            host.view,
            work,
            self._switcher,
            flex="1 1 420px",
            min_width="0",
            width="auto",
        )
        self.parts = (row(left, right, align_items="flex-start", width="100%"), self.below)
        search = host.search
        search.sigmas = lambda: self.effect.sigmas
        search.on_statistics = self._on_statistics
        search.on_measure = self._on_measure
        search.on_effect = self._on_effect
        search.on_ranking = self._on_ranking

    def update(self, latent: Latent) -> None:
        """Move every control to `latent` and the selected channel."""
        self._undo.update()
        channel = self._host.selected
        name = "" if channel is None else channel.paper
        edit = None if channel is None else edit_of(latent, channel.flat(self._host.session.layers))
        ready = channel is not None and self._search.statistics is not None
        self._strength.update(name, 0.0 if edit is None else edit.strength, ready)
        if (edits := self._switcher.made(EDITS)) is not None:
            edits.update(latent)
        for panel in self._panels_with_lists():
            panel.ranked.update(channel)
        if channel != self._numbers_of:
            self._numbers_of = channel
            self._show_numbers()
        self._refresh_code()

    # -- panels --------------------------------------------------------------------------------------------------------
    def _make_state(self) -> widgets.Widget:
        self._state = StatePanel(self._host, "probe.json")
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

    def _panels_with_lists(self) -> list[PlacePanel | ExamplePanel | AttributePanel]:
        made = (self._switcher.made(name) for name in (BY_PLACE, BY_EXAMPLE, BY_ATTRIBUTE))
        return [panel for panel in made if panel is not None]

    def _on_panel(self) -> None:
        self._refresh_code()
        self.rest()

    def rest(self) -> None:
        """The picture has come to rest: pictures that stand still follow it."""
        if (panel := self._switcher.shown(BY_PLACE)) is not None:
            panel.update()

    # -- what was computed ---------------------------------------------------------------------------------------------
    def _on_statistics(self) -> None:
        host = self._host
        host.view.status = f"{self._search.size} channels, statistics over {self._search.need_statistics().n} samples"
        host.refresh()

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
        self.effect.show_effect(pictures, heat, sigmas, channel.paper)

    def _on_ranking(self, measure: str, ranking: Ranking, words: str) -> None:
        for panel in self._panels_with_lists():
            if panel.measure == measure:
                panel.ranked.show_ranking(ranking, words)
                panel.ranked.update(self._host.selected)

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
            say(self._hint, "")

    # -- what people do ------------------------------------------------------------------------------------------------
    def _on_name(self, text: str) -> None:
        with reporting(self._host.view):
            self._host.select(text)
        self._host.refresh()

    def _on_measure_chosen(self, name: str) -> None:
        self._colour()
        if name in self._search.measures:
            return
        ways = {PLACE: BY_PLACE, EXAMPLES: BY_EXAMPLE, ATTRIBUTE: BY_ATTRIBUTE}
        if name == EFFECT:
            self._search.find_effect()
        elif name in ways:
            say(self._hint, f"not known yet: search under {ways[name]!r}")
            self._switcher.selected = ways[name]

    def _refresh_code(self) -> None:
        if self._switcher.shown(SAVE) is not None:
            self._state.refresh()
