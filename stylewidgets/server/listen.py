"""The app under uvicorn: one process, one port, and clients that are told before it closes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from ..remote.messages import DEFINITION
from .app import App

DRAIN = 10
"""Seconds that answers under way have when the server goes down."""


class Server(uvicorn.Server):
    """Serves an app until a signal, or until `should_exit` is set.

    Args:
        app: what is served.
        host, port: to listen on; port 0 is any that is free.
        tls: files with a certificate and its key.
        ready: called with the port once connections are accepted.
    """

    def __init__(
        self,
        app: App,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[Path, Path] | None = None,
        ready: Callable[[int], object] = lambda port: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host,
                port,
                ssl_certfile=tls and tls[0],
                ssl_keyfile=str(tls[1]) if tls else None,
                log_level="warning",
                access_log=False,
                server_header=False,
                ws="websockets-sansio",
                ws_max_size=DEFINITION,
                ws_per_message_deflate=False,  # pictures are compressed already
                timeout_graceful_shutdown=DRAIN,
                lifespan="on",
            )
        )
        self._app, self._ready = app, ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._telling: asyncio.Future[None] | None = None  # a task that nobody holds may be collected

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._ready(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: clients are told first. A second one does not wait for that."""
        if self._app.serving.going or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._app.serving.going = True
        self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        async def telling() -> None:
            await self._app.go_down()
            self.should_exit = True

        self._telling = asyncio.ensure_future(telling())
