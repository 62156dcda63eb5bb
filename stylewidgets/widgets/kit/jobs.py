"""Jobs on a page: one line with how far they are, pause and stop, and the notebook alive between two slices.

A clock in the browser drives them. Each tick is a message, the slice runs inside it and so do the pictures it makes, which
is what shows on every kernel, Colab's too; between two slices the kernel answers everything else. Nothing runs on a
thread of its own while nobody ticks.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import ipywidgets as widgets

from ... import jobs
from .compat import set_playing
from .errors import ShowsErrors, report
from .parts import button, control, note, row, say, show
from .sharing import own, shared_layout
from .state_lock import STATE

R = TypeVar("R")

ALONE_SECONDS = 2.0
"""How long work goes on at once while no page is there to tick."""

TICK_MS = 40
ENDLESS = 10**6


@dataclass(eq=False)
class _Task:
    name: str
    words: str
    run: jobs.Run[Any]
    kept: bool  # by whoever gave it, to go on with later
    done: Callable[[Any], object]
    each: Callable[[], object]
    ended: Callable[[], object]
    quiet: bool
    stoppable: bool
    asked: bool = False  # whether a reader stopped it, who wants what there is

    @property
    def said(self) -> str:
        at = self.run.progress
        words = f"{self.words}: {at.words}" if at.words else self.words
        if at.total:
            words += f", {at.done} of {at.total}" if at.words else f": {at.done} of {at.total}"
        if self.run.status == jobs.PAUSED:
            return f"{words} (paused)"
        return f"{words} (about {at.indivisible:.0f} s)" if (at.indivisible or 0) >= 1 else f"{words} …"


class Jobs(widgets.VBox):
    """Drives jobs one after the other, slice by slice.

    Args:
        view: where exceptions of the work are shown.
        clock: seconds, monotonic.

    Attributes:
        live: whether a page is there that ticks.
    """

    def __init__(self, view: ShowsErrors, clock: Callable[[], float] = time.monotonic) -> None:
        self._view, self._clock = view, clock
        self._tasks: list[_Task] = []
        self._list_lock = threading.Lock()
        self._working = threading.Lock()
        self.live = self._closed = False
        self._line: widgets.HBox | None = None
        self._clock_widget = control(
            widgets.Play, on=lambda _: self.tick(), layout={"display": "none"}, min=0, max=ENDLESS, interval=TICK_MS
        )
        super().__init__([self._clock_widget], layout=shared_layout(width="100%", min_height="34px"))

    # -- what others use -----------------------------------------------------------------------------------------------
    def run(
        self,
        name: str,
        job: jobs.Run[R] | jobs.Job[R],
        done: Callable[[R], object] = lambda result: None,
        words: str = "",
        quiet: bool = False,
        stoppable: bool = True,
        kept: bool = False,
        each: Callable[[], object] = lambda: None,
        ended: Callable[[], object] = lambda: None,
    ) -> None:
        """Do this work after what waits already; it replaces work of the same name.

        Args:
            name: of the work.
            job: a job or a run; it is stopped when it is replaced.
            done: called with the result: also with that of what was done until the reader stopped it, if there is one.
            words: what is shown while it goes on.
            quiet: shows nothing, and goes before other work.
            stoppable: has buttons here; without, the owner has them.
            kept: a run that is paused, not stopped, when it is dropped, so that its owner can go on with it.
            each: called after each step.
            ended: called when it has come to rest, whichever way.
        """
        if self._closed:
            return
        self.stop(name)
        run = job if isinstance(job, jobs.Run) else jobs.Run(job)
        if run.status not in (jobs.READY, jobs.RUNNING):
            run.resume()
        task = _Task(name, words or name, run, kept, done, each, ended, quiet, stoppable)
        with self._list_lock:
            self._tasks.insert(0 if quiet else len(self._tasks), task)
        self._update()
        STATE.afterwards((id(self), "alone"), self._alone)

    def stop(self, name: str | None = None) -> None:
        """Drop the work of that name, or all that is not quiet. What is at work ends after the step that it is doing."""
        self._let_go(lambda task: task.name == name if name is not None else not task.quiet, asked=name is None)

    def pause(self) -> None:
        """Let the work that is shown stand still, or go on."""
        loud = self._loud()
        if loud is not None:
            loud.run.resume() if loud.run.status == jobs.PAUSED else loud.run.pause()
            self._update()

    def busy(self, name: str | None = None) -> bool:
        """Whether work of that name, or any, waits or goes on."""
        return any(name is None or task.name == name for task in list(self._tasks))

    def hello(self) -> None:
        """A page is there and will tick."""
        self.live = True

    def finish(self) -> None:
        """Do all work now, however long it takes. For scripts and tests, where no page ticks."""
        try:
            while self._tasks:
                with self._working:
                    for task in self._tasks:
                        if task.run.status == jobs.PAUSED:
                            task.run.resume()
                    self._slice(float("inf"))
        except KeyboardInterrupt:
            self.interrupt()
            raise

    def tick(self) -> None:
        """Do one slice. On another thread's turn, that one goes on."""
        self.live = True
        if not self._try(jobs.SLICE):
            self.interrupt()  # nobody waits for this message
        _listen_soon(self)

    def interrupt(self) -> None:
        """The kernel was interrupted: all work comes to rest, and what it found so far is kept."""
        loud = self._loud()
        self._let_go(lambda task: True, asked=True)
        if loud is not None:
            more = ", and 'go on' goes on" if loud.kept else ""
            self._view.error = f"interrupted at step {loud.run.progress.done}: the result so far is kept{more}"

    def close(self) -> None:
        """Drop everything; what is at work ends after the step that it is doing."""
        self._closed = True
        with self._list_lock:
            tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.run.pause() if task.kept else task.run.stop()
        set_playing(self._clock_widget, False)
        super().close()

    # -- inside --------------------------------------------------------------------------------------------------------
    def _alone(self) -> None:
        if not self.live and not self._try(ALONE_SECONDS):
            self.interrupt()
            raise KeyboardInterrupt  # the cell that began it ends as well

    def _try(self, seconds: float) -> bool:
        """A slice, unless another thread is at one. False when the kernel was interrupted in it."""
        if not self._working.acquire(blocking=False):
            return True
        try:
            self._slice(seconds)
        except KeyboardInterrupt:
            return False
        finally:
            self._working.release()
        return True

    def _slice(self, seconds: float) -> None:
        end = self._clock() + seconds
        while not self._closed:
            task = next((task for task in self._tasks if task.run.status != jobs.PAUSED), None)
            if task is None or (self._turn(task, end - self._clock()) or self._clock() >= end):
                break
        self._update()

    def _turn(self, task: _Task, seconds: float) -> bool:
        """Some steps of one task; whether more are left."""
        try:
            more = jobs.turn(task.run, seconds, self._clock, task.each)
        except Exception as error:  # noqa: BLE001  any computation; it is shown where the user looks
            self._drop(task)
            report(self._view, error, task.words)
            self._guarded(task, task.ended)
            return False
        if not any(other is task for other in list(self._tasks)):  # dropped meanwhile
            self._rest(task)
        elif task.run.status in (jobs.DONE, jobs.STOPPED, jobs.FAILED):  # be it in somebody else's hands
            self._drop(task)
            result = task.run.result()
            self._guarded(task, lambda: task.done(result))
            self._guarded(task, task.ended)
        return more

    def _let_go(self, which: Callable[[_Task], bool], asked: bool) -> None:
        with self._list_lock:
            gone = [task for task in self._tasks if which(task)]
            self._tasks = [task for task in self._tasks if task not in gone]
        for task in gone:
            task.asked = asked
            task.run.pause() if task.kept else task.run.stop()
            if self._working.acquire(blocking=False):  # else the thread that is at it sees that it has gone
                try:
                    self._rest(task)
                finally:
                    self._working.release()
        self._update()

    def _rest(self, task: _Task) -> None:
        """A task was dropped and is not at work any more."""
        result = task.run.result() if task.asked and not task.kept else None
        if result is not None:
            self._guarded(task, lambda: task.done(result))
        self._guarded(task, task.ended)

    def _loud(self) -> _Task | None:
        return next((task for task in self._tasks if not task.quiet), None)

    def _drop(self, task: _Task) -> None:
        with self._list_lock:
            self._tasks = [other for other in self._tasks if other is not task]

    def _guarded(self, task: _Task, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001  the edge: nothing above would show it
            report(self._view, error, task.words)

    # -- the line ------------------------------------------------------------------------------------------------------
    def _update(self) -> None:
        loud = self._loud()
        set_playing(self._clock_widget, any(task.run.status != jobs.PAUSED for task in list(self._tasks)))
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
        at = loud.run.progress
        show(self._bar, bool(at.total))
        for part in (self._pause, self._stop):
            show(part, loud.stoppable)
        self._pause.description = "go on" if loud.run.status == jobs.PAUSED else "pause"
        if at.total:
            self._bar.max, self._bar.value = float(at.total), float(at.done)
        say(self._words, loud.said)

    def _make_line(self) -> widgets.HBox:
        wide = {"width": "auto", "flex": "1 1 120px", "max_width": "260px"}
        self._bar = control(widgets.FloatProgress, tip="progress of the work", layout=wide, min=0.0, max=1.0)
        self._words = note("")
        self._pause = button("pause", "let this work stand still, or go on", self.pause, "60px")
        self._stop = button("stop", "end this work and keep what is found so far", self.stop, "60px")
        return row(self._bar, self._pause, self._stop, self._words)


# -- an interrupt between two slices ---------------------------------------------------------------------------------------
# ipykernel ignores SIGINT while it waits for a message. Work that goes on slice by slice is in no message most of the time,
# so while there is some, the signal is taken here.
_busy: weakref.WeakSet[Jobs] = weakref.WeakSet()


def _listen_soon(work: Jobs) -> None:
    """See to it after this message that interrupts are heard, as long as there is work."""
    if threading.current_thread() is not threading.main_thread():
        return
    _busy.add(work) if work.busy() else _busy.discard(work)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return  # no kernel
    loop.call_soon(_listen, loop)  # ipykernel sets the handler back when the message is done


def _listen(loop: asyncio.AbstractEventLoop) -> None:
    def heard(*_: object) -> None:
        loop.call_soon_threadsafe(_interrupt_all)

    handler = signal.getsignal(signal.SIGINT)
    if _busy and handler is signal.SIG_IGN:
        signal.signal(signal.SIGINT, heard)
    elif not _busy and getattr(handler, "__qualname__", "") == heard.__qualname__:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt_all() -> None:
    for work in list(_busy):
        work.interrupt()
        _listen_soon(work)
