"""Find channels by example: tick pictures that have something in common."""

from __future__ import annotations

from functools import partial

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ..kit.controls.ranked_list import RankedList
from ..kit.errors import reporting
from ..kit.parts import WIDE, button, listen, note, quiet, row, say
from ..kit.sharing import shared_layout
from ..kit.views.picture_sheet import PictureSheet
from . import steps
from .host import ProbeHost
from .search import EXAMPLES

COLUMNS, ROWS = 8, 5
THUMBNAIL = 72
ENOUGH = 10
"""Examples from which on the paper trusts the ranking."""


class ExamplePanel(widgets.VBox):
    """A sheet of random pictures, those that were ticked on all sheets so far, and the ranked channels."""

    measure = EXAMPLES

    def __init__(self, host: ProbeHost) -> None:
        self._host, self._search = host, host.search
        self._first = 0
        self._positives: list[int] = []
        self.sheet = PictureSheet(columns=COLUMNS)
        listen(self.sheet, self._on_chosen, "chosen")
        self._about = note("")
        self.ranked = RankedList(
            host.select, "θ: how far the examples agree on a channel; (+) or (−) is the way to move it"
        )
        actions = (
            ("←", "the sheet before", lambda: self._page(-1)),
            ("→", "the next sheet; what is ticked stays", lambda: self._page(1)),
            ("none", "untick all pictures", self.clear),
            ("find channels", "rank all channels by what the ticked pictures have in common", self.find),
        )
        buttons = [button(*action, view=host.view) for action in actions]
        super().__init__(
            [
                note("tick 10 to 30 pictures that have something in common: glasses, a smile, long hair"),
                self.sheet,
                row(*buttons, self._about),
                self.ranked,
            ],
            layout=shared_layout(**WIDE),
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
        task = steps.thumbnails(self._host.session, seeds, THUMBNAIL)
        say(self._about, "drawing the sheet …")
        # Quiet: it goes before a search of many seconds.
        self._search.run("sheet", task, partial(self._show, seeds), "pictures of the sheet", quiet=True)

    def _show(self, seeds: range, pictures: NDArray[np.uint8]) -> None:
        with quiet(self.sheet):
            self.sheet.show(pictures, [f"seed {seed}" for seed in seeds])
            self.sheet.chosen = [seed - seeds.start for seed in self._positives if seed in seeds]
        self._say()

    def _on_chosen(self, _: object) -> None:
        shown = range(self._first, self._first + ROWS * COLUMNS)
        others = [seed for seed in self._positives if seed not in shown]
        self._positives = sorted([*others, *(self._first + int(k) for k in self.sheet.chosen)])
        self._say()
        if len(self._positives) >= ENOUGH and self._search.statistics is not None:
            with reporting(self._host.view):  # quick enough to follow every tick
                self.find()

    def _say(self) -> None:
        count = len(self._positives)
        more = f", {ENOUGH - count} more for a ranking that can be trusted" if 0 < count < ENOUGH else ""
        say(self._about, f"{count} ticked{more}")
