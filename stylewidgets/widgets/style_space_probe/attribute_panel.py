"""Find channels by attribute: a network reads the pictures, and channels are ranked by what they do to its numbers."""

from __future__ import annotations

import ipywidgets as widgets

from ..kit.controls.ranked_list import RankedList
from ..kit.parts import WIDE, button, control, note, row
from ..kit.sharing import shared_layout
from .host import ProbeHost
from .search import ATTRIBUTE

KINDS = {"moves it and little else": "effect", "goes with it over samples": "correlation"}
NOTHING = "nothing can be read off these pictures: give StyleSpaceProbe a reader=stylewidgets.stylespace.Reader(...)"


class AttributePanel(widgets.VBox):
    """The attributes that can be read, and the ranked channels of one. All are ranked at once; choosing another is free."""

    measure = ATTRIBUTE

    def __init__(self, host: ProbeHost) -> None:
        self._host, self._search = host, host.search
        known = self._search.attributes
        self._names = self._menu(
            "attribute", "what a network reads off the pictures", "230px", {name: name for name in known}
        )
        tip = "moves it: by the gradient of the reading; goes with it: by correlation over all samples"
        self._kind = self._menu("channel", tip, "270px", KINDS)
        self.ranked = RankedList(
            host.select, "score of the channel for this attribute; (+) or (−) is the way to move it for more"
        )
        why = "" if known else NOTHING
        tip = "rank all channels for every attribute"
        find = button("find channels", tip, self.find, view=host.view, disabled=not known)
        super().__init__(
            [row(self._names, self._kind, find), note(why), self.ranked],
            layout=shared_layout(**WIDE),
        )

    def find(self) -> None:
        """Start the search."""
        self._search.find_attribute(*self._asked())

    def _menu(self, text: str, tip: str, width: str, options: dict[str, str]) -> widgets.Dropdown:
        return control(
            widgets.Dropdown,
            tip=tip,
            on=lambda _: self._search.attribute_known(*self._asked()),
            style={"description_width": "58px"},
            layout={"width": width},
            options=list(options.items()),
            description=text,
        )

    def _asked(self) -> tuple[str, str]:
        return str(self._names.value), str(self._kind.value)
