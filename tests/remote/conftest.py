"""Servers for the tests: one in this process, on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("starlette")

from stylewidgets import GeneratorSession, load
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


@pytest.fixture
def serve() -> Iterator[Callable[[Serving], str]]:
    """Serves on a port of loopback, and returns host and port."""
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
