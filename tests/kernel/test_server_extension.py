"""The server extension, in a real Jupyter Server with a real websocket."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("jupyter_server")

from stylewidgets import server_extension

TOKEN = "test"
CONFIG = """
import logging, socket
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler as Handler

original = Handler.on_message if hasattr(Handler, "on_message") else None

# What the operating system says about the connection, asked when the first message has come through it.
def on_message(self, *args, **kwargs):
    stream = self.ws_connection.stream
    value = stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    with open({out!r}, "w") as file:
        file.write(str(int(bool(value))))
    return original(self, *args, **kwargs)

Handler.on_message = on_message
c.ServerApp.jpserver_extensions = {{"stylewidgets.server_extension": True}}
"""


def _request(url: str, data: bytes | None = None) -> object:
    request = urllib.request.Request(url, data=data, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@contextmanager
def _server(folder: Path, *arguments: str, **environment: str) -> Iterator[int]:
    out = folder / "nodelay.txt"
    config = folder / "jupyter_server_config.py"
    config.write_text(CONFIG.format(out=str(out)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyter_server", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"),
        *(f"--config={config}", "--ServerApp.open_browser=False", *arguments),
    ]
    # Only the configuration of this test: what an installation enables on this machine stays out of it.
    own = {"JUPYTER_CONFIG_DIR": str(folder / "none"), "JUPYTER_NO_CONFIG": "", **environment}
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **own})
    try:
        for _ in range(200):
            try:
                _request(f"http://127.0.0.1:{port}/api/status")
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, (folder / "server.log").read_text()
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _nodelay_of_a_connection(port: int, folder: Path) -> bool:
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    kernel = _request(f"http://127.0.0.1:{port}/api/kernels", b"{}")
    assert isinstance(kernel, dict)
    out = folder / "nodelay.txt"

    async def talk() -> None:
        url = f"ws://127.0.0.1:{port}/api/kernels/{kernel['id']}/channels?session_id=a"
        connection = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {TOKEN}"}))
        header = {"msg_id": "1", "session": "a", "username": "", "msg_type": "kernel_info_request", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": {}, "channel": "shell"}
        await connection.write_message(json.dumps(message))
        for _ in range(300):
            if out.exists() and out.read_text():
                break
            await asyncio.sleep(0.1)
        connection.close()

    asyncio.run(talk())
    return out.read_text() == "1"


@pytest.mark.kernel
def test_a_kernel_websocket_has_tcp_nodelay(tmp_path: Path) -> None:
    with _server(tmp_path) as port:
        assert _nodelay_of_a_connection(port, tmp_path), (tmp_path / "server.log").read_text()
    assert "TCP_NODELAY is set on kernel websockets" in (tmp_path / "server.log").read_text()


@pytest.mark.kernel
@pytest.mark.parametrize("how", ["setting", "variable"])
def test_it_can_be_switched_off(tmp_path: Path, how: str) -> None:
    arguments = ["--StyleWidgetsExtension.nodelay=False"] if how == "setting" else []
    environment = {"STYLEWIDGETS_NODELAY": "0"} if how == "variable" else {}
    with _server(tmp_path, *arguments, **environment) as port:
        assert not _nodelay_of_a_connection(port, tmp_path)
    assert "left alone" in (tmp_path / "server.log").read_text()


def test_a_handler_without_set_nodelay_still_opens(caplog: pytest.LogCaptureFixture) -> None:
    class Handler:
        def open(self, kernel: str) -> str:
            return f"opened {kernel}"

    server_extension.enable(Handler, logging.getLogger("test"))
    server_extension.enable(Handler, logging.getLogger("test"))  # a second time changes nothing
    assert Handler().open("k") == "opened k"
    assert len([r for r in caplog.records if "was not set" in r.message]) == 1


def test_a_server_with_other_insides_still_starts(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Server:
        log = logging.getLogger("test")

    monkeypatch.setitem(sys.modules, "jupyter_server.services.kernels.websocket", None)
    server_extension._load_jupyter_server_extension(Server())  # even the parent is no Configurable
    assert "will be slower" in caplog.text


def test_importing_it_loads_neither_torch_nor_widgets() -> None:
    code = "import stylewidgets.server_extension, sys; assert not {'torch', 'ipywidgets'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
