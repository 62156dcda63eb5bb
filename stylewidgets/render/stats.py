"""Counts and times of a live picture."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any

SLOWEST_RATE = 5.0
"""Frames a second below which no rate is told: single steps are not a drag."""

_KEPT = 60  # times are medians over this many frames
_FRAMES = 256  # frame times kept for the rate, more than any page shows in a second


class Stats:
    """What a `Pump` did so far. Times are medians over the last 60 frames in milliseconds, nan before the first.

    The first frame counts only as long as it is alone: it also takes what is done once.

    Attributes:
        sent, seen: frames given to the display, and those it acknowledged.
        dropped: values replaced by a newer one before they were drawn, or before their frame was encoded.
        side: longer side of the last frame in pixels, 0 before the first.
        rung: name of its rung.
        device: where frames are drawn, for display.
    """

    def __init__(self, device: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.device = device
        self.sent = self.seen = self.dropped = self.side = 0
        self.rung = ""
        self._clock = clock
        self._render: deque[float] = deque(maxlen=_KEPT)
        self._encode: deque[float] = deque(maxlen=_KEPT)
        self._trips: deque[float] = deque(maxlen=_KEPT)
        self._times: deque[float] = deque(maxlen=_FRAMES)

    @property
    def render_ms(self) -> float:
        """From a latent to pixels."""
        return _median(self._render)

    @property
    def encode_ms(self) -> float:
        """From pixels to bytes."""
        return _median(self._encode)

    @property
    def round_trip_ms(self) -> float:
        """From sending a frame to its acknowledgement."""
        return _median(self._trips)

    @property
    def fps(self) -> float:
        """Frames sent within the last second."""
        now = self._clock()
        return float(sum(1 for t in tuple(self._times) if now - t < 1.0))

    def on_sent(self, render_ms: float, encode_ms: float, side: int, rung: str) -> None:
        """Count a frame that is given to the display."""
        if self.sent == 1:  # the first one also took what is done once: libraries that are compiled, memory
            self._render.clear()
            self._encode.clear()
        self.sent += 1
        self.side, self.rung = side, rung
        self._render.append(render_ms)
        self._encode.append(encode_ms)
        self._times.append(self._clock())

    def on_seen(self, round_trip_ms: float) -> None:
        """Count an acknowledged frame."""
        self.seen += 1
        self._trips.append(round_trip_ms)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        names = ("sent", "seen", "dropped", "side", "rung", "device", "render_ms", "encode_ms", "round_trip_ms", "fps")
        return {name: getattr(self, name) for name in names}

    def line(self) -> str:
        """One line such as "31 fps · 12 ms · 64 px · cpu"; what is not known yet is left out."""
        parts = []
        if self.fps >= SLOWEST_RATE:
            parts.append(f"{self.fps:.0f} fps")
        if self.sent > 1:
            took = self.render_ms + self.encode_ms
            parts.append(f"{took:.0f} ms" if took >= 1 else "<1 ms")
        if self.side:
            parts.append(f"{self.side} px")
        if self.device:
            parts.append(self.device)
        return " · ".join(parts)

    def __repr__(self) -> str:
        return f"Stats({self.line()}; {self.sent} sent, {self.seen} seen, {self.dropped} dropped)"


def _median(values: deque[float]) -> float:
    kept = tuple(values)  # another thread may append
    return median(kept) if kept else float("nan")
