"""Encoding one frame beside the rendering of the next, on a GPU. Knows no torch and no Jupyter.

Pillow takes 6 to 10 ms for a JPEG of 1024 pixels on one core, and lets other threads run meanwhile. A GPU that waited for
it would stand still for that long at every frame. On the CPU a generator computes on all cores already, so that an encoder
beside it would only take one of them away: there everything stays in one thread.

Frames come more often, and some of them later: one that is finished while the next is being drawn is shown after that.

Nothing here was measured on a GPU, as none was at hand; the tests run it on the CPU, where it has to be asked for.
``STYLEWIDGETS_OVERLAP=0`` turns it off, ``=1`` turns it on for any device.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..core.environ import switch


class Overlap:
    """One worker thread, started when it is first needed, and the way back from it to the event loop of who asked.

    Args:
        wanted: asked at each `start`, in the thread of the caller: whether its event loop will soon get its turn, and may show
            pictures when it does. Default: always.
        finals: whether final frames are to be taken, too.
    """

    def __init__(self, wanted: Callable[[], bool] = lambda: True, finals: bool = False) -> None:
        self._wanted, self.finals = wanted, finals
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._closed = False

    def start(self, work: Callable[[], object], then: Callable[[], object]) -> bool:
        """Run `work` on the worker, after all work before it, and then `then` on the event loop that runs in this thread.

        `then` sees the context variables of now: a kernel reads from them which message it answers. It is not called when
        the loop is closed by then.

        Returns:
            False when nothing was started: not wanted here, no loop runs in this thread, no thread could be made, or `close`
            was called.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if not self._wanted():
            return False
        context = contextvars.copy_context()

        def run() -> None:
            work()
            try:
                loop.call_soon_threadsafe(then, context=context)
            except RuntimeError:
                pass  # the loop is closed, for example that of a subshell whose page has gone: there is no one to tell

        with self._lock:
            if self._closed:
                return False
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="stylewidgets-encode")
            try:
                self._pool.submit(run)
            except RuntimeError:  # no more threads, or the interpreter is about to end
                return False
        return True

    def close(self) -> None:
        """End the thread as soon as it has done what it is doing, without waiting for it. Harmless at any time."""
        with self._lock:
            pool, self._pool, self._closed = self._pool, None, True
        if pool is not None:
            pool.shutdown(
                wait=False, cancel_futures=True
            )  # waiting could be for itself: a finalizer runs in any thread


def overlap_for(device_type: str, wanted: Callable[[], bool] = lambda: True) -> Overlap | None:
    """Return an `Overlap` where it is worth it, on "cuda", and on another machine ("remote"), whose final frames are waited for
    beside the caller as well: a kernel must not stand still for a round trip. None elsewhere."""
    remote = device_type == "remote"
    return Overlap(wanted, remote) if switch("STYLEWIDGETS_OVERLAP", device_type == "cuda" or remote) else None


class WayBack:
    """The way from any thread to the event loop that ran here last, with the message that it answered."""

    def __init__(self) -> None:
        self._there: tuple[asyncio.AbstractEventLoop, contextvars.Context] | None = None

    def remember(self) -> None:
        """Come back to the event loop that runs in this thread, where there is one."""
        try:
            self._there = asyncio.get_running_loop(), contextvars.copy_context()
        except RuntimeError:
            pass

    def call(self, function: Callable[[], object]) -> bool:
        """Call a function there soon. False where no loop is known, or it has closed."""
        if self._there is None:
            return False
        loop, context = self._there
        try:
            loop.call_soon_threadsafe(function, context=context)
        except RuntimeError:
            return False
        return True
