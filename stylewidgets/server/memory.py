"""What happens when the device's memory is full: what is kept is let go, the work is tried once more, and somebody counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..remote.messages import RemoteError

MOST = 3
"""Failures in a row after which a server says that it is not healthy."""

Made = TypeVar("Made")


class Memory:
    """Tries work again with more room.

    Args:
        full: whether an exception says that memory is full.
        clear: lets go of everything that is kept.

    Attributes:
        failures: pieces of work in a row that did not fit, not even into empty memory.
    """

    def __init__(self, full: Callable[[BaseException], bool], clear: Callable[[], object]) -> None:
        self._full, self._clear = full, clear
        self.failures = 0

    @property
    def ok(self) -> bool:
        """False after `MOST` failures in a row: nothing fits any more, so the process is better started anew."""
        return self.failures < MOST

    def trying(self, work: Callable[[], Made]) -> Made:
        """What the work returns. `RemoteError` 507 where it does not fit."""
        try:
            made = work()
        except Exception as error:
            if not self._full(error):
                raise
        else:
            self.failures = 0
            return made
        self._clear()  # outside of the handler, whose traceback holds what the work had
        try:
            made = work()
        except Exception as error:
            if not self._full(error):
                raise
            self.failures += 1
            raise RemoteError("the device's memory is full: ask for fewer or smaller pictures", 507) from error
        self.failures = 0
        return made
