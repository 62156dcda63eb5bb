"""What a client makes of a server that is busy, goes down, has forgotten what was defined, or was started anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from websockets.sync.server import Server as Sockets
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as listen
from websockets.typing import Subprotocol

import stylewidgets as sw
from stylewidgets import GeneratorSession, editing, jobs
from stylewidgets.core import pictures
from stylewidgets.core.pictures import encoded
from stylewidgets.remote.messages import INLINE, SUBPROTOCOL, Incoming, RemoteError, packed, parsed, text
from stylewidgets.render.ladder import STILL
from stylewidgets.server.serving import Serving

from .test_client import DRAG, PATIENCE, Serve, Wire, until
from .test_client import remote as remote  # the fixture

Script = Callable[[ServerConnection, dict[str, Any]], object]


@pytest.fixture
def scripted(remote: sw.RemoteSession) -> Iterator[Callable[[Script], None]]:
    """``scripted(answer)``: from now on live sockets come to a server that answers each text as `answer` does."""
    running: list[Sockets] = []

    def begin(answer: Script) -> None:
        def one(socket: ServerConnection) -> None:
            socket.recv()
            socket.send(text({"hello": {"version": 1, "weights": remote.about.weights}}))
            for line in socket:
                answer(socket, parsed(line))

        server = listen(one, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        remote.calls.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"

    yield begin
    for server in running:
        server.shutdown()


def frame(n: int) -> bytes:
    return packed({"n": n, "mime": "image/png", "w": 8, "h": 8}, encoded(np.zeros((8, 8, 3), np.uint8), "PNG"))


def test_a_server_that_is_busy_or_goes_down_says_so_until_the_next_picture(
    remote: sw.RemoteSession, scripted: Callable[[Script], None]
) -> None:
    def answer(socket: ServerConnection, message: dict[str, Any]) -> None:
        if message["n"] == 1:
            socket.send(text({"busy": 3.2}))
        else:
            socket.send(text({"going": 2}))
        socket.send(frame(message["n"]))

    scripted(answer)
    live, words = remote.live(), []
    live.on_words = words.append
    for seed in (1, 2):
        assert live.begin(remote.latent(seed=seed), DRAG)() is not None
    until(lambda: len(words) == 4)
    assert words == [
        f"{remote.host} is busy: it goes on in 3 s",
        "",
        f"{remote.host} goes down in 2 s; reconnecting then",
        "",
    ]
    live.close()


def test_busy_is_read_below_the_picture(
    remote: sw.RemoteSession, scripted: Callable[[Script], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylewidgets.widgets.kit.live_picture.answering_page", lambda: True)
    from stylewidgets.widgets.kit.live_picture import LivePicture

    let = threading.Event()

    def answer(socket: ServerConnection, message: dict[str, Any]) -> None:
        if message["n"] > 1:
            socket.send(text({"busy": 5}))
            let.wait(PATIENCE)
        socket.send(frame(message["n"]))

    scripted(answer)
    picture = LivePicture(remote, 64)
    picture.submit(remote.latent(seed=0))  # no loop runs: it is waited for

    async def page() -> None:
        picture.view.on_hello(1.0, 64.0)
        picture.submit(remote.latent(seed=1))
        while "is busy: it goes on in 5 s" not in picture.view.status:
            await asyncio.sleep(0.01)
        let.set()
        while "busy" in picture.view.status or picture.latent != remote.latent(seed=1):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(page(), PATIENCE))
    picture.close()


def test_what_the_server_dropped_to_make_room_is_defined_again(
    serve: Serve, there: GeneratorSession, session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [session.map(session.latent(seed=seed))[0].numpy() for seed in (1, 2)]
    assert codes[0].size > INLINE
    monkeypatch.setattr(
        "stylewidgets.server.live.Incoming", partial(Incoming, capacity=codes[0].nbytes)
    )  # room for one
    remote = sw.connect(serve(Serving({"avatar-64": there}, batches=False)), deadline=PATIENCE)
    live = remote.live()
    asked = [0]
    again = live._again
    monkeypatch.setattr(live, "_again", lambda: (asked.__setitem__(0, asked[0] + 1), again())[1])
    for k in (0, 1, 0):
        latent = remote.latent(code=sw.Code("w+", codes[k]))
        picture = live.begin(latent, STILL)()
        assert picture is not None
        assert np.array_equal(np.asarray(pictures.read(picture.data)), session.image(latent))
    assert asked[0] == 2, "once at the hello, and once for what was dropped"
    live.close()
    remote.close()


# -- long work -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def dragged(serve: Serve, there: GeneratorSession) -> Iterator[tuple[Any, Wire]]:
    """The tool "Drag" of an explorer on a session whose wire can be cut, with a drag of very many steps set up."""
    wire = Wire(serve(Serving({"avatar-64": there}, batches=False)))
    remote = sw.connect(wire.address, deadline=PATIENCE)
    explorer = sw.LatentExplorer(remote, remote.latent(seed=3), tools=("drag",))
    tool = explorer.tools["drag"]
    tool.work.live = True  # as with a page that ticks
    tool.form.raw = {"steps": 5000, "near": 0.0, "patience": 0}
    tool.sheet.show([[30, 20]], [[30, 40]])
    yield tool, wire
    explorer.close()
    remote.close()
    wire.close()


@pytest.mark.slow
def test_work_that_a_crash_has_ended_is_an_error_in_the_widget(
    dragged: tuple[Any, Wire], serve: Serve, there: GeneratorSession
) -> None:
    tool, wire = dragged
    tool.go.click()
    until(lambda: (tool.work.tick(), tool.run.step)[1])
    other = tool._host.session.start({"kind": "statistics", "settings": {"n": 10**6}})
    other.advance()
    until(lambda: (other.advance(), other.progress.done)[1])
    wire.cut()
    wire.reach(
        serve(Serving({"avatar-64": there}, batches=False))
    )  # the same address and weights; nobody knows the work
    until(lambda: (tool.work.tick(), tool.place.error)[1])
    assert "was started anew, and this work is lost: start it again" in tool.place.error
    assert not tool.work.busy() and tool.run.status == jobs.FAILED
    with pytest.raises(RemoteError, match="this work is lost"):
        jobs.run(other)


def test_an_order_for_work_that_is_not_there_does_no_harm_to_other_work(remote: sw.RemoteSession) -> None:
    run = remote.start({"kind": "statistics", "settings": {"n": 4000}})
    run.advance()
    for order in ("pause", "resume", "stop"):
        remote._works.say(**{order: "nobody's"})
    assert jobs.run(run) is not None and run.status == jobs.DONE


def test_a_run_that_ended_there_just_before_a_pause_is_done(remote: sw.RemoteSession) -> None:
    run = remote.start({"kind": "statistics", "settings": {"n": 64}})
    run.advance()
    until(lambda: run._at_rest is not None)  # done there, and not looked at here yet
    run.pause()
    assert len(run.result().values) == 64
    assert jobs.run(run) is not None and run.status == jobs.DONE


def test_what_was_stopped_there_is_not_gone_on_with(remote: sw.RemoteSession) -> None:
    run = remote.start({"kind": "statistics", "settings": {"n": 10**6}})
    run.advance()
    run.stop()
    with pytest.raises(RuntimeError, match="start it anew"):
        run.resume()


# -- the tool "Drag" -----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_drag_there_is_the_drag_here(dragged: tuple[Any, Wire], session: GeneratorSession) -> None:
    tool, _ = dragged
    tool.form.raw = {"steps": 8}
    start = tool._host.value
    tool.go.click()
    tool.work.finish()
    way = jobs.run(editing.drag(session, start, [[30, 20]], [[30, 40]], **tool.form.values))
    found = tool.run.result()
    assert np.array_equal(found.codes, way.codes) and np.array_equal(found.points, way.points)
    assert tool._host.value == way.latent() and found.ended == "steps" and not tool.place.error
    assert np.array_equal(tool.sheet.handles, way.points[-1])


@pytest.mark.slow
def test_a_drag_is_stopped_and_gone_on_with(dragged: tuple[Any, Wire]) -> None:
    tool, _ = dragged
    tool.go.click()
    until(lambda: (tool.work.tick(), tool.run.step >= 2)[1])
    tool.work.stop()
    first = tool.run.result()
    assert len(first) == tool.run.step and tool._host.value == first.latent() and tool.go.description == "go on"
    tool.go.click()
    until(lambda: (tool.work.tick(), tool.run.step > len(first))[1])
    tool.work.stop()
    second = tool.run.result()
    assert np.array_equal(second.codes[: len(first) + 1], first.codes), "the same drag"


@pytest.mark.slow
def test_the_code_and_points_of_a_drag_under_way_come_with_its_pictures(
    remote: sw.RemoteSession, session: GeneratorSession
) -> None:
    spec = {"kind": "drag", "latent": session.latent(seed=3).to_dict(), "handles": [[30, 20]], "targets": [[30, 40]]}
    run: Any = remote.start({**spec, "settings": {"steps": 5000, "near": 0.0, "patience": 0}})
    assert run.latent() == run.start and run.points.tolist() == [[30, 20]]
    until(lambda: (run.advance(), run.latent() != run.start)[1])
    under_way, points = run.latent(), run.points
    run.pause()
    way = run.result()
    steps = [k for k in range(len(way) + 1) if way.latent(k) == under_way]
    assert len(steps) == 1 and any(
        np.array_equal(points, each) for each in way.points[max(0, steps[0] - 1) : steps[0] + 2]
    )
    run.stop()
