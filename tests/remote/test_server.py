"""Who is let in, what is refused before it is read, and how a server goes down."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
import re
import signal
import socket as sockets
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stylewidgets import GeneratorSession
from stylewidgets.__main__ import main
from stylewidgets.remote.arrays import pack
from stylewidgets.remote.messages import SUBPROTOCOL, TENSORS, UPLOAD, RemoteError, text
from stylewidgets.server import memory, tokens
from stylewidgets.server.serving import Serving

from .conftest import Peer, heard, hello

ME, MODEL = "m" * 20, "/v1/models/avatar-64"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "tokens.txt"


@pytest.fixture(scope="module")
def token(file: Path) -> str:
    return tokens.new(file, "a course")


@pytest.fixture(scope="module")
def server(there: GeneratorSession, serve: Callable[[Serving], str], file: Path, token: str) -> Peer:
    return Peer(serve(Serving({"avatar-64": there}, tokens.Tokens(file), batches=False)), ME, token)


# -- who is let in -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("given", ["", "wrong", "x" * 10_000])
def test_without_a_valid_token_nothing_is_told_but_health(server: Peer, given: str) -> None:
    stranger = Peer(server.address, ME, given)
    assert stranger.get("/v1/health").json()["ok"]
    for path in ("/v1/models", MODEL, f"{MODEL}/directions", "/v1/results/x"):
        assert stranger.get(path).status_code == 401
    for call in ("render", "targets"):
        assert stranger.post(f"{MODEL}/{call}", json={}).status_code == 401
    with stranger.socket() as socket:
        assert hello(socket, ME, given)["error"]["code"] == 401
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
        assert closed.value.rcvd.code == 4401


def test_a_token_is_revoked_by_deleting_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    first, second = tokens.new(path, "one"), tokens.new(path, "two\nlines")
    known = tokens.Tokens(path)
    assert known.owner(first) == hashlib.sha256(first.encode()).hexdigest() and known.owner(second)
    assert first not in path.read_text() and os.stat(path).st_mode & 0o077 == 0
    path.write_text(path.read_text().splitlines()[1] + "\n")
    assert known.owner(first) is None and known.owner(second) and known.owner("") is None
    path.write_text("nonsense")
    assert known.owner(second) is None
    path.unlink()
    assert known.owner(second) is None


def test_a_damaged_or_empty_file_of_tokens_is_no_file_of_tokens(tmp_path: Path) -> None:
    for content in ("nonsense", "", "# a remark\n"):
        (tmp_path / "t").write_text(content)
        with pytest.raises(ValueError, match="token"):
            tokens.Tokens(tmp_path / "t")


def test_pages_of_other_sites_are_refused(server: Peer) -> None:
    for origin, code in (("https://elsewhere.example", 403), ("null", 403), (f"http://{server.address}", 200)):
        assert server.get("/v1/models", headers={"Origin": origin}).status_code == code
    with pytest.raises(InvalidStatus) as caught:
        server.socket(additional_headers={"Origin": "https://elsewhere.example"})
    assert caught.value.response.status_code == 403
    assert not [name for name in server.get("/v1/models").headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("offered", [None, ["stylewidgets.2"]])
def test_another_version_is_told_both_numbers(server: Peer, offered: list[str] | None) -> None:
    with pytest.raises(InvalidStatus) as caught:
        server.socket(subprotocols=offered)
    assert caught.value.response.status_code == 426 and SUBPROTOCOL in caught.value.response.body.decode()
    assert server.get("/v1/models", headers={"X-Version": "2"}).status_code == 426


def test_results_and_jobs_are_found_by_their_token_and_client(server: Peer, file: Path) -> None:
    assert server.get("/v1/results/" + "0" * 64).status_code == 404
    assert server.get("/v1/models/no-such-model").status_code == 404


# -- what is refused before it is read -----------------------------------------------------------------------------------------
def answered(server: Peer, head: str, body: bytes = b"") -> str:
    """The first line of what comes back for bytes on a socket."""
    host, port = server.address.split(":")
    with sockets.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(f"{head}\r\nHost: {host}\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode() + body)
        return connection.makefile("rb").readline().decode()


@pytest.mark.parametrize("call", ["render", "targets", "synthesize"])
def test_a_body_of_a_gigabyte_is_refused_by_its_header(server: Peer, call: str) -> None:
    line = answered(
        server, f"POST {MODEL}/{call} HTTP/1.1\r\nContent-Length: {10**9}\r\nContent-Type: image/png", b"x" * 100
    )
    assert " 413 " in line  # no more than these 100 bytes were ever sent


def test_a_body_that_hides_its_length_is_refused_at_the_limit(server: Peer) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(UPLOAD // 2**20 + 2):
            yield b"x" * 2**20

    try:
        code = server.post(f"{MODEL}/targets", data=parts(), headers={"Content-Type": "image/png"}).status_code
    except OSError:  # the server closed while there was more to send
        code = 413
    assert code == 413


def render(server: Peer, data: bytes, kind: str = "application/json") -> tuple[int, str]:
    answer = server.post(f"{MODEL}/synthesize", data=data, headers={"Content-Type": kind})
    return answer.status_code, answer.json()["error"]["message"] if answer.status_code != 200 else ""


def test_bodies_that_are_not_what_they_say(server: Peer) -> None:
    w = np.zeros((1, 128), np.float32)
    whole = pack({"w": w})
    (length,) = struct.unpack_from("<Q", whole)
    nan = pack({"w": np.full_like(w, np.nan)})
    wrong = {
        "pickle": pickle.dumps({"w": w}),
        "cut": whole[:-1],
        "header": struct.pack("<Q", 2**40) + whole[8:],
        "too long": struct.pack("<Q", length + 4) + whole[8:],
        "not finite": nan,
        "float64": _safetensors("F64", [1, 64], 512),
        "shape": pack({"w": np.zeros((1, 127), np.float32)}),
        "empty": pack({"w": np.zeros((0, 128), np.float32)}),
        "name": pack({"weights": w}),
        "value": pack({"w": w}, {"noise_mode": "loud"}),
    }
    for name, data in wrong.items():
        code, words = render(server, data, TENSORS)
        assert code == 422 and 10 < len(words) < 600, (name, code, words)
    assert render(server, pack({"w": np.zeros((65, 128), np.float32)}), TENSORS)[0] == 413
    assert render(server, b"{}", "text/plain")[0] == 415
    assert render(server, whole, TENSORS)[0] == 200


def _safetensors(dtype: str, shape: list[int], size: int) -> bytes:
    head = json.dumps({"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(size)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"w": NaN}', b"[" * 10**5, b'{"w": {"shape": [1e99], "float32": ""}}', b"\xff\xfe"]
)
def test_json_that_is_no_call(server: Peer, body: bytes) -> None:
    code, words = render(server, body)
    assert code == 422 and words


def test_pixels_beyond_the_model_are_refused(server: Peer, session: GeneratorSession) -> None:
    latent = session.latent(seed=1).to_dict()
    for resolution in (65, 10**9, 0, -1, 1.5, "64"):
        answer = server.post(f"{MODEL}/images", json={"latents": [latent], "resolution": resolution})
        assert answer.status_code == 422 and "resolution" in answer.json()["error"]["message"]
    answer = server.post(f"{MODEL}/images", json={"latents": [latent] * 65})
    assert answer.status_code == 413 and "64" in answer.json()["error"]["message"]


def test_a_picture_of_a_thousand_million_pixels_is_refused_by_its_header(server: Peer) -> None:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    png = bytearray(buffer.getvalue())
    png[16:24] = struct.pack(">II", 40_000, 25_000)
    import zlib

    png[29:33] = struct.pack(">I", zlib.crc32(bytes(png[12:29])))
    answer = server.post(f"{MODEL}/targets", data=bytes(png), headers={"Content-Type": "image/png"})
    assert answer.status_code in (413, 422) and not server.get("/v1/health").json()["queue"]["calls"]


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"<svg/>", b"%!PS-Adobe", pickle.dumps([1]), b"\x89PNG\r\n\x1a\n" + b"x" * 99]
)
def test_uploads_that_are_no_pictures(server: Peer, data: bytes) -> None:
    answer = server.post(f"{MODEL}/targets", data=data, headers={"Content-Type": "image/png"})
    assert answer.status_code == 422


def test_a_server_opens_no_file_by_name(server: Peer, tmp_path: Path) -> None:
    canary = tmp_path / "encoder.safetensors"
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    target = server.post(f"{MODEL}/targets", data=buffer.getvalue(), headers={"Content-Type": "image/png"}).json()[
        "target"
    ]
    with server.socket() as socket:
        assert "hello" in hello(socket, ME, server.token)
        spec = {"kind": "inversion", "method": "psp", "target": target, "settings": {"encoder": str(canary)}}
        socket.send(text({"start": spec, "job": "a"}))
        answer = heard(socket)[0]
    assert answer["error"]["code"] == 422 and "no files by name" in answer["error"]["message"]


def test_long_texts_close_nothing_but_are_refused(server: Peer) -> None:
    with pytest.raises(ConnectionClosed) as closed, server.socket() as socket:
        assert "hello" in hello(socket, ME, server.token)
        socket.send('{"n": 1, "x": "' + "y" * 100_000 + '"}')
        assert heard(socket)[0]["error"]["code"] == 413
        socket.send(b"binary")
        assert heard(socket)[0]["error"]["code"] == 422
        socket.send("x" * (5 * 2**20))  # longer than any definition: the socket ends
        socket.recv(timeout=30)
    assert closed.value.rcvd.code == 1009
    assert server.get("/v1/health").json()["ok"]


@pytest.mark.parametrize(
    "first", ["{}", "nonsense", '{"hello": {"token": 5, "client": "short"}}', '{"hello": {"version": 9}}']
)
def test_who_does_not_introduce_himself_is_shown_out(server: Peer, first: str) -> None:
    with server.socket() as socket:
        socket.send(first)
        assert "error" in heard(socket)[0]
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


# -- memory --------------------------------------------------------------------------------------------------------------------
def test_full_memory_is_cleared_and_tried_once_more_and_three_failures_in_a_row_are_told() -> None:
    log: list[str] = []
    kept = memory.Memory(lambda error: isinstance(error, MemoryError), lambda: log.append("cleared"))
    left = [2]

    def work() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise MemoryError
        return "drawn"

    left[0] = 1
    assert kept.trying(work) == "drawn" and log == ["cleared"] and kept.ok
    for _ in range(3):
        assert kept.ok
        left[0] = 2
        with pytest.raises(RemoteError, match="memory") as caught:
            kept.trying(work)
        assert caught.value.code == 507
    assert not kept.ok
    assert kept.trying(work) == "drawn" and kept.ok
    with pytest.raises(ZeroDivisionError):
        kept.trying(lambda: 1 / 0)


# -- the command ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "some-host.example"])
def test_another_host_without_a_token_is_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", host]) == 2
    assert "needs tokens" in capsys.readouterr().err


def test_a_new_token_is_told_once_and_only_its_hash_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens.txt"
    assert main(["serve", "--new-token", "Course 1", "--token-file", str(path)]) == 0
    (token,) = re.findall(r"^  (\S{43})$", capsys.readouterr().out, re.M)
    assert path.read_text() == f"{hashlib.sha256(token.encode()).hexdigest()} Course 1\n"
    assert tokens.Tokens(path).owner(token)
    assert main(["serve", "--new-token", "Course 1"]) == 2


class Process:
    """`stylewidgets serve` as a process of its own."""

    def __init__(self, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "stylewidgets",
            "serve",
            "--model",
            "avatar-64",
            "--no-batches",
            "--port",
            "0",
            *options,
        ]
        self.running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.running.stdout.readline()
        self.address = re.search(r"127\.0\.0\.1:\d+", line)[0]

    def listening(self) -> set[str]:
        """Local addresses that it listens on, from /proc: all TCP sockets that are its own."""
        own = set()
        for entry in Path(f"/proc/{self.running.pid}/fd").iterdir():
            try:
                own.add(os.readlink(entry))
            except OSError:  # closed meanwhile
                continue
        found = set()
        for name in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                    found.add(fields[1].partition(":")[0])
        return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_it_listens_on_loopback_and_tells_everybody_before_it_goes(session: GeneratorSession) -> None:
    process = Process()
    try:
        assert process.listening() == {"0100007F"}
        peer = Peer(process.address, ME)
        with peer.socket() as one, peer.socket() as two:
            assert "hello" in hello(one, ME) and "hello" in hello(two, "o" * 20)
            latent = session.latent(seed=1).to_dict()
            one.send(text({"n": 1, "latent": latent, "rung": [None, "png", 100, "still"]}))
            assert heard(one)[0]["n"] == 1
            process.running.send_signal(signal.SIGTERM)
            for socket in (one, two):
                assert heard(socket)[0] == {"going": 2.0}  # first the word, then the end
                with pytest.raises(ConnectionClosed) as closed:
                    socket.recv(timeout=60)
                assert closed.value.rcvd.code == 1012
        assert process.running.wait(60) == 0
        assert process.running.stderr.read() == ""
    finally:
        process.running.kill()
        process.running.communicate()


def test_while_it_goes_down_health_says_so_and_calls_are_refused(
    there: GeneratorSession, serve: Callable[[Serving], str], session: GeneratorSession
) -> None:
    serving = Serving({"avatar-64": there}, batches=False)
    peer = Peer(serve(serving), ME)
    serving.going = True
    assert peer.get("/v1/health").status_code == 503 and not peer.get("/v1/health").json()["ok"]
    answer = peer.post(f"{MODEL}/render", json={"latent": session.latent(seed=1).to_dict()})
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    with peer.socket() as socket:
        assert hello(socket, ME)["error"]["code"] == 503


# -- mutated messages -----------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_mutated_messages_execute_nothing_crash_nothing_and_take_no_memory(thorough: int) -> None:
    corpus = Path(__file__).with_name("hostile_messages.py")
    made = subprocess.run(
        [sys.executable, str(corpus), str(1000 * thorough)], capture_output=True, text=True, timeout=900
    )
    assert made.returncode == 0, made.stderr[-3000:]
    found = json.loads(made.stdout.splitlines()[-1])
    assert found["wrong"] == [] and found["events"] == []
    assert found["texts"] + found["bodies"] == 1000 * thorough
    assert found["refused"] > 300 and found["answered"] > 20 and len(found["codes"]) >= 3
    assert found["grown"] < 200 << 20


@pytest.mark.slow
def test_the_watch_sees_an_import_and_a_file_that_is_opened() -> None:
    """The corpus could not fail otherwise."""
    corpus = Path(__file__).with_name("hostile_messages.py")
    made = subprocess.run([sys.executable, str(corpus), "-1"], capture_output=True, text=True, timeout=300)
    events = json.loads(made.stdout.splitlines()[-1])["events"]
    assert any(event.startswith("open") for event in events) and any(event.startswith("import") for event in events)


def test_who_asks_and_never_reads_holds_up_nobody(server: Peer, session: GeneratorSession) -> None:
    latent = session.latent(seed=1).to_dict()
    lines = [text({"n": n, "latent": latent, "rung": [None, "png", 100, "still"]}) for n in range(300)]
    with contextlib.suppress(ConnectionClosed), server.socket() as polite, server.socket() as deaf:
        assert "hello" in hello(polite, ME, server.token)
        assert "hello" in hello(deaf, "d" * 20, server.token)
        for line in lines:
            deaf.send(line)
        polite.send(lines[0])
        assert heard(polite)[0]["n"] == 0
        answered = True
        deaf.socket.close()  # without a word
    assert answered and server.get("/v1/health").json()["ok"]
