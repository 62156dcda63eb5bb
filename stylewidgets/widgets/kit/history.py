"""A bounded undo and redo stack of immutable values. Pure Python: no widget, no torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 200
"""Steps that can be undone."""

MERGE_SECONDS = 0.8
"""Changes of one control that follow each other within this time are one step."""


class History(Generic[T]):
    """The present value with the values before and after it.

    A drag sends dozens of values; undoing them one by one would be useless. So `push` merges a value into the present
    step while the same control keeps changing: until `settle` is called, another control changes something, or the
    control rests for `merge_seconds`.

    Args:
        value: the first value. Values are compared with == and never copied, so they should be immutable.
        limit: number of steps that are kept; the oldest are forgotten. At least 1.
        merge_seconds: the longest pause within one step, in seconds.
        clock: returns seconds; a test passes its own.

    Raises:
        ValueError: `limit` is below 1.
    """

    def __init__(
        self,
        value: T,
        *,
        limit: int = LIMIT,
        merge_seconds: float = MERGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if limit < 1:
            raise ValueError(f"the history needs room for at least 1 step; limit={limit} was given")
        self._limit = limit
        self._merge_seconds = merge_seconds
        self._clock = clock
        self._value = value
        self._past: list[T] = []
        self._future: list[T] = []
        self._open: Hashable = None  # the control whose step still takes changes
        self._last = 0.0

    @property
    def value(self) -> T:
        """The present value."""
        return self._value

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def __len__(self) -> int:
        """Number of steps that can be undone or redone."""
        return len(self._past) + len(self._future)

    def push(self, value: T, source: Hashable = None, merge_seconds: float | None = None) -> bool:
        """Make `value` the present one and return whether that began a new step.

        Equal to the present value: nothing happens.

        Args:
            source: names the control that made the change; consecutive changes of one control become one step.
                None never merges.
            merge_seconds: the longest pause within this step, in place of the history's own.
        """
        if value == self._value:
            return False
        now = self._clock()
        pause = self._merge_seconds if merge_seconds is None else merge_seconds
        merges = source is not None and source == self._open and now - self._last <= pause
        if not merges:
            self._past.append(self._value)
            del self._past[: -self._limit]
        self._value = value
        self._future.clear()
        self._open, self._last = source, now
        return not merges

    def settle(self) -> None:
        """End the present step: the next change starts a new one, whichever control makes it."""
        self._open = None

    def undo(self) -> T:
        """Go one step back and return the value there; at the oldest step the present value."""
        return self._move(self._past, self._future)

    def redo(self) -> T:
        """Go one step forward again and return the value there; at the newest step the present value."""
        return self._move(self._future, self._past)

    def _move(self, source: list[T], target: list[T]) -> T:
        self.settle()
        if source:
            target.append(self._value)
            self._value = source.pop()
        return self._value
