"""How much of the device's time the clients of one token may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Purse:
    """Seconds of the device that a token may still spend: they come in at `share` a second, up to `burst`.

    Work is paid for when it is done, so one that takes long leaves a debt, and its clients wait until that is paid.

    Args:
        share: seconds of the device for each second, 0 to 1; None for no limit.
        burst: the most that is saved up, in seconds.
        clock: seconds, monotonic.
    """

    def __init__(
        self, share: float | None = None, burst: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if share is not None and not 0 < share <= 1:
            raise ValueError(f"the share of a token is above 0 and at most 1; {share:g} was given")
        self._share, self._burst, self._clock = share, burst, clock
        self._left, self._at = burst, clock()
        self._lock = threading.Lock()
        self.spent = 0.0

    def spend(self, seconds: float) -> None:
        """Pay for work that is done."""
        with self._lock:
            self.spent += seconds
            self._left -= seconds

    def wait(self) -> float:
        """Seconds until work is paid for; 0 where it is now."""
        if self._share is None:
            return 0.0
        with self._lock:
            now = self._clock()
            self._left, self._at = min(self._burst, self._left + (now - self._at) * self._share), now
            return max(0.0, -self._left / self._share)
