"""The quality ladder: which size and encoding the next frame gets, from the measured time of the last ones. No torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

TARGET_MS = 33.0
SMALLEST = 64
"""Pixels under which a moving picture does not tell the truth any more."""

PREVIEW = 32
PREVIEW_MS = 300.0
"""Where even a picture of `SMALLEST` pixels takes this long, an enlarged one of `PREVIEW` pixels stands in, and says so."""

SECONDS_BETWEEN = 1.0
"""A picture that changes its sharpness more often than this flickers."""

SMALL = 128
"""Up to this many pixels PNG costs under a millisecond, so every rung is lossless."""

_TOLERANCE = 1.25  # a frame may be this much slower than the target before the rung is left
_MARGIN = 0.9  # and is entered only when it promises to be this much faster
_GROWTH = 1.5  # time grows about with side ** 1.5: four times the pixels, but fewer channels in the outer blocks
_WEIGHT = 0.3  # of the newest frame in the running mean
_FORGET = 0.99  # each frame, for the mean of rungs not in use: one slow moment must not keep a rung shut


class Rung(NamedTuple):
    """How one frame is made.

    Attributes:
        max_side: longest side in pixels, or None for the generator's full size.
        format: "png" or "jpeg".
        quality: of JPEG, 1 to 95; PNG ignores it.
        name: "preview", "drag", "full" or "still", for display.
    """

    max_side: int | None = None
    format: str = "png"
    quality: int = 100
    name: str = "still"

    @property
    def final(self) -> bool:
        """Whether a frame of this rung cannot be improved: full size and lossless."""
        return self.max_side is None and self.format == "png"


STILL = Rung()


def drag_rungs(resolution: int | None) -> tuple[Rung, ...]:
    """The rungs for a picture in motion, the cheapest first and full size last. None: a single lossless rung."""
    if resolution is None:
        return (STILL,)
    small = resolution <= SMALL
    sides = [side for side in (PREVIEW, SMALLEST, 128, 256) if side < resolution]
    if resolution > 512:
        sides.append(512)
    form = "png" if small else "jpeg"
    rungs = [Rung(side, form, 60, "preview" if side < SMALLEST else "drag") for side in sides]
    return (*rungs, STILL if small else Rung(None, "jpeg", 85, "full"))


def next_rung(
    rungs: Sequence[Rung],
    current: int,
    frame_ms: float,
    *,
    resolution: int,
    target_ms: float = TARGET_MS,
    known: Mapping[int, float] | None = None,
) -> int:
    """Return the index of the rung to use after frames of rung `current` took `frame_ms`. A pure function.

    Too slow: down to the best rung that promises to be in time, at least one. Fast enough: up by one when the next rung
    promises to be in time too. A promise is the measured time in `known` (rung index → ms) or an estimate from the size.
    A preview only where the smallest honest rung promises no less than `PREVIEW_MS`.
    """
    known = known or {}
    sides = [min(rung.max_side or resolution, resolution) for rung in rungs]

    def promise(index: int) -> float:
        estimate = frame_ms * (sides[index] / sides[current]) ** _GROWTH
        return frame_ms if index == current else known.get(index, estimate)

    lowest = next((index for index, rung in enumerate(rungs) if rung.name != "preview"), 0)
    if current < lowest:  # leaves the preview only for what is no longer that slow
        return lowest if promise(lowest) < PREVIEW_MS * _MARGIN else current
    if frame_ms > target_ms * _TOLERANCE:
        for index in range(current - 1, lowest, -1):
            if promise(index) <= target_ms:
                return index
        return 0 if promise(lowest) > PREVIEW_MS else lowest
    if current + 1 < len(rungs) and promise(current + 1) <= target_ms * _MARGIN:
        return current + 1
    return current


class Ladder:
    """Remembers what frames took and picks the rung for the next one in motion, another one at most once a second. Starts at full
    size; the first picture, which is a still one, says where to go on.

    Args:
        resolution: of the generator in pixels; None for a single lossless rung at full size.
        target_ms: time for one frame, rendering and encoding, before the next can come.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        resolution: int | None = None,
        target_ms: float = TARGET_MS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._changed = clock, float("-inf")
        self.resolution, self.target_ms = resolution, target_ms
        self.rungs = drag_rungs(resolution)
        self.still = STILL
        self._current = len(self.rungs) - 1
        self._means: dict[int, float] = {}

    @property
    def drag(self) -> Rung:
        """The rung for the next frame in motion."""
        return self.rungs[self._current]

    def measured(self, rung: Rung, frame_ms: float) -> None:
        """Take note that a frame of `rung` took `frame_ms`: from its latent to encoded bytes, or the slower of the two stages
        where they overlap."""
        if rung in self.rungs:
            index = self.rungs.index(rung)
            before = self._means.get(index)
            mean = frame_ms if before is None else before + _WEIGHT * (frame_ms - before)
            self._means = {i: ms * (1.0 if i == index else _FORGET) for i, ms in self._means.items()}
            self._means[index] = mean
        elif not self._means:  # the first picture, a still one, also pays for warming up: it hints but is not kept
            index, mean = len(self.rungs) - 1, frame_ms
        else:
            return
        resolution = self.resolution or 1
        new = next_rung(self.rungs, index, mean, resolution=resolution, target_ms=self.target_ms, known=self._means)
        if not self._means:
            self._current = new
        elif new != self._current and self._clock() - self._changed >= SECONDS_BETWEEN:
            self._current, self._changed = new, self._clock()
