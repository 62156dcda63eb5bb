"""Long work in short slices: with progress, a stop button, and the notebook alive between two slices.

A clock in the browser drives it. Each tick is a message, the slice runs inside it and so do the pictures it makes, which
is what shows on every kernel, Colab's too; between two slices the kernel answers everything else. Nothing runs on a
thread of its own while nobody ticks.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import ipywidgets as widgets

from .compat import set_playing
from .errors import report
from .parts import button, control, note, row, say, show
from .sharing import own, shared_layout
from .state_lock import STATE

_log = logging.getLogger("stylewidgets")
R = TypeVar("R")

SLICE_SECONDS = 0.08
"""One slice takes at most about this long, or one step of the work where that takes longer."""

ALONE_SECONDS = 2.0
"""How long work goes on at once while no page is there to tick."""

TICK_MS = 40
ENDLESS = 10**6

Steps = Iterator[Any]
"""Yields (done, total) now and then, total 0 where it is not known; the value of its return is the result."""


@dataclass(eq=False)
class _Task:
    name: str
    words: str
    steps: Steps
    done: Callable[[Any], None]
    quiet: bool
    stoppable: bool
    progress: tuple[int, int] = (0, 0)


class SlicedWork(widgets.VBox):
    """Runs generators one after the other, slice by slice, and shows how far they are.

    Args:
        view: where exceptions of the work are shown.
        clock: seconds, monotonic.
    """

    def __init__(self, view: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._view, self._clock = view, clock
        self._tasks: list[_Task] = []
        self._list_lock = threading.Lock()
        self._working = threading.Lock()
        self._live = self._closed = False
        self._said = 0.0
        self._line: widgets.HBox | None = None
        self._clock_widget = control(
            widgets.Play, on=lambda _: self.tick(), layout={"display": "none"}, min=0, max=ENDLESS, interval=TICK_MS
        )
        super().__init__([self._clock_widget], layout=shared_layout(width="100%", min_height="34px"))

    # -- what others use -----------------------------------------------------------------------------------------------
    def run(
        self,
        name: str,
        steps: Steps,
        done: Callable[[Any], None],
        words: str = "",
        quiet: bool = False,
        stoppable: bool = True,
    ) -> None:
        """Do this work after what waits already; it replaces work of the same name.

        Args:
            steps: see `Steps`. Closed without its result when it is stopped or replaced.
            done: called with the result.
            words: what is shown while it goes on.
            quiet: shows nothing, and goes before other work.
            stoppable: has a stop button here; without, the owner has one.
        """
        if self._closed:
            return
        self.stop(name)
        task = _Task(name, words or name, steps, done, quiet, stoppable)
        with self._list_lock:
            self._tasks.insert(0 if quiet else len(self._tasks), task)
        self._update()
        STATE.afterwards((id(self), "alone"), self._alone)

    def stop(self, name: str | None = None) -> None:
        """Drop the work of that name, or all that is not quiet. It gets to know at its next step."""
        with self._list_lock:
            gone = [t for t in self._tasks if (t.name == name if name is not None else not t.quiet)]
            self._tasks = [t for t in self._tasks if t not in gone]
        for task in gone:
            if self._working.acquire(blocking=False):  # else the thread that is at it closes it
                try:
                    _close(task)
                finally:
                    self._working.release()
        self._update()

    def busy(self, name: str | None = None) -> bool:
        """Whether work of that name, or any, waits or goes on."""
        return any(name is None or task.name == name for task in list(self._tasks))

    @property
    def live(self) -> bool:
        """Whether a page is there that ticks."""
        return self._live

    def hello(self) -> None:
        """A page is there and will tick."""
        self._live = True

    def finish(self) -> None:
        """Do all work now, however long it takes. For scripts and tests, where no page ticks."""
        while self._tasks:
            with self._working:
                self._slice(float("inf"))

    def tick(self) -> None:
        """Do one slice. On another thread's turn, that one goes on."""
        self._live = True
        if self._working.acquire(blocking=False):
            try:
                self._slice(SLICE_SECONDS)
            finally:
                self._working.release()

    def close(self) -> None:
        """Drop everything; what is at work ends at its next step."""
        self._closed = True
        with self._list_lock:
            tasks, self._tasks = self._tasks, []
        for task in tasks:
            if self._working.acquire(timeout=1.0):
                try:
                    _close(task)
                finally:
                    self._working.release()
        set_playing(self._clock_widget, False)
        super().close()

    # -- inside --------------------------------------------------------------------------------------------------------
    def _alone(self) -> None:
        if not self._live and self._working.acquire(blocking=False):
            try:
                self._slice(ALONE_SECONDS)
            finally:
                self._working.release()

    def _slice(self, seconds: float) -> None:
        end = self._clock() + seconds
        while self._tasks and not self._closed:
            task, began = self._tasks[0], self._clock()
            self._step(task)
            if task not in self._tasks:
                _close(task)  # finished, or stopped meanwhile
            now = self._clock()
            if now + (now - began) >= end:  # another step like this one would be too long
                break
        self._update()

    def _step(self, task: _Task) -> None:
        try:
            progress = next(task.steps)
            if progress is not None:
                task.progress = (int(progress[0]), int(progress[1]))
        except StopIteration as end:
            result = end.value
            if self._drop(task):
                self._guarded(task, lambda: task.done(result))
        except Exception as error:  # noqa: BLE001  any computation; it is shown where the user looks
            self._drop(task)
            report(self._view, error, task.words)
        except BaseException:  # an interrupt: what was at work has ended, and nobody may wait for it
            self._drop(task)
            self._update()
            raise

    def _drop(self, task: _Task) -> bool:
        with self._list_lock:
            there = task in self._tasks
            self._tasks = [other for other in self._tasks if other is not task]
        return there

    def _guarded(self, task: _Task, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001  the edge: nothing above would show it
            report(self._view, error, task.words)

    def _update(self) -> None:
        tasks = list(self._tasks)
        loud = next((task for task in tasks if not task.quiet), None)
        set_playing(self._clock_widget, bool(tasks))
        if self._line is None and loud is not None:
            self._line = self._make_line()
            self.children = (self._line, self._clock_widget)
        if self._line is None:
            return
        visible = "visible" if loud else "hidden"  # its place stays, so that nothing below jumps
        if self._line.layout.visibility != visible:
            own(self._line).visibility = visible
        if loud is None:
            return
        done, total = loud.progress
        show(self._bar, total > 0)
        show(self._stop, loud.stoppable)
        if total:
            self._bar.max, self._bar.value = float(total), float(done)
        say(self._words, f"{loud.words}: {done} of {total}" if total else f"{loud.words} …")

    def _make_line(self) -> widgets.HBox:
        wide = {"width": "auto", "flex": "1 1 120px", "max_width": "260px"}
        self._bar = control(widgets.FloatProgress, tip="progress of the work", layout=wide, min=0.0, max=1.0)
        self._words = note("")
        self._stop = button("stop", "end this work and keep what is found so far", self.stop, "60px")
        return row(self._bar, self._stop, self._words)


def _close(task: _Task) -> None:
    close = getattr(task.steps, "close", None)
    if close is not None:
        try:
            close()
        except Exception:  # noqa: BLE001  it is thrown away; its failure concerns nobody but the log
            _log.exception("ending %s failed", task.name)


def stepwise(call: Callable[[Callable[..., None]], R], stop: type[BaseException]) -> Generator[Any, None, R]:
    """Turn a function that reports through a callback into steps.

    `call(callback)` runs on a thread that moves only while somebody waits for the next step; at each callback it stands
    still. So it is at work exactly when a plain generator would be. Closing the steps raises `stop` in the callback and
    waits for the thread's end.

    Yields:
        the arguments of each callback.
    """
    go, news = threading.Semaphore(0), queue.SimpleQueue[tuple[str, Any]]()
    ended = threading.Event()

    def callback(*progress: Any, **_: Any) -> None:
        news.put(("step", progress))
        go.acquire()
        if ended.is_set():
            raise stop

    def work() -> None:
        go.acquire()
        try:
            news.put(("result", call(callback)))
        except BaseException as error:  # noqa: BLE001  carried over to whoever asks for the next step
            news.put(("error", error))

    thread = threading.Thread(target=work, name="stylewidgets-steps", daemon=True)
    thread.start()
    try:
        while True:
            go.release()
            kind, what = news.get()
            if kind == "result":
                return what
            if kind == "error":
                raise what
            yield what
    finally:
        ended.set()
        go.release()
        thread.join()
