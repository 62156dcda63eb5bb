"""Find channels by place: paint on the picture or choose a region, and watch the ranking fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..kit.controls.ranked_list import RankedList
from ..kit.errors import reporting
from ..kit.parts import WIDE, button, control, listen, note, row, say, show
from ..kit.sharing import shared_layout
from .host import ProbeHost
from .search import PLACE

if TYPE_CHECKING:
    from ..kit.views.brush import Brush


PAINT = "what I paint"
PAINTED = -1  # a list shows nothing at all where the value of an option is None
HOW = "Paint on the picture at the left what should change, or choose a part of it."


class PlacePanel(widgets.VBox):
    """The place, by the brush on the picture of the probe or a region of it, and the ranked channels.

    Args:
        host: the probe.
        brush: returns what lies over its picture.
    """

    measure = PLACE

    def __init__(self, host: ProbeHost, brush: Callable[[], Brush]) -> None:
        self._host, self._search = host, host.search
        self.pad = brush()
        listen(self.pad, lambda _: self._painted(), "paint", host.view)
        host.search.painted = self.pad.mask_at
        options = [(PAINT, PAINTED), *((name, number) for number, name in enumerate(host.search.regions.names))]
        self._region = control(
            widgets.Dropdown,
            tip="where the effect of a channel should be",
            on=self._on_region,
            style={"description_width": "40px"},
            layout={"width": "220px", "max_width": "100%"},
            options=options,
            description="place",
        )
        self._pictures = control(
            widgets.Dropdown,
            tip="in how many pictures the part is looked up: more say more and take longer",
            layout={"width": "130px"},
            options=[("in this picture", 1), ("in 4 pictures", 4), ("in 12 pictures", 12)],
            value=1,
        )
        show(self._pictures, False)
        self._about = note(HOW)
        self.ranked = RankedList(host.select, "overlap: share of the channel's strongest cells that lie in the place")
        tip = "rank all channels by how well their effect keeps to this place"
        find = button("Find channels", tip, self.find, view=host.view, button_style="primary")
        super().__init__(
            [row(self._region, self._pictures, find), self._about, self.ranked], layout=shared_layout(**WIDE)
        )

    def find(self) -> None:
        """Start the search for what is painted or chosen."""
        chosen = self._region.value
        self._search.find_place(region=None if chosen == PAINTED else chosen, pictures=self._pictures.value)

    def use_brush(self, used: bool) -> None:
        """Lay the brush on the picture, or take it away; what is painted stays."""
        self.pad.active = used

    def update(self) -> None:
        """The picture is another one: a region is somewhere else in it."""
        if self._region.value != PAINTED:
            self._on_region(self._region.value)

    def _painted(self) -> None:
        self._region.value = PAINTED
        share = 100 * float(self.pad.mask.mean())
        say(self._about, f"{share:.1f} % of the picture is painted" if share else HOW)

    def _on_region(self, region: int) -> None:
        show(self._pictures, region != PAINTED)
        if region == PAINTED:
            return
        with reporting(self._host.view):
            mask = self._search.regions.mask(self._host.value, region)
            self.pad.mask = mask
            share = 100 * float(mask.mean())
            name = self._search.regions.name(region)
            say(self._about, f"{name} is {share:.1f} % of the picture" if share else f"{name} is not in this picture")
