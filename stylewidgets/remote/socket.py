"""A socket to a server that comes back by itself. Its threads only read, write and wait: none of them calls Jupyter."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from .messages import DEFINITION, SUBPROTOCOL, TENSOR_BODY, Outgoing, RemoteError, parsed, text, unpacked

FIRST, LONGEST = 0.2, 10.0
"""Seconds before the first try to come back, and before any."""
FATAL = (401, 403, 404, 409, 426)
"""What no second try changes."""

Message = dict[str, Any]
Write = Callable[[Outgoing], str | None]
"""Makes a message, and sends what it refers to ahead; None for nothing to say any more."""


class Socket:
    """Reads and writes on two threads of its own, started by the first message.

    Args:
        address: ws(s)://…
        hello: the first message.
        weights: of what has to be on the other side.
        host: for messages.
        on_message: called with each text and frame (its header and its bytes), one after the other.
        on_open: called whenever the other side has said hello.
        on_lost: called with words whenever the connection is gone.
        on_refused: called once where it will not come back, with the reason.
        deadline: seconds for the handshake.
    """

    def __init__(
        self,
        address: str,
        hello: Mapping[str, object],
        weights: str,
        host: str,
        *,
        on_message: Callable[[Message, bytes], object],
        on_open: Callable[[], object] = lambda: None,
        on_lost: Callable[[str], object] = lambda words: None,
        on_refused: Callable[[RemoteError], object] = lambda error: None,
        deadline: float = 30.0,
    ) -> None:
        self._address, self._hello, self._weights, self._host = address, dict(hello), weights, host
        self._on_message, self._on_open = on_message, on_open
        self._on_lost, self._on_refused, self._deadline = on_lost, on_refused, deadline
        self._outbox: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._socket: ClientConnection | None = None
        self._out: Outgoing | None = None
        self._closed = threading.Event()
        self._started = self._met = False
        self.refused: RemoteError | None = None

    @property
    def open(self) -> bool:
        """Whether the other side is there."""
        return self._socket is not None

    def send(self, write: Write) -> None:
        """Send a message soon. Where the other side is away it is lost: `on_open` says when to send anew.

        Raises:
            RemoteError: it was refused for good.
        """
        if self.refused is not None:
            raise self.refused
        with self._lock:
            if not self._started and not self._closed.is_set():
                self._started = True
                for work in (self._reading, self._writing):
                    threading.Thread(target=work, name="stylewidgets-remote", daemon=True).start()
        self._outbox.put(write)

    def forget(self) -> None:
        """The other side does not know any more what was defined: define it again."""
        with self._lock:
            if self._socket is not None:
                self._out = Outgoing(self._socket.send)

    def close(self) -> None:
        """End it, without waiting for its threads."""
        self._closed.set()
        self._outbox.put(None)
        with self._lock:
            gone, self._socket = self._socket, None
        if gone is not None:
            threading.Thread(target=gone.close, daemon=True).start()  # it waits for the other side

    # -- its threads ---------------------------------------------------------------------------------------------------
    def _writing(self) -> None:
        while (write := self._outbox.get()) is not None:
            with self._lock:
                socket, out = self._socket, self._out
            if socket is None or out is None:
                continue
            try:
                message = write(out)
                if message is not None:
                    socket.send(message)
            except (OSError, WebSocketException):
                continue  # the reader sees it, too

    def _reading(self) -> None:
        tries = 0
        while not self._closed.is_set():
            try:
                with connect(
                    self._address,
                    subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
                    compression=None,
                    max_size=TENSOR_BODY,
                    open_timeout=self._deadline,
                    close_timeout=1,
                ) as socket:
                    self._greet(socket)
                    tries, self._met = 0, True
                    self._on_open()
                    for message in socket:
                        if self._closed.is_set():
                            return
                        self._take(message)
            except RemoteError as error:
                if error.code in FATAL:
                    self._refuse(error)
                    return
            except InvalidStatus as error:
                replaced = self._met and error.response.status_code == 404  # a proxy's: the server behind it is away
                if error.response.status_code in FATAL and not replaced:
                    self._refuse(_said(error))
                    return
            except (OSError, WebSocketException):
                pass
            with self._lock:
                self._socket = self._out = None
            if self._closed.is_set():
                return
            self._on_lost(f"reconnecting to {self._host} …")
            longest = min(LONGEST, FIRST * 2**tries)
            tries = min(tries + 1, 10)
            self._closed.wait(longest * random.uniform(0.5, 1.0))

    def _greet(self, socket: ClientConnection) -> None:
        socket.send(text({"hello": self._hello}))
        try:
            first = parsed(socket.recv(timeout=self._deadline))
        except ConnectionClosed as error:
            code = error.rcvd.code - 4000 if error.rcvd is not None else 0
            if code in FATAL:
                raise RemoteError(error.rcvd.reason if error.rcvd else "refused", code) from None
            raise
        if "error" in first:
            raise RemoteError(str(first["error"].get("message")), int(first["error"].get("code", 500)))
        weights = first.get("hello", {}).get("weights")
        if weights != self._weights:
            raise RemoteError(
                f"{self._host} has other weights under this name now ({weights}, not {self._weights}): the pictures would be of "
                "other faces. sw.connect(...) begins anew with them",
                409,
            )
        with self._lock:
            self._socket, self._out = socket, Outgoing(socket.send)

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._on_message(*unpacked(message))
        else:
            self._on_message(parsed(message, DEFINITION), b"")

    def _refuse(self, error: RemoteError) -> None:
        with self._lock:
            self._socket = self._out = None
        self.refused = error
        self._on_refused(error)


def _said(error: InvalidStatus) -> RemoteError:
    """What the server says of a socket that it refuses."""
    status = error.response.status_code
    try:
        said = parsed(bytes(error.response.body or b""))["error"]
        return RemoteError(str(said["message"]), int(said["code"]))
    except (RemoteError, KeyError, TypeError, ValueError):
        return RemoteError(f"the server answered {status}", status)
