"""Writing a film in the background: with progress, pause and stop, and whatever is written stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .video import Writer


class Export:
    """Moves frames from an iterator to a writer, one at each `step`; `start` does it in a daemon thread.

    The thread touches nothing but these two objects; who shows the progress reads `done`, `state` and `error`.
    `state` is "paused", "running", "finished", "stopped" or "failed". After the last three the file is closed and
    holds the first `done` frames.
    """

    def __init__(self, film: Iterator[np.ndarray], writer: Writer, total: int) -> None:
        self.total, self.done = total, 0
        self.state, self.error = "paused", ""
        self._film, self._writer = film, writer
        self._lock = threading.Lock()
        self._go = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def path(self) -> Path:
        """The file or folder that is written."""
        return self._writer.path

    @property
    def active(self) -> bool:
        """Whether frames are still to come, be it after a pause."""
        return self.state in ("running", "paused")

    def start(self) -> None:
        """Begin, or go on after a pause, in a thread of its own."""
        if self.active:
            self.state = "running"
            self._go.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stylewidgets-export", daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """Wait after the frame that is being rendered."""
        if self.state == "running":
            self.state = "paused"
            self._go.clear()

    def stop(self) -> None:
        """End after the frame that is being rendered; the frames so far make a whole file."""
        with self._lock:
            if self.active:
                self._end("stopped")
        self._go.set()  # lets a paused thread see the end

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; True when it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def step(self) -> bool:
        """Render and write one frame; False when there is nothing more to do. Failures end up in `error`."""
        with self._lock:
            if not self.active:
                return False
            try:
                frame = next(self._film, None)
                if frame is None:
                    self._end("finished")
                    return False
                self._writer.add(frame)
                self.done += 1
            except Exception as error:  # noqa: BLE001  renderer, disk or codec: the owner shows it
                self.error = f"{type(error).__name__}: {error}"
                self._end("failed")
                return False
            return True

    def _end(self, state: str) -> None:
        try:
            self._writer.close()
        except Exception as error:  # noqa: BLE001  as above
            self.error = self.error or f"{type(error).__name__}: {error}"
            state = "failed"
        self.state = state

    def _run(self) -> None:
        while self.step():
            self._go.wait()
