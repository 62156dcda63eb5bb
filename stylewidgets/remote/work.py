"""Long work on a server as a `jobs.Run` here: advanced, paused and stopped like any other."""

from __future__ import annotations

import io
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import jobs
from ..latent.latent import Latent
from .messages import Outgoing, RemoteError, text
from .results import unpacked

if TYPE_CHECKING:
    from .session import RemoteSession
    from .socket import Socket, Write

WAIT = 0.01
"""Seconds that a step waits for news: a page must not stand still for work that is done elsewhere."""
BEGUN = 409
"""The answer to a spec that had arrived already, before the connection was lost."""
UNKNOWN = 404
"""The answer to an order for work that is not there."""
REST = (jobs.PAUSED, jobs.STOPPED, jobs.DONE)


class Works:
    """The jobs of one session, over one socket that is opened by the first of them."""

    def __init__(self, session: RemoteSession) -> None:
        self._session = session
        self._runs: dict[str, RemoteRun] = {}
        self._lock = threading.Lock()
        self._socket: Socket | None = None

    def start(self, spec: Mapping[str, object]) -> RemoteRun:
        """A run of what a spec describes; nothing is sent before its first step."""
        kinds = {"inversion": RemoteInversion, "drag": RemoteDrag}
        return kinds.get(str(spec.get("kind")), RemoteRun)(self, self._session, dict(spec))

    def add(self, run: RemoteRun) -> None:
        """Tell a run what becomes of its job from now on."""
        with self._lock:
            self._runs[run.name] = run

    def drop(self, run: RemoteRun) -> None:
        """A job has ended."""
        with self._lock:
            self._runs.pop(run.name, None)

    def say(self, **message: object) -> None:
        """Send a text. RemoteError where the server will not listen any more."""
        line = text(message)
        self.send(lambda _: line)

    def send(self, write: Write) -> None:
        """Send what `write` makes, see `Socket.send`."""
        with self._lock:
            if self._socket is None:
                self._socket = self._session.socket(
                    on_message=self._take, on_open=self._opened, on_lost=self._lost, on_refused=self._refused
                )
        self._socket.send(write)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._socket is not None:
            self._socket.close()

    # -- threads of the connection ---------------------------------------------------------------------------------------
    def _take(self, header: dict[str, Any], data: bytes) -> None:
        with self._lock:
            run = self._runs.get(str(header.get("job")))
        if run is not None:
            run.hear(header, data)
        elif "error" in header and "job" not in header:  # about none in particular: all that wait are told
            error = header["error"]
            self._refused(RemoteError(str(error.get("message")), int(error.get("code") or 500)))

    def _opened(self) -> None:
        for run in self._all():
            run.connected()

    def _lost(self, words: str) -> None:
        for run in self._all():
            run.lost(words)

    def _refused(self, error: RemoteError) -> None:
        for run in self._all():
            run.hear({"status": jobs.FAILED, "error": {"code": error.code, "message": str(error)}}, b"")

    def _all(self) -> list[RemoteRun]:
        with self._lock:
            return list(self._runs.values())


