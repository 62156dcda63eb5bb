"""Servers for the tests: one in this process, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from websockets.sync.client import ClientConnection, connect

pytest.importorskip("starlette")

from stylewidgets import GeneratorSession, load
from stylewidgets.remote.messages import SUBPROTOCOL, text, unpacked
from stylewidgets.server.app import App
from stylewidgets.server.listen import Server
from stylewidgets.server.serving import Serving


@pytest.fixture(scope="session")
def session() -> GeneratorSession:
    """The model as it is here."""
    return load("avatar-64", device="cpu")


@pytest.fixture(scope="session")
def there() -> GeneratorSession:
    """The same model, opened once more for servers."""
    return load("avatar-64", device="cpu")


class Peer:
    """Somebody on the other side: calls and sockets, without what our own client makes of them."""

    def __init__(self, address: str, client: str = "", token: str = "") -> None:
        self.address, self.token = address, token
        self.http = requests.Session()
        self.http.headers.update({"X-Client": client} if client else {})
        self.http.headers.update({"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.http.get(f"http://{self.address}{path}", timeout=60, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        return self.http.post(f"http://{self.address}{path}", timeout=60, **more)

    def socket(self, path: str = "/v1/live", **more: Any) -> ClientConnection:
        more = {"subprotocols": [SUBPROTOCOL], "compression": None, **more}
        return connect(f"ws://{self.address}{path}", max_size=2**26, **more)


def hello(socket: ClientConnection, client: str, token: str = "", model: str = "") -> dict[str, Any]:
    """Introduce oneself; returns the server's answer."""
    socket.send(text({"hello": {"version": 1, "client": client, "token": token, "model": model}}))
    return heard(socket)[0]


def heard(socket: ClientConnection) -> tuple[dict[str, Any], bytes]:
    """The next text or frame."""
    message = socket.recv(timeout=60)
    return unpacked(message) if isinstance(message, bytes) else (json.loads(message), b"")


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Serving], str]]:
    """Serves on a port of loopback until the end, and returns host and port."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(serving: Serving) -> str:
        ports: list[int] = []
        up = threading.Event()
        server = Server(App(serving), ready=lambda port: (ports.append(port), up.set()))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert up.wait(60)
        running.append((server, thread))
        return f"127.0.0.1:{ports[0]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=60)
        assert not thread.is_alive()
