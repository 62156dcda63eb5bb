"""The pump: newest value in, one frame out, never a queue. Pure Python: knows no torch, no Jupyter, starts no thread.

`submit` leaves the value in a mailbox of one place and draws it at once, in the caller, if nothing stands against it:
another thread is drawing (it will look into the mailbox again), two frames are still unacknowledged (the next
`acknowledge` draws it), or nobody can see the picture (becoming visible draws it).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from .ladder import Ladder, Rung
from .stats import Stats

_log = logging.getLogger("stylewidgets")

T = TypeVar("T")

IN_FLIGHT = 2
"""Unacknowledged frames: one being painted and one on its way keep page and kernel busy; more is only delay."""

ACK_TIMEOUT = 1.0
"""Seconds after which a frame without acknowledgement no longer counts, so that a lost one freezes nothing."""


class Picture(NamedTuple):
    """What the render function returns: encoded bytes and how long encoding took, in milliseconds."""

    data: bytes
    mime: str
    width: int
    height: int
    encode_ms: float = 0.0


@dataclass(frozen=True)
class Frame:
    """One encoded picture on its way to a display.

    Attributes:
        index: counts up from 1; what the display acknowledges.
        data, mime, width, height: the encoded picture.
        rung_name: "drag", "full" or "still".
        final: whether it cannot be improved: full size and lossless.
        render_ms, encode_ms: how long it took.
    """

    index: int
    data: bytes
    mime: str
    width: int
    height: int
    rung_name: str
    final: bool
    render_ms: float = 0.0
    encode_ms: float = 0.0


class Display(Protocol):
    """Where frames go. It may call `Pump.acknowledge` at once, later, from another thread, or never."""

    def show(self, frame: Frame) -> None: ...


class Pump(Generic[T]):
    """Draws the newest value, as well as time allows, and sharply when it rests.

    May be called from any thread and from within `render` and `Display.show`; no lock is held during these.

    Until a front end says hello (`hello` or an acknowledgement) every frame is final and none is waited for: so the
    picture of a notebook that runs without a browser is complete. The first frame is final too.

    Args:
        render: (value, rung) → `Picture`.
        display: shows frames.
        ladder: picks the rungs; default: always full size and lossless.
        clock: seconds, monotonic.
        on_error: called with (exception, value) when `render` or `show` fails; the last frame stays. Default: log it.
        stats: counts and times; default: a new `Stats`.
    """

    def __init__(
        self,
        render: Callable[[T, Rung], Picture],
        display: Display,
        *,
        ladder: Ladder | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_error: Callable[[Exception, T], None] | None = None,
        stats: Stats | None = None,
    ) -> None:
        self._render, self._display, self._clock = render, display, clock
        self._on_error = on_error if on_error is not None else _log_error
        self.ladder = ladder if ladder is not None else Ladder()
        self.stats = stats if stats is not None else Stats(clock=clock)
        self._lock = threading.Lock()
        self._mail: tuple[T, bool] | None = None  # newest value not drawn yet, and whether a final frame is wanted
        self._last: tuple[T, bool] | None = None  # newest value drawn, and whether its frame was final
        self._flight: dict[int, float] = {}  # index -> time of sending, of frames that are waited for
        self._index = 0
        self._busy = self._closed = self._live = False
        self._visible = True

    # -- what callers say ----------------------------------------------------------------------------------------------
    def submit(self, value: T) -> None:
        """Make `value` the newest; draw it now or as soon as possible. A value that waits is replaced."""
        with self._lock:
            if self._mail is not None:
                self.stats.dropped += 1
            self._mail = (value, False)
        self._run()

    def tick(self) -> None:
        """Draw the waiting value if that is possible now. Harmless at any time."""
        self._run()

    def settle(self) -> bool:
        """Make the picture of the newest value final. Returns False when it already is, or nothing was submitted."""
        with self._lock:
            if self._mail is not None:
                self._mail = (self._mail[0], True)
            elif self._last is not None and not self._last[1]:
                self._mail = (self._last[0], True)
            else:
                return False
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
        """Draw nothing any more."""
        with self._lock:
            self._closed, self._mail, self._last = True, None, None
            self._flight.clear()

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
        """Frames that are waited for."""
        return len(self._flight)

    @property
    def waiting(self) -> bool:
        """Whether a value waits in the mailbox."""
        return self._mail is not None

    # -- the loop ------------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        """Draw until nothing waits or something stands against it. Only one thread at a time is inside."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
        try:
            while True:
                with self._lock:
                    # Seeing that there is no work and giving up the turn is one step: a value that arrives after it
                    # finds the pump free, one that arrives before it is seen.
                    if not self._ready():
                        self._busy = False
                        return
                    assert self._mail is not None
                    value, final = self._mail
                    self._mail = None
                    whole = final or not self._live or self._last is None
                    rung = self.ladder.still if whole else self.ladder.drag
                self._draw(value, rung)
        except BaseException:
            with self._lock:
                self._busy = False
            raise

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
        return self._mail[1] or len(self._flight) < IN_FLIGHT

    def _draw(self, value: T, rung: Rung) -> None:
        frame: Frame | None = None
        try:
            started = self._clock()
            picture = self._render(value, rung)
            took = (self._clock() - started) * 1000
            frame = self._register(value, rung, picture, took)
            if frame is not None:
                self._display.show(frame)
        except Exception as error:  # noqa: BLE001  any renderer or display; the owner shows it
            with self._lock:
                if frame is not None and self._last is not None:  # not shown: nothing to wait for, and not settled
                    self._flight.pop(frame.index, None)
                    self._last = (value, False)
            self._on_error(error, value)

    def _register(self, value: T, rung: Rung, picture: Picture, took: float) -> Frame | None:
        """Count the frame before it is shown, since the display may acknowledge it at once."""
        with self._lock:
            if self._closed:
                return None
            self.ladder.measured(rung, took)
            self._index += 1
            if self._live:
                self._flight[self._index] = self._clock()
            self._last = (value, rung.final)
            frame = Frame(
                self._index, picture.data, picture.mime, picture.width, picture.height, rung.name, rung.final,
                max(0.0, took - picture.encode_ms), picture.encode_ms,
            )
            self.stats.on_sent(frame.render_ms, frame.encode_ms, max(frame.width, frame.height), frame.rung_name)
            return frame


def _log_error(error: Exception, value: object) -> None:
    _log.error("drawing %.80r failed", value, exc_info=error)
