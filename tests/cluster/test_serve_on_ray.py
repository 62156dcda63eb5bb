"""The server as a Ray Serve application: the same app, clients that are told when it goes, and no process left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from stylewidgets import load
from stylewidgets.remote.messages import SUBPROTOCOL, text
from stylewidgets.server import tokens

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
PORT = 8123
URL = f"http://127.0.0.1:{PORT}"


Running = subprocess.Popen[bytes]
Start = Callable[..., "tuple[Running, Path]"]


def ready(running: Running, log: Path) -> Running:
    """The server, once it answers."""
    until = time.monotonic() + 240
    while "Serving on" not in log.read_text():
        assert running.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(0.2)
    return running


@pytest.fixture(scope="module")
def start(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts `stylewidgets serve --ray`; returns the process and its log."""
    folder, made = tmp_path_factory.mktemp("serve"), []

    def begin(tokens_file: Path) -> tuple[Running, Path]:
        command = [sys.executable, "-m", "stylewidgets", "serve", "--ray", "--model", "avatar-64", "--device", "cpu"]
        command += ["--port", str(PORT), "--no-batches", "--token-file", str(tokens_file)]
        log = folder / f"{len(made)}.log"
        with open(log, "w") as out:
            made.append(
                subprocess.Popen(
                    command, env={**os.environ, "RAY_ADDRESS": address}, stdout=out, stderr=subprocess.STDOUT
                )
            )
        return made[-1], log

    yield begin
    for running in made:
        running.kill()
        running.wait()


@pytest.fixture(scope="module")
def tokens_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty place for tokens."""
    return tmp_path_factory.mktemp("tokens") / "tokens.txt"


@pytest.fixture(scope="module")
def server(start: Start, tokens_file: Path) -> tuple[Running, str]:
    """A server that answers, and a token."""
    token = tokens.new(tokens_file, "course")
    return ready(*start(tokens_file)), token


def test_pictures_are_those_of_a_session_here(server: tuple[Running, str], tmp_path: Path) -> None:
    import stylewidgets as sw

    session = sw.connect(URL, token=server[1])
    here = load("avatar-64", device="cpu", precision="auto")
    drawn, wanted = session.render(session.latent(seed=7)), here.render(here.latent(seed=7))
    assert drawn.tobytes() == wanted.tobytes()


def test_no_token_no_pictures(server: tuple[Running, str]) -> None:
    assert requests.get(f"{URL}/v1/models", timeout=60).status_code == 401
    assert requests.get(f"{URL}/v1/models", headers={"Authorization": "Bearer x"}, timeout=60).status_code == 401
    assert requests.get(f"{URL}/v1/health", timeout=60).json()["ok"]


def opened(token: str, client: str) -> ClientConnection:
    """The socket of a client."""
    made = connect(f"ws://127.0.0.1:{PORT}/v1/live", subprotocols=[Subprotocol(SUBPROTOCOL)], open_timeout=60)
    made.send(text({"hello": {"version": 1, "client": client * 20, "token": token, "model": ""}}))
    made.recv(timeout=60)
    return made


def told(client: ClientConnection) -> None:
    """Waits until the client is told that the server goes; an error where its socket is only cut."""
    while "going" not in json.loads(client.recv(timeout=60)):
        pass


def test_clients_are_told_before_it_goes_down_or_a_new_one_takes_its_place(
    server: tuple[Running, str], start: Start, tokens_file: Path
) -> None:
    running, token = server
    with opened(token, "a") as client:
        following, log = start(tokens_file)
        told(client)
    ready(following, log)
    with opened(token, "b") as client:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0, "it leaves alone what took its place"
        assert requests.get(f"{URL}/v1/health", timeout=60).status_code == 200
        following.send_signal(signal.SIGTERM)
        told(client)
    assert following.wait(60) == 0
    assert requests.get(f"{URL}/v1/health", timeout=30).status_code == 404, "the proxy stays with the cluster"
