"""A forked child draws, too: on one thread, and whatever the parent was doing.

Only the thread that forks goes on in the child. OpenMP waits there for its other threads, and a lock that another thread held
stays shut, both for ever.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from .session import GeneratorSession

_sessions: weakref.WeakSet[GeneratorSession] = weakref.WeakSet()


def remember(session: GeneratorSession) -> None:
    """Let a session work in children that are forked from now on."""
    _sessions.add(session)


def _in_the_child() -> None:
    if not _sessions:
        return
    torch.set_num_threads(1)
    for session in _sessions:
        session.lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_in_the_child)
