"""Fills a grid slice by slice: the newest grid, the cells nearest to the pointer first, never a queue.

The page drives it. Each slice is drawn inside the message that asked for it and sent; the page's acknowledgement asks for
the next. So a kernel that is filling answers everything else between two slices, and it works where nothing but the
handler of a message can send (Colab).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from ... import jobs
from ...mixing.grid import MixGrid, Place, nearest_first

_log = logging.getLogger("stylewidgets")

ALONE_SECONDS = 2.0
"""How long a grid that no page shows yet is filled at once: all of it, for a small generator."""

ACK_TIMEOUT = 1.0
"""Seconds after which a slice without acknowledgement no longer counts, so that a lost one stops nothing."""

KEPT = 600
"""Pictures that are kept, by what they show: a swapped row or an undone step is not drawn again."""

P = TypeVar("P")
"""A picture."""
Draw = Callable[[MixGrid, Sequence[Place]], Sequence[P]]
Show = Callable[[int, Mapping[Place, P]], None]


class GridFiller(Generic[P]):
    """Draws what is missing of the newest grid. Thread-safe; no lock is held while it draws or shows.

    Args:
        draw: (grid, places) → one picture for each place.
        show: called with the number of a slice, counted from 1, and its pictures by place; shows them.
        on_look: called by `submit` before anything is drawn, with the places whose picture is older than the grid.
        on_done: called whenever nothing is missing any more, or no page is there to ask for the rest.
        on_error: called with the exception when `draw` or `show` fails; filling then waits for the next change.
        clock: seconds, monotonic.
        at_once: pictures that are drawn together.

    Attributes:
        live: whether a page has said hello or acknowledged a slice.
        seconds_each: running mean of the time for one picture; 0 before the first.
    """

    def __init__(
        self,
        draw: Draw[P],
        show: Show[P],
        on_look: Callable[[list[Place]], None] = lambda stale: None,
        on_done: Callable[[], None] = lambda: None,
        on_error: Callable[[Exception], None] = lambda error: _log.error("drawing a grid failed", exc_info=error),
        clock: Callable[[], float] = time.monotonic,
        at_once: int = 1,
    ) -> None:
        self._at_once = at_once
        self._draw, self._show, self._clock = draw, show, clock
        self._on_look, self._on_done, self._on_error = on_look, on_done, on_error
        self._lock = threading.Lock()
        self._grid: MixGrid | None = None
        self._wanted: dict[Place, Hashable] = {}
        self._shown: dict[Place, Hashable] = {}
        self._missing: list[Place] = []
        self._kept: OrderedDict[Hashable, P] = OrderedDict()
        self._flight: dict[int, float] = {}
        self._near: Place | None = None
        self._index = 0
        self.seconds_each = 0.0  # seconds for one picture; 0 before the first
        self._busy = self.live = self._closed = False

    # -- what callers say ----------------------------------------------------------------------------------------------
    def submit(self, grid: MixGrid) -> None:
        """Make `grid` the newest and draw its first slice now, unless one is under way."""
        self.prepare(grid)
        self.begin()

    def prepare(self, grid: MixGrid) -> None:
        """Make `grid` the newest; `begin`, or the page, draws it."""
        with self._lock:
            self._grid = grid
            self._wanted = {place: grid.content(place) for place in grid.places()}
            self._shown = {place: content for place, content in self._shown.items() if place in self._wanted}
            self._look()
            stale = list(self._missing)
        self._guarded(self._on_look, stale)

    def begin(self) -> None:
        """Draw the first slice; all of a small grid where no page is there to ask for it."""
        self._run()

    def near(self, place: Place | None) -> None:
        """The pointer is over this place: go on from there."""
        with self._lock:
            self._near = place
        self._run()

    def acknowledge(self, index: int) -> None:
        """The page has painted slice `index`, and so all before it. Draws the next one."""
        with self._lock:
            self.live = True
            self._flight = {i: sent for i, sent in self._flight.items() if i > index}
        self._run()

    def hello(self) -> None:
        """A page is there, perhaps a reloaded one: it gets every picture."""
        with self._lock:
            self.live = True
            self._flight.clear()
            self._shown.clear()
            self._look()
        self._run()

    def finish(self) -> None:
        """Draw all that is missing now, however long it takes. On another thread's turn, that one goes on."""
        self._run(patient=True)

    def close(self) -> None:
        """Draw nothing any more."""
        with self._lock:
            self._closed = True
            self._kept.clear()

    # -- how far it is ---------------------------------------------------------------------------------------------------
    @property
    def stale(self) -> list[Place]:
        """Places whose picture is not that of the newest grid yet."""
        return list(self._missing)

    @property
    def done(self) -> bool:
        """Whether every picture of the newest grid was shown."""
        return not self._missing

    def pictures(self, grid: MixGrid) -> dict[Place, P]:
        """The pictures of a grid that are drawn already, by place."""
        with self._lock:
            contents = ((place, grid.content(place)) for place in grid.places())
            return {place: self._kept[content] for place, content in contents if content in self._kept}

    # -- the loop ----------------------------------------------------------------------------------------------------------
    def _look(self) -> None:
        self._missing = [place for place, content in self._wanted.items() if self._shown.get(place) != content]

    def _run(self, patient: bool = False) -> None:
        began = self._clock()
        with self._lock:
            if self._busy:
                return
            self._busy = True
        done = False
        try:
            while True:
                with self._lock:
                    if not self._ready(began, patient):
                        self._busy = False
                        break
                done = self._slice() or done
        except BaseException:
            with self._lock:
                self._busy = False
            raise
        if done and (self.done or not self.live):
            self._guarded(self._on_done)

    def _ready(self, began: float, patient: bool) -> bool:
        if self._closed or self._grid is None or not self._missing:
            return False
        if patient:
            return True
        now = self._clock()
        if not self.live:
            return now - began < ALONE_SECONDS
        self._flight = {index: sent for index, sent in self._flight.items() if now - sent < ACK_TIMEOUT}
        return not self._flight

    def _slice(self) -> bool:
        """Draw and show; True when that was a step forward. Pictures that are kept already are shown first."""
        try:
            with self._lock:
                known = any(self._wanted[place] in self._kept for place in self._missing)
            if not known:
                jobs.turn(jobs.Run(self._drawing()), jobs.SLICE, self._clock)
            with self._lock:
                index, ready = self._take()
            if ready:
                self._show(index, ready)
        except Exception as error:  # noqa: BLE001  any renderer or display; the owner shows it
            with self._lock:
                self._missing = []
            self._guarded(self._on_error, error)
            return False
        return True

    def _drawing(self) -> jobs.Job[None]:
        """Draws what is missing of the newest grid, nearest to the pointer first."""
        while True:
            with self._lock:
                grid, near = self._grid, self._near
                left = [place for place in self._missing if self._wanted[place] not in self._kept]
            if grid is None or not left or self._closed:
                return
            places, began = nearest_first(left, near)[: self._at_once], self._clock()
            pictures = self._draw(grid, places)
            self._measured((self._clock() - began) / len(places))
            self._keep({grid.content(place): picture for place, picture in zip(places, pictures, strict=True)})
            yield jobs.Progress(len(self._wanted) - len(left) + len(places), len(self._wanted))

    def _take(self) -> tuple[int, dict[Place, P]]:
        """Count the slice before it is shown, since the page may acknowledge it at once."""
        ready = {place: self._kept[self._wanted[place]] for place in self._missing if self._wanted[place] in self._kept}
        if ready:
            self._index += 1
            if self.live:
                self._flight[self._index] = self._clock()
            self._shown.update((place, self._wanted[place]) for place in ready)
            self._missing = [place for place in self._missing if place not in ready]
        return self._index, ready

    def _keep(self, pictures: dict[Hashable, P]) -> None:
        with self._lock:
            self._kept.update(pictures)
            for content in self._wanted.values():
                if content in self._kept:
                    self._kept.move_to_end(content)
            while len(self._kept) > max(KEPT, len(self._wanted)):
                self._kept.popitem(last=False)

    def _measured(self, seconds: float) -> None:
        self.seconds_each = (
            seconds if not self.seconds_each else self.seconds_each + 0.4 * (seconds - self.seconds_each)
        )

    def _guarded(self, action: Callable[..., object], *arguments: object) -> None:
        try:
            action(*arguments)
        except Exception:  # noqa: BLE001  the edge: nothing above would show it
            _log.exception("showing the state of a grid failed")
