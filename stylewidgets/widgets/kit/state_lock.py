"""One lock around the state of all widgets, with work that waits until it is free."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from types import TracebackType


class StateLock:
    """A lock for changing state, whose holder can put off slow work until after the release.

    Widget callbacks come from more than one thread (JupyterLab 4.4 with ipykernel 7 runs them beside the cells), and
    `traitlets.link` lets one widget change another while its own change is under way. A lock for each widget would then
    deadlock when two threads enter a linked pair from both ends; so there is one for all. Rendering must not hold it,
    or a cell would wait for a picture: `afterwards(key, action)` runs `action` when the outermost `with` block of this
    thread has ended, once for each key, the newest action.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._local = threading.local()

    def __enter__(self) -> StateLock:
        self._lock.acquire()
        self._local.depth = getattr(self._local, "depth", 0) + 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._local.depth -= 1
        self._lock.release()
        if self._local.depth == 0:
            actions = list(self._waiting().values())
            self._waiting().clear()
            for action in actions:
                action()

    def afterwards(self, key: Hashable, action: Callable[[], object]) -> None:
        """Run `action` when this thread holds the lock no longer: at once when it does not hold it."""
        if getattr(self._local, "depth", 0) == 0:
            action()
        else:
            self._waiting()[key] = action

    def _waiting(self) -> dict[Hashable, Callable[[], object]]:
        if not hasattr(self._local, "waiting"):
            self._local.waiting = {}
        waiting: dict[Hashable, Callable[[], object]] = self._local.waiting
        return waiting


STATE = StateLock()
"""The lock of every widget in this process."""
