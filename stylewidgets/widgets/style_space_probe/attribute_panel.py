"""Find channels by attribute: a network reads the pictures, and channels are ranked by what they do to its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..kit.compat import button, set_tooltip
from ..kit.controls.ranked_list import RankedList
from ..kit.errors import reporting
from ..kit.parts import note, row
from .search import ATTRIBUTE, ProbeSearch

if TYPE_CHECKING:
    from .probe import StyleSpaceProbe

KINDS = {"moves it and little else": "effect", "goes with it over samples": "correlation"}
NOTHING = "nothing can be read off these pictures: give StyleSpaceProbe a reader=stylewidgets.stylespace.Reader(...)"


class AttributePanel(widgets.VBox):
    """The attributes that can be read, and the ranked channels of one. All are ranked at once; choosing another is free."""

    measure = ATTRIBUTE

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch) -> None:
        self._owner, self._search = owner, search
        self._names = widgets.Dropdown(
            options=search.attributes, description="attribute", style={"description_width": "58px"},
            layout=widgets.Layout(width="230px"),
        )  # fmt: skip
        set_tooltip(self._names, "what a network reads off the pictures")
        self._kind = widgets.Dropdown(
            options=list(KINDS.items()),
            description="channel",
            style={"description_width": "56px"},
            layout=widgets.Layout(width="270px"),
        )
        set_tooltip(
            self._kind, "moves it: by the gradient of the reading; goes with it: by correlation over all samples"
        )
        self.ranked = RankedList(
            owner.select, "score of the channel for this attribute; (+) or (−) is the way to move it for more"
        )
        for control in (self._names, self._kind):
            control.observe(lambda _: self._search.attribute_known(*self._asked()), "value")
        why = "" if search.attributes else NOTHING
        find = button(
            "find channels", "rank all channels for every attribute", self.find, disabled=not search.attributes
        )
        super().__init__(
            [row(self._names, self._kind, find), note(why), self.ranked],
            layout=widgets.Layout(max_width="100%", width="100%"),
        )

    def find(self) -> None:
        """Start the search."""
        with reporting(self._owner.view):
            self._search.find_attribute(*self._asked())

    def _asked(self) -> tuple[str, str]:
        return str(self._names.value), str(self._kind.value)
