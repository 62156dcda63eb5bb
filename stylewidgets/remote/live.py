"""Live pictures from a server: requests go ahead, the newest wins, and what the connection does is told in words."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..latent.latent import Latent
from ..render.ladder import Rung
from ..render.pump import Encode, Picture
from .messages import Outgoing, RemoteError, text
from .socket import Socket

if TYPE_CHECKING:
    from .session import RemoteSession


SILENT = 2.0
"""Seconds without an answer after which the line under the picture says so: nobody should take an old picture for a new one."""


@dataclass(eq=False)
class _Request:
    n: int
    latent: Latent
    rung: Rung
    ahead: int
    sent: float
    over: threading.Event = field(default_factory=threading.Event)
    picture: Picture | None = None
    error: RemoteError | None = None

    def end(self, picture: Picture | None = None, error: RemoteError | None = None) -> None:
        self.picture, self.error = picture, error
        self.over.set()


class RemoteLive:
    """What a `LiveRenderer` is for a session here: draws for one live picture, on a socket of its own.

    `begin` sends and returns at once. What it returns waits, on any thread, for the answer; None where a newer request was
    answered in its place. After a connection is lost the newest request is sent again as soon as there is one: a frame depends
    on nothing but weights, latent and rung.

    Args:
        session: where.

    Attributes:
        on_words: called, on a thread of the connection, with what it does ("reconnecting to …"), "" when all is well again.
    """

    device_type = "remote"

    def __init__(self, session: RemoteSession) -> None:
        self.session = session
        self.on_words: Callable[[str], object] = lambda words: None
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, _Request] = OrderedDict()
        self._newest: _Request | None = None
        self._n, self._late, self._words = 0, False, ""
        self._socket: Socket = session.socket(
            on_message=self._take, on_open=self._opened, on_lost=self._say, on_refused=self._refuse
        )

    def begin(self, latent: Latent, rung: Rung) -> Encode:
        """Ask for a frame. What is returned makes it a `Picture`, at most `session.deadline` seconds later.

        Raises:
            ValueError: the latent does not fit.
            RemoteError: the server will not draw for this client any more.
        """
        self.session.check(latent)
        with self._lock:
            self._n += 1
            request = _Request(self._n, latent, rung, 1 + len(self._waiting), time.perf_counter())
            self._waiting[request.n] = self._newest = request
        self._socket.send(partial(self._written, request))
        return partial(self._wait, request)

    def close(self) -> None:
        """Ask for nothing any more; what waits is given up."""
        self._socket.close()
        for request in self._taken(None):
            request.end()

    # -- threads of the connection ---------------------------------------------------------------------------------------
    def _written(self, request: _Request, out: Outgoing) -> str | None:
        if request.over.is_set():
            return None
        about: dict[str, Any] = {"n": request.n, "latent": out.latent(request.latent), "rung": list(request.rung)}
        if self.session.on:
            about["on"] = self.session.on
        return text(about)

    def _take(self, header: dict[str, Any], data: bytes) -> None:
        match header:
            case {"n": int() as n, "mime": str() as mime, "w": int() as w, "h": int() as h} if data:
                self._shown(n, Picture(data, mime, w, h, float(header.get("encode_ms") or 0.0)), header)
            case {"error": {"code": 424}}:  # what was defined is gone, as after many directions
                self._socket.forget()
                self._again()
            case {"error": {"message": message, **more}}:
                about, error = more.get("n"), RemoteError(str(message), int(str(more.get("code") or 500)))
                for request in self._taken(about if isinstance(about, int) else None):
                    request.end(error=error if about is None or request.n == about else None)
            case {"going": seconds}:
                self._say(f"{self.session.host} goes down in {float(seconds):g} s; reconnecting then")
            case {"busy": seconds}:
                self._say(f"{self.session.host} is busy: it goes on in {float(seconds):.0f} s")

    def _shown(self, n: int, picture: Picture, header: dict[str, Any]) -> None:
        now = time.perf_counter()
        for request in self._taken(n):
            if request.n != n:
                request.end()  # a newer one was drawn in its place
                continue
            # So many were on their way when this one left, so frames come so much quicker than one alone takes.
            apart = (now - request.sent) * 1000 / request.ahead
            request.end(picture._replace(render_ms=float(header.get("render_ms") or 0.0), frame_ms=apart))
        with self._lock:
            late, self._late = self._late, False
        if late or self._words:
            self._say("")

    def _opened(self) -> None:
        with self._lock:
            none = not self._waiting
            late, self._late = self._late, False
        if none and (late or self._words):
            self._say("")
        self._again()

    def _again(self) -> None:
        """Send the newest request anew; older ones are superseded."""
        with self._lock:
            newest = self._newest
            old = [self._waiting.pop(n) for n in list(self._waiting) if newest is None or n != newest.n]
        for request in old:
            request.end()
        if newest is not None and not newest.over.is_set():
            newest.sent, newest.ahead = time.perf_counter(), 1
            self._socket.send(partial(self._written, newest))

    def _refuse(self, error: RemoteError) -> None:
        for request in self._taken(None):
            request.end(error=error)
        self._say(str(error))

    def _say(self, words: str) -> None:
        self._words = words
        self.on_words(words)

    def _taken(self, n: int | None) -> list[_Request]:
        """Those up to n, or all, which wait no longer."""
        with self._lock:
            return [self._waiting.pop(k) for k in list(self._waiting) if n is None or k <= n]

    # -- whoever waits ---------------------------------------------------------------------------------------------------
    def _wait(self, request: _Request) -> Picture | None:
        silent = min(SILENT, self.session.deadline)
        if not request.over.wait(silent) and not self._words:
            self._say(f"waiting for {self.session.host} …")
        if not request.over.wait(self.session.deadline - silent):
            with self._lock:
                self._waiting.pop(request.n, None)
                self._late = True
            request.end()
            words = (
                f"no answer from {self.session.host} within {self.session.deadline:g} s; the picture before it stays"
            )
            raise RemoteError(words, 504)
        if request.error is not None:
            raise request.error
        return request.picture