class RemoteRun(jobs.Run[Any]):
    """One job there. What it reports is what the server last said; a step here only waits a moment for more.

    Attributes:
        name: of the job, on the server.
    """

    def __init__(self, works: Works, session: RemoteSession, spec: dict[str, Any]) -> None:
        super().__init__(self._steps(), again=self._steps, spec=spec)
        self.name = uuid.uuid4().hex
        self._works, self._there = works, session
        self._news, self._heard = threading.Event(), threading.Condition()
        self._last: dict[str, Any] = {}
        self._at_rest: dict[str, Any] | None = None
        self._error: RemoteError | None = None
        self._picture, self._words, self._found_as = b"", "", ""
        self._sent = False
        self._sent_on: Outgoing | None = None

    # -- what is asked for -----------------------------------------------------------------------------------------------
    def pause(self) -> None:
        """Let it stand still there, too."""
        if self.status in (jobs.READY, jobs.RUNNING):
            super().pause()
            self._order("pause")

    def resume(self) -> None:
        """Let it go on. RuntimeError when it has ended."""
        if self.status == jobs.STOPPED and self._sent:
            raise RuntimeError("this work was stopped on the server, which does not keep it: start it anew")
        paused = self.status == jobs.PAUSED
        super().resume()
        if paused:
            self._order("resume")

    def stop(self) -> None:
        """End it; what it found so far stays."""
        going = self.status in (jobs.READY, jobs.RUNNING, jobs.PAUSED)
        super().stop()
        if going:
            self._order("stop")

    close = stop

    def result(self) -> Any:
        """What was found when it last came to rest; waits for what follows a pause or a stop, at most the deadline."""
        if self._sent and self.status in (jobs.PAUSED, jobs.STOPPED):
            with self._heard:
                self._heard.wait_for(lambda: self._at_rest is not None or self._error is not None, self._there.deadline)
            self._fetch()
        return self._result

    def _order(self, order: str) -> None:
        if self._sent:
            with self._heard:
                if self._ended:
                    return
                self._at_rest = None
            self._works.say(**{order: self.name})

    @property
    def _ended(self) -> bool:
        """Whether it has ended there, so that there is nothing to pause or stop."""
        return self._at_rest is not None and self._at_rest["status"] != jobs.PAUSED

    # -- threads of the connection ---------------------------------------------------------------------------------------
    def hear(self, header: Mapping[str, Any], data: bytes) -> None:
        """Take what the server says of this job."""
        with self._heard:
            if data:
                self._picture = data
                self._shown(header)
            if "progress" in header:
                self._last, self._words = dict(header["progress"]), ""
                self._reported(self._last)
            if header.get("error", {}).get("code") == BEGUN:
                return
            if "error" in header and not self._ended:
                self._error = self._told(header["error"])
            if "result" in header and header.get("status") in REST:
                self._at_rest = dict(header)
            self._heard.notify_all()
        self._news.set()

    def _told(self, error: Mapping[str, Any]) -> RemoteError:
        code = int(error.get("code") or 500)
        if code == UNKNOWN and self._last:  # it was under way
            return RemoteError(f"{self._there.host} was started anew, and this work is lost: start it again", code)
        return RemoteError(str(error.get("message")), code)

    def lost(self, words: str) -> None:
        """The connection has gone; the job goes on there."""
        self._words = words
        self._news.set()

    def connected(self) -> None:
        """The connection is there (again), and what the job does is told by itself. A server that does not know it (any more), as
        after a crash, says so."""
        if self._sent and self._at_rest is None:
            if self._last:
                self._works.say(**{"pause" if self.status == jobs.PAUSED else "resume": self.name})
            else:
                self._begin()

    def _begin(self) -> None:
        """Send the spec, once on each connection."""
        line = text({"start": self._spec, "job": self.name})

        def write(out: Outgoing) -> str | None:
            before, self._sent_on = self._sent_on, out
            return None if before is out else line

        self._works.send(write)

    def _reported(self, progress: Mapping[str, Any]) -> None:
        """Note more of a report."""

    def _shown(self, header: Mapping[str, Any]) -> None:
        """Note more of what came with a picture."""

    # -- the steps -----------------------------------------------------------------------------------------------------
    def _steps(self) -> jobs.Job[Any]:
        try:
            if not self._sent:
                self._works.add(self)
                self._sent = True
                self._begin()
            while True:
                self._news.wait(WAIT)
                self._news.clear()
                if self._error is not None:
                    self._works.drop(self)
                    raise self._error
                rest = self._at_rest
                if rest is not None and rest["status"] == jobs.DONE:
                    self._fetch()
                    self._works.drop(self)
                    return self._result
                yield self._progress()
        finally:
            if self.status == jobs.STOPPED:
                self._news.set()

    def _progress(self) -> jobs.Progress:
        last = self._last
        return jobs.Progress(
            int(last.get("done") or 0),
            last.get("total"),
            self._words or str(last.get("words") or ""),
            {str(name): float(value) for name, value in (last.get("terms") or {}).items()},
            indivisible=last.get("indivisible") or jobs.SLICE,  # nothing is gained by another step at once
        )

    def _fetch(self) -> None:
        """Get the result of the last rest, once."""
        rest = self._at_rest
        if rest is None or rest.get("result") in (None, self._found_as):
            return
        data = self._there.calls.data(f"results/{rest['result']}")
        suffix = str(rest.get("suffix") or "")
        if suffix == ".safetensors":
            self._result = self._read(unpacked(data), str(rest["result"]))
        else:
            path = Path(tempfile.mkdtemp(prefix="stylewidgets-")) / f"result{Path(suffix).suffix}"
            path.write_bytes(data)
            self._result = path
        self._found_as = str(rest["result"])

    def _read(self, found: Any, name: str) -> Any:
        return found


