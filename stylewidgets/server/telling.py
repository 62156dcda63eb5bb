"""What a client hears of its jobs: progress, a picture now and then, and the result."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import jobs
from ..core.pictures import encoded
from ..latent.files import encode
from ..remote.messages import LIVE_TEXT, RemoteError, packed, text
from . import results
from .held import Held
from .work import Task

SECONDS = 0.1
"""Between two reports of progress."""
PICTURES = 0.5
"""Seconds between two pictures of the state."""
_RESTING = (jobs.PAUSED, jobs.STOPPED, jobs.DONE)
_log = logging.getLogger(__name__)


class Telling:
    """Tells one socket of the jobs of its client; called on the hub's thread.

    Args:
        held: where results go.
        send: takes a text or a frame, and returns at once.
        room: whether the socket has room for a picture.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        held: Held,
        send: Callable[[str | bytes], object],
        room: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held, self._send, self._room, self._clock = held, send, room, clock
        self._told: dict[str, tuple[str, float]] = {}
        self._shown: dict[str, float] = {}

    def __call__(self, task: Task) -> None:
        """Say what is new."""
        status, now = task.status, self._clock()
        before, at = self._told.get(task.name, ("", float("-inf")))
        long = task.run is not None and (task.run.progress.indivisible or 0) > jobs.SLICE
        if status == before and now - at < SECONDS and not long:
            return
        self._told[task.name] = status, now
        if task.error is not None:
            self._send(text({"job": task.name, "status": status, "error": said(task.error)}))
        elif task.dropped or task.run is None:
            self._send(text({"job": task.name, "status": status, "result": None}))
        else:
            self._send(text({"job": task.name, "status": status, "progress": progress_of(task.run)}))
            self._picture(task, task.run, now, status in _RESTING and status != before)
            if status in _RESTING and status != before:
                self._result(task, task.run)
        if status in (jobs.DONE, jobs.STOPPED, jobs.FAILED):
            self._told.pop(task.name, None)
            self._shown.pop(task.name, None)

    def _picture(self, task: Task, run: jobs.Run[Any], now: float, last: bool) -> None:
        """Its state as the run shows it, where it does."""
        if not hasattr(run, "pixels") or not (last or now - self._shown.get(task.name, float("-inf")) >= PICTURES):
            return
        if not last and not self._room():
            return
        try:
            pixels = run.pixels()
            latent = run.latent().describe(encode) if hasattr(run, "latent") else None
        except Exception:  # noqa: BLE001  any run: without a picture the work goes on
            _log.warning("a job could not be shown", exc_info=True)
            return
        if pixels is None:
            return
        self._shown[task.name] = now
        height, width = pixels.shape[:2]
        about = {"job": task.name, "done": run.progress.done, "mime": "image/png", "w": width, "h": height}
        points = getattr(run, "points", None)  # of a drag
        about |= {} if points is None else {"points": np.asarray(points).tolist()}
        small = (
            latent is not None and len(text({"latent": latent})) < LIVE_TEXT * 7 // 8
        )  # 18 rows of 512 numbers go in
        self._send(packed({**about, "latent": latent if small else None}, encoded(pixels, "PNG")))

    def _result(self, task: Task, run: jobs.Run[Any]) -> None:
        head = {"job": task.name, "status": task.status}
        found = run.result()
        if found is None:
            self._send(text({**head, "result": None}))
            return
        try:
            data, suffix = results.packed(found)
        except (RemoteError, OSError) as error:
            self._send(text({**head, "error": said(error)}))
            return
        name = self._held.put(task.client, data, suffix, results.fitted(found))
        kind = str((run.spec or {}).get("kind", ""))
        self._send(text({**head, "result": name, "kind": kind, "suffix": suffix, "bytes": len(data)}))


def progress_of(run: jobs.Run[Any]) -> Mapping[str, object]:
    """The last report of a run as plain values."""
    last = run.progress
    terms = {str(name): float(value) for name, value in last.terms.items() if abs(float(value)) < float("inf")}
    return {
        "done": last.done,
        "total": last.total,
        "words": last.words,
        "terms": terms,
        "indivisible": last.indivisible,
    }


def told(error: BaseException) -> RemoteError:
    """An exception as a client is told it. What is nobody's mistake there is logged here, and only its kind told."""
    if isinstance(error, RemoteError):
        return error
    if isinstance(error, (ValueError, TypeError, FloatingPointError)):
        return RemoteError(str(error), 422)
    _log.error("a request failed", exc_info=error)
    return RemoteError(f"the server failed at this ({type(error).__name__}); its log says more")


def said(error: BaseException) -> dict[str, object]:
    """The same in JSON."""
    known = told(error)
    return {"code": known.code, "message": str(known)}
