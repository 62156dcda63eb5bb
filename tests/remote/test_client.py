"""`sw.connect` and what it returns, against a server in this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import requests

import stylewidgets as sw
from stylewidgets import GeneratorSession, jobs
from stylewidgets.core import pictures
from stylewidgets.remote import connecting
from stylewidgets.remote.live import RemoteLive
from stylewidgets.remote.messages import RemoteError
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.server.serving import Serving
from stylewidgets.server.tokens import Tokens, new

Serve = Callable[[Serving], str]
DRAG = Rung(None, "png", 60, "drag")
PATIENCE = 60.0


@pytest.fixture
def remote(serve: Serve, there: GeneratorSession) -> Iterator[sw.RemoteSession]:
    session = sw.connect(serve(Serving({"avatar-64": there}, batches=False)), deadline=PATIENCE)
    yield session
    session.close()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# -- coming in ---------------------------------------------------------------------------------------------------------
def test_it_knows_the_generator_as_a_local_session_does(remote: sw.RemoteSession, session: GeneratorSession) -> None:
    names = (
        "resolution picture_size img_channels num_ws w_dim z_dim c_dim layers noise_shapes has_inner_pictures view_kind"
    )
    for name in names.split():
        assert getattr(remote, name) == getattr(session, name), name
    assert remote.directions == session.directions and remote.fingerprint() == session.fingerprint()
    assert remote.latent(seed=7) == session.latent(seed=7)


def test_nobody_there_is_said_within_the_deadline() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RemoteError, match=f"127.0.0.1:{port} cannot be reached") as caught:
        sw.connect(f"127.0.0.1:{port}", deadline=0.3)
    assert caught.value.code == 504


def test_a_server_that_says_nothing_is_given_up_at_the_deadline() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(RemoteError, match="no answer from .* within 0.2 s"),
    ):
        sw.connect(f"http://127.0.0.1:{silent.getsockname()[1]}", deadline=0.2)


@pytest.mark.parametrize("url", ["ftp://box", "http://", "http://box:8000/?a=1", "http://me:secret@box"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        sw.connect(url)


def test_without_a_valid_token_nobody_comes_in(
    serve: Serve, there: GeneratorSession, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokens"
    token = new(path, "course")
    url = serve(Serving({"avatar-64": there}, Tokens(path), batches=False))
    for wrong, words in (("", "none was given"), ("wrong", "is not valid")):
        with pytest.raises(RemoteError, match=f"asks for a token, and .*{words}.*sw.connect") as caught:
            sw.connect(url, token=wrong)
        assert caught.value.code == 401
    monkeypatch.setenv(connecting.TOKEN, token)
    session = sw.connect(url)
    assert session.render(session.latent(seed=1)).size == (64, 64) and token not in session.address + repr(session)
    sw.connect(url, token=f" {token}\n").close()  # as it is copied


@pytest.mark.parametrize("wrong", ["…", "secret\nX-More: 1", "two words"])
def test_what_cannot_be_a_token_is_refused_without_being_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="--new-token") as caught:
        sw.connect("http://127.0.0.1:1", token=wrong)
    assert wrong not in str(caught.value)


def test_https_to_a_server_without_a_certificate_says_so(serve: Serve, there: GeneratorSession) -> None:
    host = serve(Serving({"avatar-64": there}, batches=False))
    with pytest.raises(RemoteError, match=f"try http://{host}"):
        sw.connect(f"https://{host}", deadline=PATIENCE)


def test_an_address_with_another_path_is_doubted(serve: Serve, there: GeneratorSession) -> None:
    with pytest.raises(RemoteError, match="/elsewhere answered 404.*is this the address of a stylewidgets server?"):
        sw.connect(f"http://{serve(Serving({'avatar-64': there}, batches=False))}/elsewhere", deadline=PATIENCE)


def test_what_does_not_speak_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            with other.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(b"\xff\x00 something else\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(RemoteError, match="does not speak HTTP"):
            sw.connect(f"http://127.0.0.1:{other.getsockname()[1]}", deadline=0.5)


def test_another_version_is_told_with_both_numbers(
    serve: Serve, there: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(Serving({"avatar-64": there}, batches=False))
    monkeypatch.setattr("stylewidgets.remote.connecting.VERSION", 2)
    with pytest.raises(RemoteError, match=r"version 1.*2") as caught:
        sw.connect(url)
    assert caught.value.code == 426


def test_a_model_that_is_not_served_is_named_with_those_that_are(serve: Serve, there: GeneratorSession) -> None:
    with pytest.raises(ValueError, match=r"serves avatar-64; 'ffhq' was asked for"):
        sw.connect(serve(Serving({"avatar-64": there}, batches=False)), model="ffhq")


# -- pictures and arrays -------------------------------------------------------------------------------------------------
def test_arrays_and_pictures_have_the_bits_of_a_local_session(
    remote: sw.RemoteSession, session: GeneratorSession
) -> None:
    import torch

    latent = session.latent(seed=8, psi=0.5).with_edit(next(iter(session.directions.values())), 1.5)
    assert np.array_equal(remote.image(latent), session.image(latent))
    assert np.array_equal(remote.images([latent] * 3, 32), session.images([latent] * 3, 32))
    assert np.array_equal(remote.map(latent), session.map(latent).numpy())
    mine, theirs = remote.code_styles(latent), session.code_styles(latent)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(mine, theirs, strict=True))
    with torch.no_grad():
        drawn = session.synthesize(theirs)
        again = session.styles(session.map(latent))
    assert np.array_equal(remote.synthesize(mine), drawn.numpy())
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(remote.styles(remote.map(latent)), again, strict=True))
    middle = remote.interpolate(session.latent(seed=1), latent, 0.25)
    np.testing.assert_allclose(
        middle.code.array, session.interpolate(session.latent(seed=1), latent, 0.25).code.array, atol=1e-6
    )


def test_what_needs_the_generator_is_refused_in_words(remote: sw.RemoteSession) -> None:
    for name in ("generator", "activations", "parameters", "trainable"):
        assert not hasattr(remote, name)
    with pytest.raises(AttributeError, match="on another machine"):
        remote.activations  # noqa: B018
    with pytest.raises(RemoteError, match="'flow' machine needs the generator"):
        remote.editors.of("flow")
    with pytest.raises(ValueError, match="does no work of the kind 'brew'"):
        remote.start({"kind": "brew"})
    with pytest.raises(ValueError, match="seed"):
        remote.latent(seed=-1)
    for name in ("rig", "words", "parts", "attributes"):
        with pytest.raises(ValueError, match="on another machine"):
            sw.LatentExplorer(remote, tools=[name])


# -- live ----------------------------------------------------------------------------------------------------------------
def test_a_final_frame_has_the_pixels_of_image(remote: sw.RemoteSession, session: GeneratorSession) -> None:
    latent = session.latent(seed=3).with_edit(next(iter(session.directions.values())), -1.0)
    picture = remote.live().begin(latent, STILL)()
    assert np.array_equal(np.asarray(pictures.read(picture.data)), session.image(latent))


def test_a_request_that_a_newer_one_replaced_is_none_and_the_newest_is_drawn(remote: sw.RemoteSession) -> None:
    live = remote.live()
    made = [live.begin(remote.latent(seed=seed), DRAG) for seed in range(8)]
    drawn = [encode() for encode in made]
    assert drawn[-1] is not None and any(picture is None for picture in drawn[:-1])


def test_begin_does_not_wait(serve: Serve, there: GeneratorSession) -> None:
    """It returns although nobody ever answers: the server is a socket that accepts and says nothing."""
    remote = sw.connect(serve(Serving({"avatar-64": there}, batches=False)), deadline=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        remote.calls.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        live = remote.live()
        encode = live.begin(remote.latent(seed=1), DRAG)
        with pytest.raises(RemoteError, match="no answer from .* within 0.2 s; the picture before it stays"):
            encode()
        live.close()


def test_a_server_that_is_silent_is_said_to_be_waited_for(
    serve: Serve, there: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylewidgets.remote.live.SILENT", 0.01)
    remote = sw.connect(serve(Serving({"avatar-64": there}, batches=False)), deadline=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        remote.calls.url, words = f"http://127.0.0.1:{silent.getsockname()[1]}", []
        live = remote.live()
        live.on_words = words.append
        with pytest.raises(RemoteError):
            live.begin(remote.latent(seed=1), DRAG)()
        live.close()
    assert words[0] == f"waiting for {remote.host} …"


def test_a_server_that_is_replaced_behind_a_proxy_is_waited_for_by_those_who_know_it(
    remote: sw.RemoteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylewidgets.remote.calls.PAUSES", (0.0,))
    there, answers = remote.calls._session.request, [404, 503, 404]

    def request(*given: Any, **more: Any) -> requests.Response:
        if not answers:
            return there(*given, **more)
        answer = requests.Response()
        answer.status_code, answer._content = answers.pop(), b"Path not found"
        return answer

    monkeypatch.setattr(remote.calls._session, "request", request)
    assert remote.render(remote.latent(seed=1)).size == (64, 64) and not answers
    answers.extend([404] * 2)
    remote.calls._met = False
    with pytest.raises(RemoteError, match="is this the address of a stylewidgets server"):
        remote.render(remote.latent(seed=1))


class Wire:
    """Forwards to a server until it is cut, and again once it is mended."""

    def __init__(self, target: str) -> None:
        self.reach(target)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def reach(self, target: str) -> None:
        """Lead to this server from now on."""
        host, port = target.split(":")
        self._target, self.whole = (host, int(port)), True

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self.whole:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._open += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(a: socket.socket, b: socket.socket) -> None:
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self) -> None:
        self.whole = False
        for end in self._open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self._open.clear()

    def close(self) -> None:
        self.cut()
        self._server.close()


@pytest.fixture
def wire(serve: Serve, there: GeneratorSession) -> Iterator[Wire]:
    made = Wire(serve(Serving({"avatar-64": there}, batches=False)))
    yield made
    made.close()


def test_after_a_connection_is_lost_the_newest_request_is_sent_again(wire: Wire, session: GeneratorSession) -> None:
    remote = sw.connect(wire.address, deadline=PATIENCE)
    live, words = remote.live(), []
    live.on_words = words.append
    assert live.begin(remote.latent(seed=1), DRAG)() is not None
    wire.cut()
    until(lambda: any("reconnecting" in said for said in words))
    lost = live.begin(remote.latent(seed=2), STILL)
    newest = live.begin(remote.latent(seed=3), STILL)
    wire.whole = True
    picture = newest()
    assert np.array_equal(np.asarray(pictures.read(picture.data)), session.image(session.latent(seed=3)))
    assert lost() is None
    until(lambda: words[-1] == "")
    live.close()


def test_other_weights_after_a_loss_are_an_error_and_no_other_face(wire: Wire) -> None:
    remote = sw.connect(wire.address, deadline=PATIENCE)
    live, words = remote.live(), []
    live.on_words = words.append
    assert live.begin(remote.latent(seed=1), DRAG)() is not None
    live._socket._weights = "0" * 16  # as if those of before had been others
    wire.cut()
    waiting = live.begin(remote.latent(seed=2), DRAG)
    wire.whole = True
    with pytest.raises(RemoteError, match="other weights under this name now"):
        waiting()
    until(lambda: words and "other weights" in words[-1])
    with pytest.raises(RemoteError, match="other weights"):
        live.begin(remote.latent(seed=3), DRAG)


# -- long work -----------------------------------------------------------------------------------------------------------
def test_work_there_gives_what_it_gives_here(remote: sw.RemoteSession, session: GeneratorSession) -> None:
    spec = {"kind": "statistics", "settings": {"n": 64}}
    mine, theirs = jobs.run(session.start(spec)), jobs.run(remote.start(spec))
    assert np.array_equal(mine.values, theirs.values) and mine.layers == theirs.layers


@pytest.mark.slow
def test_an_inversion_is_paused_resumed_and_drawn_as_fitted(
    remote: sw.RemoteSession, session: GeneratorSession
) -> None:
    target = remote.target(remote.latent(seed=5))
    settings = {"steps": 4, "net": "factors"}
    run: Any = remote.start(
        {"kind": "inversion", "method": "projector", "settings": settings, "target": remote.put(target)}
    )
    while run.step < 1:
        run.advance()
    run.pause()
    half = run.result()
    assert 1 <= half.steps <= 4 and half.noise is not None
    if half.steps < 4:
        run.resume()
    result = jobs.run(run)
    assert result.steps == 4 and len(run.history) == 4
    assert np.array_equal(result.session(remote).image(result.latent()), result.session(session).image(result.latent()))


# -- live pictures of widgets --------------------------------------------------------------------------------------------
def test_final_frames_do_not_wait_in_the_loop(remote: sw.RemoteSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the answer to a drag and to its end is held back, the event loop of the kernel goes on."""
    monkeypatch.setattr("stylewidgets.widgets.kit.live_picture.answering_page", lambda: True)
    from stylewidgets.widgets.kit.live_picture import LivePicture

    held = threading.Event()
    wait = RemoteLive._wait

    def slow(self: RemoteLive, request: object) -> object:
        held.wait(PATIENCE)
        return wait(self, request)

    picture = LivePicture(remote, 64)
    picture.submit(remote.latent(seed=0))  # no loop runs: it is waited for
    rests: list[object] = []
    picture.on_rest = rests.append

    async def page() -> None:
        monkeypatch.setattr(RemoteLive, "_wait", slow)
        picture.view.on_hello(1.0, 64.0)
        latent = remote.latent(seed=1)
        picture.submit(latent)
        picture.view.settle()
        ticks = 0
        for _ in range(5):
            await asyncio.sleep(0)
            ticks += 1
        assert ticks == 5 and picture.latent == remote.latent(seed=0) and rests == []
        held.set()
        while picture.latent != latent or not rests:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(page(), PATIENCE))
    assert rests == [remote.latent(seed=1)] and picture._frame.final
    picture.close()