class RemoteInversion(RemoteRun):
    """An inversion there, with what is shown of one: see `inversion.run.Run`.

    Attributes:
        method, settings, total, space, history, frames, uses: as of `inversion.run.Run`; frames and uses come with the result.
        step, seconds: of the last report; until there is a result the seconds are those that passed here.
        target: what it is made for.
    """

    def __init__(self, works: Works, session: RemoteSession, spec: dict[str, Any]) -> None:
        super().__init__(works, session, spec)
        self.method, self.settings = str(spec.get("method")), dict(spec.get("settings") or {})
        self.total, self.step, self.space = int(self.settings.get("steps") or 1), 0, "w"
        self.history: list[Mapping[str, float]] = []
        self._began, self.seconds = 0.0, 0.0
        self.frames: list[Any] = []
        self.uses: dict[str, str] = {}
        self._decoded: NDArray[np.uint8] | None = None
        self._decoded_of = b""

    def pixels(self, i: int = 0) -> NDArray[np.uint8] | None:
        """The first picture of a step not long ago, uint8 [H, W, 3]; None before there is one, and for others than the first."""
        data = self._picture
        if not data or i:
            return None
        if data is not self._decoded_of:
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
                self._decoded, self._decoded_of = np.asarray(image.convert("RGB")), data
        return self._decoded

    def state(self) -> dict[str, Any]:
        """RuntimeError: the state of a run stays where it is."""
        raise RuntimeError("this run is on the server, and so is its state: start a new one, or pause it and go on")

    def _reported(self, progress: Mapping[str, Any]) -> None:
        self.step, self.total = int(progress.get("done") or 0), int(progress.get("total") or self.total)
        self._began = self._began or time.monotonic()
        self.seconds = time.monotonic() - self._began
        if terms := progress.get("terms"):
            while len(self.history) < self.step:
                self.history.append({str(name): float(value) for name, value in terms.items()})

    def _read(self, found: Any, name: str) -> Any:
        self.step, self.space, self.seconds = found.steps, found.space, found.seconds
        self.history, self.frames, self.uses = list(found.history), list(found.frames), dict(found.uses)
        self._there.fitted(found, name)
        return found


class RemoteDrag(RemoteRun):
    """A drag there, with what is shown of one: see `editing.dragging.run.Drag`.

    Attributes:
        start: the latent that is dragged.
        settings: those that were given.
        targets, points, step: as of `Drag`; `points` and `latent()` are those of the last picture that came.
    """

    def __init__(self, works: Works, session: RemoteSession, spec: dict[str, Any]) -> None:
        super().__init__(works, session, spec)
        self.settings = dict(spec.get("settings") or {})
        self.start = session.check(Latent.from_dict(spec["latent"]))
        self.targets = np.asarray(spec["targets"], np.float64)
        self.points = np.asarray(spec["handles"], np.float32)
        self.step, self._latent = 0, self.start

    def latent(self) -> Latent:
        """The picture as it was when it was last heard of."""
        return self._latent

    def _reported(self, progress: Mapping[str, Any]) -> None:
        self.step = int(progress.get("done") or 0)

    def _shown(self, header: Mapping[str, Any]) -> None:
        if header.get("latent") is not None and header.get("points") is not None:
            self.points = np.asarray(header["points"], np.float32)
            self._latent = Latent.from_dict(header["latent"])

    def _read(self, found: Any, name: str) -> Any:
        self.step, self.points, self._latent = len(found), found.points[-1], found.latent()
        return found
