"""Find channels by place: paint on the picture or choose a region, and watch the ranking fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from ..kit.compat import button, set_tooltip
from ..kit.controls.paint_pad import PaintPad
from ..kit.controls.ranked_list import RankedList
from ..kit.errors import reporting
from ..kit.parts import column, note, row, say, show
from .search import PLACE, ProbeSearch

if TYPE_CHECKING:
    from .probe import StyleSpaceProbe

PAINT = "what I paint"
PAINTED = -1  # a list shows nothing at all where the value of an option is None


class PlacePanel(widgets.HBox):
    """A picture to paint on, the regions of the picture, and the ranked channels."""

    measure = PLACE

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch) -> None:
        self._owner, self._search = owner, search
        self._shown: Any = None
        self.pad = PaintPad(self._painted)
        search.painted = lambda height, width: self.pad.mask_at(height, width)
        options = [(PAINT, PAINTED), *((name, number) for number, name in enumerate(search.regions.names))]
        self._region = widgets.Dropdown(
            options=options,
            description="place",
            style={"description_width": "40px"},
            layout=widgets.Layout(width="220px"),
        )
        set_tooltip(self._region, "where the effect of a channel should be")
        self._region.observe(self._on_region, "value")
        self._pictures = widgets.Dropdown(
            options=[("in this picture", 1), ("in 4 pictures", 4), ("in 12 pictures", 12)], value=1,
            layout=widgets.Layout(width="130px", display="none"),
        )  # fmt: skip
        set_tooltip(self._pictures, "in how many pictures the region is looked up: more say more and take longer")
        self._about = note("")
        self.ranked = RankedList(owner.select, "overlap: share of the channel's strongest cells that lie in the place")
        controls = column(
            row(
                self._region,
                self._pictures,
                button("find channels", "rank all channels by how local their effect is to this place", self.find),
            ),
            self._about,
            self.ranked,
            flex="1 1 240px",
            min_width="0",
        )
        super().__init__(
            [column(self.pad, margin="0 10px 0 0"), controls],
            layout=widgets.Layout(flex_flow="row wrap", align_items="flex-start", max_width="100%", width="100%"),
        )
        self.update()

    def find(self) -> None:
        """Start the search for what is painted or chosen."""
        with reporting(self._owner.view):
            chosen = self._region.value
            self._search.find_place(region=None if chosen == PAINTED else chosen, pictures=self._pictures.value)

    def update(self) -> None:
        """Put the present picture under the paint, when it is another one."""
        picture = self._owner.picture
        latent = self._owner.value
        if latent == self._shown:
            return
        self._shown = latent
        with reporting(self._owner.view):
            self.pad.show_picture(np.asarray(picture.render(latent)))

    def _painted(self) -> None:
        self._region.value = PAINTED
        share = 100 * float(self.pad.mask.mean())
        say(self._about, f"{share:.1f} % of the picture is painted" if share else "")

    def _on_region(self, event: Any) -> None:
        show(self._pictures, event["new"] != PAINTED)
        if event["new"] == PAINTED:
            return
        with reporting(self._owner.view):
            mask = self._search.regions.mask(self._owner.value, event["new"])
            self.pad.mask = mask
            share = 100 * float(mask.mean())
            name = self._search.regions.name(event["new"])
            say(self._about, f"{name} is {share:.1f} % of the picture" if share else f"{name} is not in this picture")
