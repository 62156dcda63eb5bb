"""Find channels by example: tick pictures that have something in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..kit.compat import button
from ..kit.controls.ranked_list import RankedList
from ..kit.errors import reporting
from ..kit.parts import note, row, say
from ..kit.views.picture_sheet import PictureSheet
from . import steps
from .search import EXAMPLES, ProbeSearch

if TYPE_CHECKING:
    from .probe import StyleSpaceProbe

COLUMNS, ROWS = 8, 5
THUMBNAIL = 72
ENOUGH = 10
"""Examples from which on the paper trusts the ranking."""


class ExamplePanel(widgets.VBox):
    """A sheet of random pictures, those that were ticked on all sheets so far, and the ranked channels."""

    measure = EXAMPLES

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch) -> None:
        self._owner, self._search = owner, search
        self._first = 0
        self._positives: list[int] = []
        self._syncing = False
        self.sheet = PictureSheet(columns=COLUMNS)
        self.sheet.observe(self._on_chosen, "chosen")
        self._about = note("")
        self.ranked = RankedList(
            owner.select, "θ: how far the examples agree on a channel; (+) or (−) is the way to move it"
        )
        buttons = [
            self._button("←", "the sheet before", lambda: self._page(-1)),
            self._button("→", "the next sheet; what is ticked stays", lambda: self._page(1)),
            self._button("none", "untick all pictures", self.clear),
            self._button("find channels", "rank all channels by what the ticked pictures have in common", self.find),
        ]
        super().__init__(
            [
                note("tick 10 to 30 pictures that have something in common: glasses, a smile, long hair"),
                self.sheet,
                row(*buttons, self._about),
                self.ranked,
            ],
            layout=widgets.Layout(max_width="100%", width="100%"),
        )
        self._page(0)

    @property
    def positives(self) -> list[int]:
        """Seeds of the ticked pictures."""
        return list(self._positives)

    def find(self) -> None:
        """Rank the channels of what is ticked."""
        self._search.find_examples(self._positives)

    def clear(self) -> None:
        """Untick all."""
        self._positives = []
        self._page(0)

    def _page(self, by: int) -> None:
        count = ROWS * COLUMNS
        self._first = max(0, self._first + by * count)
        seeds = range(self._first, self._first + count)
        done = lambda pictures: self._show(seeds, pictures)  # noqa: E731
        task = steps.thumbnails(self._owner.session, seeds, THUMBNAIL)
        say(self._about, "drawing the sheet …")
        self._search.run(
            "sheet", task, done, "pictures of the sheet", quiet=True
        )  # it goes before a search of many seconds

    def _show(self, seeds: range, pictures: Any) -> None:
        self._syncing = True
        try:
            self.sheet.show(pictures, [f"seed {seed}" for seed in seeds])
            self.sheet.chosen = [seed - seeds.start for seed in self._positives if seed in seeds]
        finally:
            self._syncing = False
        self._say()

    def _on_chosen(self, _: Any) -> None:
        if self._syncing:
            return
        shown = range(self._first, self._first + ROWS * COLUMNS)
        others = [seed for seed in self._positives if seed not in shown]
        self._positives = sorted([*others, *(self._first + int(k) for k in self.sheet.chosen)])
        self._say()
        if len(self._positives) >= ENOUGH and self._search.statistics is not None:
            with reporting(self._owner.view):  # quick enough to follow every tick
                self.find()

    def _say(self) -> None:
        count = len(self._positives)
        more = f", {ENOUGH - count} more for a ranking that can be trusted" if 0 < count < ENOUGH else ""
        say(self._about, f"{count} ticked{more}")

    def _button(self, text: str, tooltip: str, action: Any) -> widgets.Button:
        def guarded() -> None:
            with reporting(self._owner.view):
                action()

        return button(text, tooltip, guarded)
