"""Ways to find channels, one at a time: those that do one thing, by place, by example, by attribute."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..kit.parts import WIDE, close_tree, control, note
from ..kit.sharing import shared_layout
from .attribute_panel import AttributePanel
from .example_panel import ExamplePanel
from .host import ProbeHost
from .one_thing_panel import OneThingPanel
from .place_panel import PlacePanel

if TYPE_CHECKING:
    from ...stylespace import Channel, Ranking
    from ..kit.views.brush import Brush

ONE_THING, BY_PLACE, BY_EXAMPLE, BY_ATTRIBUTE = (
    "do one thing",
    "change one place",
    "pictures share",
    "move an attribute",
)
CHOOSE = "choose …"
HOW = "Find channels by a place that you paint, by examples that you tick, or by an attribute; or choose one on the map below."

CHOICE, CHOICE_WIDTH = {"description_width": "126px"}, {"width": "340px", "max_width": "calc(100% - 4px)"}
"""Style and layout of the two menus of the probe that belong to all of it."""


class FindPanel(widgets.VBox):
    """A menu of the ways, and the panel of the chosen one, made when it is first chosen.

    Args:
        host: the probe.
        brush: lies over its picture; the search by place paints with it.
    """

    def __init__(self, host: ProbeHost, brush: Callable[[], Brush]) -> None:
        report = host.search.shipped
        ways: dict[str, Callable[[], Any]] = {
            BY_PLACE: partial(PlacePanel, host, brush),
            BY_EXAMPLE: partial(ExamplePanel, host),
            BY_ATTRIBUTE: partial(AttributePanel, host),
        }
        first = {ONE_THING: partial(OneThingPanel, host, report)} if report is not None else {CHOOSE: lambda: note(HOW)}
        ways = {**first, **ways}
        self._ways = ways
        self._made: dict[str, Any] = {}
        self._menu = control(
            widgets.Dropdown,
            tip="what the channels to find have in common",
            on=self._show,
            view=host.view,
            style=CHOICE,
            layout=CHOICE_WIDTH,
            options=list(ways),
            description="Find channels that",
        )
        super().__init__([self._menu], layout=shared_layout(**WIDE))
        self.in_sight = True
        self._show(self.way)

    @property
    def way(self) -> str:
        """The chosen way. Assign to choose another."""
        return str(self._menu.value)

    @way.setter
    def way(self, name: str) -> None:
        self._menu.value = name

    def made(self, way: str) -> Any | None:
        """Return the panel of a way if it was chosen before."""
        return self._made.get(way)

    def update(self, channel: Channel | None) -> None:
        """Mark the selected channel."""
        for way, panel in self._made.items():
            if way == ONE_THING:
                panel.mark(channel)
            elif way != CHOOSE:
                panel.ranked.update(channel)

    def rest(self) -> None:
        """The picture has come to rest: pictures that stand still follow it."""
        panel = self._made.get(self.way)
        if isinstance(panel, (OneThingPanel, PlacePanel)):
            panel.update()

    def show_ranking(self, measure: str, ranking: Ranking, words: str, channel: Channel | None) -> None:
        """Fill the list of the panel that a search belongs to."""
        for panel in self._made.values():
            if getattr(panel, "measure", None) == measure:
                panel.ranked.show_ranking(ranking, words)
                panel.ranked.update(channel)

    def look(self, in_sight: bool) -> None:
        """Say whether this panel is in sight: the brush lies on the picture only while it is used."""
        self.in_sight = in_sight
        if (place := self._made.get(BY_PLACE)) is not None:
            place.use_brush(in_sight and self.way == BY_PLACE)

    def close(self) -> None:
        """Close, and with it the panels that are not up."""
        close_tree(*(panel for panel in getattr(self, "_made", {}).values() if panel not in self.children))
        super().close()

    def _show(self, way: str) -> None:
        if way not in self._made:
            self._made[way] = self._ways[way]()
        self.children = (self._menu, self._made[way])
        self.look(self.in_sight)
        self.rest()
