"""The pump: newest value in, one frame out, never a queue. Pure Python: knows no torch, no Jupyter.

`submit` leaves the value in a mailbox of one place and draws it at once, in the caller, if nothing stands against it:
another thread is drawing (it will look into the mailbox again), three frames are still unacknowledged (the next
`acknowledge` draws it), or nobody can see the picture (becoming visible draws it).

With an `Overlap` a frame in motion is drawn in the caller and encoded beside the next one; then it waits for a turn of the
pump, which shows it. The turn comes from the caller's event loop, or sooner from anyone who calls the pump, and never from
the worker: some kernels break or stay silent when a thread of ours sends a message.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from .frames import Display, Encode, Frame, Picture
from .ladder import Ladder, Rung
from .overlap import Overlap
from .stats import Stats

_log = logging.getLogger("stylewidgets")

T = TypeVar("T")

IN_FLIGHT = 3
"""Frames without acknowledgement, those being encoded among them. A page answers every second frame, or with its next wish: so
one is being painted, one is on its way and one may be drawn meanwhile; more is only delay."""

ENCODING = 2
"""Of these at most so many are with another machine, which would replace one by the next if there were more."""

ACK_TIMEOUT = 1.0
"""Seconds after which a frame without acknowledgement no longer counts, so that a lost one freezes nothing."""


@dataclass(frozen=True)
class _Made(Generic[T]):
    """A frame before it is shown. `frame_ms`: how far apart frames like it can come, for the ladder."""

    index: int
    value: T
    rung: Rung
    picture: Picture
    render_ms: float
    frame_ms: float


class Pump(Generic[T]):
    """Draws the newest value, as well as time allows, and sharply when it rests.

    May be called from any thread and from within `render` and `Display.show`; no lock is held during these.

    Until a front end says hello (`hello` or an acknowledgement) every frame is final and none is waited for: so the
    picture of a notebook that runs without a browser is complete. The first frame is final too.

    Args:
        render: (value, rung) → `Picture`, or the `Encode` that makes it: only then is there anything to overlap.
        display: shows frames.
        ladder: picks the rungs; default: always full size and lossless.
        clock: seconds, monotonic.
        on_error: called with (exception, value) when `render` or `show` fails; the last frame stays. Default: log it.
        stats: counts and times; default: a new `Stats`.
        overlap: encodes frames in motion, None to do so in the caller. Final frames are encoded in the caller, so that they are
            there when it goes on, unless the overlap takes them too. Ended by `close`.
    """

    def __init__(
        self,
        render: Callable[[T, Rung], Picture | Encode],
        display: Display,
        *,
        ladder: Ladder | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_error: Callable[[Exception, T], None] | None = None,
        stats: Stats | None = None,
        overlap: Overlap | None = None,
    ) -> None:
        self._render, self._display, self._clock = render, display, clock
        self._on_error = on_error if on_error is not None else _log_error
        self.ladder = ladder if ladder is not None else Ladder()
        self.stats = stats if stats is not None else Stats(clock=clock)
        self._overlap = overlap
        self._lock = threading.Lock()
        self._mail: tuple[T, bool] | None = None  # newest value not drawn yet, and whether a final frame is wanted
        self._drawing: tuple[T, bool] | None = None  # value being drawn, and whether its frame will be final
        self._last: tuple[T, bool] | None = None  # newest value drawn, and whether its frame was final
        self._encoding = 0  # frames given to the worker and not taken back
        self._encoded: deque[Callable[[], None]] = (
            deque()
        )  # what is to be done with those that it has finished, in order
        self._flight: dict[int, float] = {}  # index -> time of sending, of frames that are waited for
        self._index = 0  # of the newest frame drawn
        self._shown = 0  # of the newest frame given to the display
        self._busy = self._closed = self._live = False
        self._visible = True

    # -- what callers say ----------------------------------------------------------------------------------------------
    def submit(self, value: T) -> None:
        """Make `value` the newest; draw it now or as soon as possible. A value that waits is replaced."""
        self.post(value)
        self._run()

    def post(self, value: T) -> None:
        """Make `value` the newest and leave the drawing to a later `tick`. A value that waits is replaced."""
        with self._lock:
            if self._mail is not None:
                self.stats.dropped += 1
            self._mail = (value, False)

    def tick(self) -> None:
        """Draw the waiting value if that is possible now. Harmless at any time."""
        self._run()

    def settle(self) -> bool:
        """Make the picture of the newest value final. Returns False when it already is, or nothing was submitted."""
        with self._lock:
            newest = self._mail or self._drawing or self._last
            if newest is None or (newest[1] and self._mail is None):
                return False
            self._mail = (newest[0], True)
        self._run()
        return True

    def acknowledge(self, index: int) -> None:
        """The display has painted frame `index`, and so painted or dropped all before it. Draws what waits."""
        now = self._clock()
        with self._lock:
            self._live = True
            for old in [i for i in self._flight if i <= index]:
                self.stats.on_seen((now - self._flight.pop(old)) * 1000)
        self._run()

    def hello(self) -> None:
        """A front end is there, perhaps a reloaded one: from now on frames are waited for; older ones are forgotten."""
        with self._lock:
            self._live = True
            self._flight.clear()
        self._run()

    def close(self) -> None:
        """Draw and show nothing any more."""
        with self._lock:
            self._closed, self._mail, self._last = True, None, None
            self._flight.clear()
            self._encoded.clear()
            self._encoding = 0
        if self._overlap is not None:
            self._overlap.close()

    # -- what it is doing ----------------------------------------------------------------------------------------------
    @property
    def visible(self) -> bool:
        """Whether anybody can see the picture; while not, the newest value waits. Assign to it."""
        return self._visible

    @visible.setter
    def visible(self, value: bool) -> None:
        with self._lock:
            self._visible = bool(value)
        self._run()

    @property
    def live(self) -> bool:
        """Whether a front end has said hello or acknowledged a frame."""
        return self._live

    @property
    def in_flight(self) -> int:
        """Frames that are waited for: from the encoder or for their acknowledgement."""
        return len(self._flight) + self._encoding

    @property
    def finishing(self) -> bool:
        """Whether the final frame of the newest value is still to come."""
        newest = self._mail or self._drawing
        if newest is not None:
            return newest[1]
        return self._last is not None and self._last[1] and self._shown < self._index

    @property
    def waiting(self) -> bool:
        """Whether a value waits in the mailbox."""
        return self._mail is not None

    # -- the loop ------------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        """Show and draw until nothing waits or something stands against it. Only one thread at a time is inside."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
        try:
            while True:
                with self._lock:
                    # Seeing that there is no work and giving up the turn is one step: a value that arrives after it
                    # finds the pump free, one that arrives before it is seen.
                    self._drawing = None
                    work = self._next()
                    if work is None:
                        self._busy = False
                        return
                work()
        except BaseException:
            with self._lock:
                self._busy, self._drawing = False, None
            raise

    def _next(self) -> Callable[[], None] | None:
        """What to do in this turn."""
        ready = self._ready()
        at_rest = ready and self._mail is not None and self._mail[1]
        if self._encoded and not at_rest:  # the final frame that is asked for makes those of the drag superfluous
            return self._encoded.popleft()
        if not ready:
            return None
        assert self._mail is not None
        value, final = self._mail
        whole = final or not self._live or self._last is None
        rung = self.ladder.still if whole else self.ladder.drag
        self._mail, self._drawing = None, (value, rung.final)
        return partial(self._draw, value, rung)

    def _ready(self) -> bool:
        if self._mail is None or self._closed:
            return False
        if self._last is None or not self._live:
            return True
        if not self._visible:
            return False
        now = self._clock()
        self._flight = {index: sent for index, sent in self._flight.items() if now - sent < ACK_TIMEOUT}
        # A final frame is asked for once, when the picture rests: it need not wait behind the frames of the drag.
        most = ENCODING if self._overlap is not None and self._overlap.finals else IN_FLIGHT
        return self._mail[1] or (self.in_flight < IN_FLIGHT and self._encoding < most)

    def _draw(self, value: T, rung: Rung) -> None:
        index = self._index = self._index + 1
        try:
            started = self._clock()
            made = self._render(value, rung)
            render_ms = (self._clock() - started) * 1000
            if isinstance(made, Picture):
                picture, frame_ms = made, render_ms
                render_ms = max(0.0, render_ms - made.encode_ms)
            elif self._hand_over(index, value, rung, made, render_ms):
                return
            else:
                done = made()
                if done is None:
                    self.stats.dropped += 1
                    return
                picture = done
                frame_ms = picture.frame_ms or render_ms + picture.encode_ms
        except Exception as error:  # noqa: BLE001  any renderer; the owner shows it
            self._on_error(error, value)
            return
        self._show(_Made(index, value, rung, picture, render_ms, frame_ms))

    def _show(self, made: _Made[T]) -> None:
        frame = self._register(made)
        if frame is None:
            return
        try:
            self._display.show(frame)
        except Exception as error:  # noqa: BLE001  any display; the owner shows it
            with self._lock:
                if self._last is not None:  # not shown: nothing to wait for, and not settled
                    self._flight.pop(frame.index, None)
                    self._last = (self._last[0], False)
            self._on_error(error, made.value)

    def _register(self, made: _Made[T]) -> Frame | None:
        """Count the frame before it is shown, since the display may acknowledge it at once. None: it is not to be shown."""
        index, value, rung, picture = made.index, made.value, made.rung, made.picture
        with self._lock:
            if self._closed:
                return None
            self.ladder.measured(rung, made.frame_ms)
            if index < self._shown:  # a newer one was encoded sooner
                self.stats.dropped += 1
                return None
            self._shown = index
            if self._live:
                self._flight[index] = self._clock()
            if index == self._index:
                self._last = (value, rung.final)
            took = made.render_ms if picture.render_ms is None else picture.render_ms
            self.stats.on_sent(took, picture.encode_ms, max(picture.width, picture.height), rung.name)
        return Frame(
            index,
            picture.data,
            picture.mime,
            picture.width,
            picture.height,
            rung.name,
            rung.final,
            took,
            picture.encode_ms,
            value,
        )

    # -- encoding beside the next frame ----------------------------------------------------------------------------------
    def _hand_over(self, index: int, value: T, rung: Rung, encode: Encode, render_ms: float) -> bool:
        """Give pixels to the worker. False: it does not take them."""
        if self._overlap is None or (rung.final and not self._overlap.finals):
            return False

        def work() -> None:  # on the worker: nothing is shown or reported here
            done: Callable[[], None]
            try:
                picture = encode()
            except Exception as error:  # noqa: BLE001  any encoder; the owner shows it
                done = partial(self._lost, value, error)
            else:
                done = partial(self._lost, value, None)
                if picture is not None:
                    # Both stages work at once, so frames come as fast as the slower of the two.
                    frame_ms = picture.frame_ms or max(render_ms, picture.encode_ms)
                    done = partial(self._show, _Made(index, value, rung, picture, render_ms, frame_ms))
            with self._lock:
                if not self._closed:
                    self._encoded.append(partial(self._take_back, done))

        with self._lock:
            self._encoding += 1
            before, self._last = self._last, (value, rung.final)
        taken = False
        try:
            taken = self._overlap.start(work, self._run)
        finally:
            if not taken:
                with self._lock:
                    self._encoding -= 1
                    self._last = before
        return taken

    def _lost(self, value: T, error: Exception | None) -> None:
        """No frame came of this value: nothing is settled by it."""
        with self._lock:
            self.stats.dropped += error is None
            if self._last is not None and self._last[0] is value:
                self._last = (value, False)
        if error is not None:
            self._on_error(error, value)

    def _take_back(self, done: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                return
            self._encoding -= 1
        done()


def _log_error(error: Exception, value: object) -> None:
    _log.error("drawing %.80r failed", value, exc_info=error)
