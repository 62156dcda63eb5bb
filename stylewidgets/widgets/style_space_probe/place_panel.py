"""Find channels by place: paint on the picture or choose a region, and watch the ranking fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from ..kit.controls.paint_pad import PaintPad
from ..kit.controls.ranked_list import RankedList
from ..kit.errors import reporting
from ..kit.parts import ROW, WIDE, button, column, control, note, row, say, show
from ..kit.sharing import shared_layout
from .host import ProbeHost
from .search import PLACE

if TYPE_CHECKING:
    from ...latent.latent import Latent


PAINT = "what I paint"
PAINTED = -1  # a list shows nothing at all where the value of an option is None


class PlacePanel(widgets.HBox):
    """A picture to paint on, the regions of the picture, and the ranked channels."""

    measure = PLACE

    def __init__(self, host: ProbeHost) -> None:
        self._host, self._search = host, host.search
        self._shown: Latent | None = None
        self.pad = PaintPad(self._painted)
        host.search.painted = self.pad.mask_at
        options = [(PAINT, PAINTED), *((name, number) for number, name in enumerate(host.search.regions.names))]
        self._region = control(
            widgets.Dropdown,
            tip="where the effect of a channel should be",
            on=self._on_region,
            style={"description_width": "40px"},
            layout={"width": "220px"},
            options=options,
            description="place",
        )
        self._pictures = control(
            widgets.Dropdown,
            tip="in how many pictures the region is looked up: more say more and take longer",
            layout={"width": "130px"},
            options=[("in this picture", 1), ("in 4 pictures", 4), ("in 12 pictures", 12)],
            value=1,
        )
        show(self._pictures, False)
        self._about = note("")
        self.ranked = RankedList(host.select, "overlap: share of the channel's strongest cells that lie in the place")
        controls = column(
            row(
                self._region,
                self._pictures,
                button(
                    "find channels",
                    "rank all channels by how local their effect is to this place",
                    self.find,
                    view=host.view,
                ),
            ),
            self._about,
            self.ranked,
            flex="1 1 240px",
            min_width="0",
        )
        super().__init__(
            [column(self.pad, margin="0 10px 0 0"), controls],
            layout=shared_layout(**{**ROW, **WIDE, "align_items": "flex-start"}),
        )
        self.update()

    def find(self) -> None:
        """Start the search for what is painted or chosen."""
        chosen = self._region.value
        self._search.find_place(region=None if chosen == PAINTED else chosen, pictures=self._pictures.value)

    def update(self) -> None:
        """Put the present picture under the paint, when it is another one."""
        picture = self._host.picture
        latent = self._host.value
        if latent == self._shown:
            return
        self._shown = latent
        with reporting(self._host.view):
            self.pad.show_picture(np.asarray(picture.render(latent)))

    def _painted(self) -> None:
        self._region.value = PAINTED
        share = 100 * float(self.pad.mask.mean())
        say(self._about, f"{share:.1f} % of the picture is painted" if share else "")

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
