"""A live socket: hello, requests into a mailbox, frames out, and the jobs of its client."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ..remote.messages import (
    DEFINITION,
    LIVE_TEXT,
    SUBPROTOCOL,
    VERSION,
    Incoming,
    RemoteError,
    packed,
    parsed,
    rung_of,
    text,
)
from .purse import Purse
from .seats import UNSENT, Busy, Failed, Frame, Request, Seat
from .serving import Model, Serving
from .telling import Telling, said
from .work import Task

HELLO_SECONDS = 10.0
"""For the first text."""
WAITING = 64
"""Messages to a client that wait; while there are more, nothing is read from it."""
READS = 75
"""Texts a second that are read from one socket, more than a screen shows frames: who floods holds up himself."""
GOING = 1012
"""Close code of a server that goes down and comes back."""
REFUSED = 4400
"""Close code after a hello that is refused: 4000 and the last three digits of the error's code."""

_NAME = re.compile(r"[A-Za-z0-9_-]{16,64}")
_JOB = re.compile(r"[^\x00-\x1f]{1,100}")
_ORDERS = ("pause", "resume", "stop")


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a browser's page, where there is one, is of this very host."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get("host", "").lower()


class Live:
    """One socket, from its acceptance to its end.

    Args:
        serving: models, tokens, results.
        socket: not accepted yet.
        named: model of the address, which a hello may leave out.
    """

    def __init__(self, serving: Serving, socket: WebSocket, named: str) -> None:
        self._serving, self._socket, self._named = serving, socket, named
        self._loop = asyncio.get_running_loop()
        self._out: deque[tuple[str | bytes, int]] = deque()
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._arrays = Incoming()
        self._bytes = 0
        self._ended = False
        self._client = ""
        self._seat: Seat | None = None
        self._model: Model | None = None

    # -- its life ------------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Serve it until it ends."""
        await self._socket.accept(SUBPROTOCOL)
        try:
            model = self._hello(await asyncio.wait_for(self._socket.receive_text(), HELLO_SECONDS))
        except RemoteError as error:
            await self._end({"error": {"n": None, **said(error)}}, 4000 + error.code % 1000)
            return
        except (asyncio.TimeoutError, KeyError, WebSocketDisconnect, RuntimeError):
            await self._end(None, REFUSED)
            return
        self._model = model
        tell = Telling(self._serving.held, self._send_soon, lambda: self._bytes < UNSENT)
        self._tell = tell
        self._seat = model.hub.join(self._client, self._serving.purse(self._owner), self._deliver)
        about = model.about
        hello = {"version": VERSION, "name": model.name, "weights": about["weights"], "device": about["device"]}
        self._put(text({"hello": hello}))
        model.hub.back(self._client, tell)
        self._serving.held.here(self._client)
        writer = asyncio.ensure_future(self._write())
        try:
            await self._read(model, self._seat)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            writer.cancel()
            if model.hub.leave(self._seat):
                self._serving.held.gone(self._client)

    async def going(self, seconds: float) -> None:
        """Say that the server goes down, and close once that is said."""
        await self._end({"going": seconds}, GOING)

    async def _end(self, message: dict[str, object] | None, code: int) -> None:
        try:
            if message is not None:
                await self._socket.send_text(text(message))
            if self._socket.application_state == WebSocketState.CONNECTED:
                await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError):
            pass

    def _hello(self, line: str) -> Model:
        said = parsed(line).get("hello")
        if not isinstance(said, dict):
            raise RemoteError('the first text is {"hello": …}', 400)
        if said.get("version", VERSION) != VERSION:
            raise RemoteError(f"this server speaks version {VERSION}; the client speaks {said['version']!r:.20}", 426)
        owner = self._serving.tokens.owner(said.get("token"))
        if owner is None:
            raise RemoteError("there is no such token here: ask whoever runs the server for one", 401)
        client = said.get("client")
        if not isinstance(client, str) or not _NAME.fullmatch(client):
            raise RemoteError("a client's name has 16 to 64 of A-Z a-z 0-9 - _", 422)
        if self._serving.going:
            raise RemoteError("the server is going down", 503)
        self._owner, self._client = owner, client_of(owner, client)
        return self._serving.model(said.get("model") or self._named)

    # -- in ------------------------------------------------------------------------------------------------------------
    async def _read(self, model: Model, seat: Seat) -> None:
        pace = Purse(share=1.0, burst=0.5)
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            line, n = message.get("text"), None
            try:
                if line is None:
                    raise RemoteError("a client sends texts", 422)
                long = line.startswith('{"define"')
                asked = parsed(line, DEFINITION if long else LIVE_TEXT)
                n = asked.get("n")
                self._take(model, seat, asked)
            except RemoteError as error:
                self._put(text({"error": {"n": n if isinstance(n, int) else None, **said(error)}}))
            pace.spend(1 / READS)
            if wait := pace.wait():
                await asyncio.sleep(wait)
            await self._room.wait()

    def _take(self, model: Model, seat: Seat, asked: dict[str, Any]) -> None:
        if "define" in asked:
            self._arrays.define(asked)
        elif "n" in asked:
            n, on = asked["n"], asked.get("on") or ""
            if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n < 2**53 or not isinstance(on, str):
                raise RemoteError("a request has a number n from 0 on, and perhaps the hash of a result", 422)
            rung = rung_of(asked.get("rung"))
            model.hub.post(seat, Request(n, self._arrays.latent(asked.get("latent")), rung, on[:100]))
        elif "start" in asked:
            self._start(model, asked["start"], asked.get("job"))
        else:
            order = next((order for order in _ORDERS if order in asked), None)
            if order is None:
                raise RemoteError(
                    f"a text has hello, define, n, start, {', '.join(_ORDERS[:-1])} or {_ORDERS[-1]}", 422
                )
            name = str(asked[order])[:100]
            try:
                model.hub.order(self._client, name, order)
            except RemoteError as error:  # this one is not there; others of the client are
                self._put(text({"job": name, "status": "failed", "error": said(error)}))

    def _start(self, model: Model, spec: object, name: object) -> None:
        if not isinstance(name, str) or not _JOB.fullmatch(name):
            raise RemoteError("a job has a name of 1 to 100 characters", 422)
        if not isinstance(spec, dict):
            raise RemoteError("a spec is a JSON object", 422)
        try:
            begin = partial(started, self._serving, model, self._client, spec)
            model.hub.start(Task(self._client, name, self._serving.purse(self._owner), begin, self._tell))
        except RemoteError as error:
            self._put(text({"job": name, "status": "failed", "error": said(error)}))

    # -- out -----------------------------------------------------------------------------------------------------------
    def _deliver(self, reply: Frame | Failed | Busy) -> None:
        """On any thread."""
        if isinstance(reply, Busy):
            self._send_soon(text({"busy": round(reply.seconds, 3)}))
        elif isinstance(reply, Failed):
            self._send_soon(text({"error": {"n": reply.n, **said(reply.error)}}))
        else:
            picture, rung = reply.picture, reply.rung
            head = {"n": reply.n, "mime": picture.mime, "w": picture.width, "h": picture.height, "rung": list(rung)}
            times = {"render_ms": round(reply.render_ms, 3), "encode_ms": round(picture.encode_ms, 3)}
            self._send_soon(packed({**head, **times}, picture.data), len(picture.data))

    def _send_soon(self, message: str | bytes, counted: int = 0) -> None:
        try:
            self._loop.call_soon_threadsafe(self._put, message, counted)
        except RuntimeError:  # the loop has ended
            pass

    def _put(self, message: str | bytes, counted: int = 0) -> None:
        if self._ended:
            return
        self._out.append((message, counted))
        self._bytes += len(message)
        if len(self._out) > WAITING:
            self._room.clear()
        self._news.set()

    async def _write(self) -> None:
        assert self._model is not None and self._seat is not None
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._out:
                    message, counted = self._out.popleft()
                    if isinstance(message, str):
                        await self._socket.send_text(message)
                    else:
                        await self._socket.send_bytes(message)
                    self._bytes -= len(message)
                    if counted:
                        self._model.hub.sent(self._seat, counted)
                    if len(self._out) <= WAITING // 2:
                        self._room.set()
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has ended, and whoever reads it hears so
        finally:
            self._ended = True
            self._room.set()


def client_of(owner: str, name: str) -> str:
    """Whose results and jobs are whose: those of one token cannot reach for those of another."""
    return f"{owner[:16]}/{name}"


def started(serving: Serving, model: Model, client: str, spec: Mapping[str, Any]) -> Any:
    """The run of a spec. On the hub's thread.

    Raises:
        RemoteError: 422 where it names a file, which is one of the server; 424 for a picture that is not here.
        ValueError: as `session.start`.
    """
    settings = spec.get("settings")
    if isinstance(settings, dict) and settings.get("encoder", "bundled") != "bundled":
        raise RemoteError("a server opens no files by name: the encoder is 'bundled'", 422)
    on = spec.get("on", "")
    if not isinstance(on, str):
        raise RemoteError("'on' is the hash of a result", 422)
    session = model.desk.session_of(client, on)
    serving.uploads.known(client, session, spec)
    return session.start({name: value for name, value in spec.items() if name != "on"})
