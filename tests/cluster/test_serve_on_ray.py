"""The server as a Ray Serve application: the same app, clients that are told when it goes, and no process left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from stylewidgets import load
from stylewidgets.remote.messages import SUBPROTOCOL, text
from stylewidgets.server import tokens

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
PORT = 8123
URL = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def server(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    folder = tmp_path_factory.mktemp("serve")
    token = tokens.new(folder / "tokens.txt", "course")
    command = [sys.executable, "-m", "stylewidgets", "serve", "--ray", "--model", "avatar-64", "--device", "cpu"]
    command += ["--port", str(PORT), "--token-file", str(folder / "tokens.txt"), "--no-batches"]
    with open(folder / "log", "w") as log:
        running = subprocess.Popen(
            command, env={**os.environ, "RAY_ADDRESS": address}, stdout=log, stderr=subprocess.STDOUT
        )
    until = time.monotonic() + 200
    while "Serving on" not in (folder / "log").read_text():
        assert running.poll() is None and time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.2)
    yield running, token
    running.kill()
    running.wait()


def test_pictures_are_those_of_a_session_here(server: tuple[subprocess.Popen[bytes], str], tmp_path: Path) -> None:
    import stylewidgets as sw

    session = sw.connect(URL, token=server[1])
    here = load("avatar-64", device="cpu", precision="auto")
    drawn, wanted = session.render(session.latent(seed=7)), here.render(here.latent(seed=7))
    assert drawn.tobytes() == wanted.tobytes()


def test_no_token_no_pictures(server: tuple[subprocess.Popen[bytes], str]) -> None:
    assert requests.get(f"{URL}/v1/models", timeout=60).status_code == 401
    assert requests.get(f"{URL}/v1/models", headers={"Authorization": "Bearer x"}, timeout=60).status_code == 401
    assert requests.get(f"{URL}/v1/health", timeout=60).json()["ok"]


def test_clients_are_told_before_it_goes_down(server: tuple[subprocess.Popen[bytes], str]) -> None:
    running, token = server
    live = f"ws://127.0.0.1:{PORT}/v1/live"
    with connect(live, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None, open_timeout=60) as client:
        client.send(text({"hello": {"version": 1, "client": "c" * 20, "token": token, "model": ""}}))
        client.recv(timeout=60)
        running.send_signal(signal.SIGTERM)
        while "going" not in (told := json.loads(client.recv(timeout=30))):
            pass
    assert told["going"] > 0
    assert running.wait(60) == 0
    with pytest.raises(requests.ConnectionError):
        answer = requests.get(f"{URL}/v1/models", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        if answer.status_code != 200:  # the proxy of Serve stays as long as the cluster, with nothing behind it
            raise requests.ConnectionError(answer.status_code)
