"""Batches that last as long as one slice of work may: a page stays alive between two of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

SECONDS = 0.08
"""What one batch is meant to take. Larger batches are hardly any faster on a CPU."""


class Pace:
    """How many items to take at a time, learned from how long those before took.

    Args:
        largest: items in a batch at most.
        seconds: that a batch should take.
        first: items in the first batch.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        largest: int = 32,
        *,
        seconds: float = SECONDS,
        first: int = 2,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.largest, self._seconds, self._clock = max(1, largest), seconds, clock
        self.batch = max(1, min(first, self.largest))
        self._each = float("inf")

    def batches(self, n: int) -> Iterator[slice]:
        """Slices of range(n) one after the other; each is timed from when it is given out until the next is asked for."""
        start = 0
        while start < n:
            stop = min(n, start + self.batch)
            began = self._clock()
            yield slice(start, stop)
            self.took(stop - start, self._clock() - began)
            start = stop

    def took(self, items: int, seconds: float) -> None:
        """Learn that so many items took so long. Batches grow to four times the last one at most: the first may be a fluke.
        A machine that is busy elsewhere for a moment makes them only a little smaller."""
        each = self._each = min(max(seconds, 1e-9) / max(1, items), 1.2 * self._each)
        self.batch = max(1, min(self.largest, 4 * items, int(self._seconds / each)))
