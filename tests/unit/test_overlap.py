"""Encoding beside the next frame: the pump with a worker played by hand, then with a real thread and a real event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stylewidgets.render.ladder import Ladder, Rung
from stylewidgets.render.overlap import Overlap, overlap_for
from stylewidgets.render.pump import Encode, Frame, Picture, Pump


class Hands(Overlap):
    """A worker and an event loop that do one thing when they are told to; the worker in a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: deque[tuple[Callable[[], object], Callable[[], object]]] = deque()
        self.calls: deque[Callable[[], object]] = deque()
        self.takes, self.ended = True, False

    def start(self, work: Callable[[], object], then: Callable[[], object]) -> bool:
        if self.takes:
            self.jobs.append((work, then))
        return self.takes

    def work(self) -> None:
        """Encode the oldest frame; its call waits for the loop."""
        work, then = self.jobs.popleft()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(20)
        self.calls.append(then)

    def loop(self) -> None:
        """Give the loop its turn."""
        while self.calls:
            self.calls.popleft()()

    def finish(self) -> None:
        """All that is to be encoded and shown."""
        while self.jobs or self.calls:
            if self.jobs:
                self.work()
            self.loop()

    def close(self) -> None:
        self.ended = True


class World:
    """A clock, a renderer and an encoder that take time of it, and a display that keeps frames."""

    def __init__(self, overlap: Overlap, resolution: int = 256, live: bool = True) -> None:
        self.now, self.render_cost, self.encode_cost = 100.0, 0.0, 0.0
        self.drawn: list[Any] = []
        self.encoded: list[Any] = []
        self.frames: list[Frame] = []
        self.errors: list[tuple[Exception, Any]] = []
        self.threads: set[int] = set()
        self.encoders: set[int] = set()
        self.at_once = False
        self.during: Callable[[], None] | None = None
        self.most = 0  # frames in flight when one of a drag was added to them
        self.pump: Pump[Any] = Pump(
            self.render, self, ladder=Ladder(resolution), clock=lambda: self.now, on_error=self.failed, overlap=overlap
        )
        if live:
            self.pump.hello()

    def render(self, value: Any, rung: Rung) -> Encode:
        self.drawn.append(value)
        if not rung.final:
            self.most = max(self.most, self.pump.in_flight + 1)
        self.now += self.render_cost
        if self.during is not None:
            during, self.during = self.during, None
            during()

        def encode() -> Picture:
            self.encoders.add(threading.get_ident())
            self.encoded.append(value)
            if isinstance(value, Exception):
                raise value
            return Picture(repr(value).encode(), "image/jpeg", 8, 8, self.encode_cost * 1000)

        return encode

    def show(self, frame: Frame) -> None:
        self.threads.add(threading.get_ident())
        self.frames.append(frame)
        if self.at_once:
            self.pump.acknowledge(frame.index)

    def failed(self, error: Exception, value: Any) -> None:
        self.threads.add(threading.get_ident())
        self.errors.append((error, value))

    def start(self) -> None:
        """The first frame, seen."""
        self.pump.submit("start")
        self.pump.acknowledge(self.frames[-1].index)
        for kept in (self.drawn, self.encoded, self.frames):
            kept.clear()
        self.encoders.clear()

    @property
    def shown(self) -> list[Any]:
        return [frame.value for frame in self.frames]


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def world(hands: Hands) -> World:
    made = World(hands)
    made.start()
    return made


def test_a_frame_in_motion_is_drawn_at_once_encoded_by_the_worker_and_shown_by_the_loop(
    world: World, hands: Hands
) -> None:
    world.pump.submit("a")
    assert world.drawn == ["a"] and not world.encoded and not world.frames
    hands.work()
    assert world.encoded == ["a"] and not world.frames, "the worker itself shows nothing"
    hands.loop()
    assert world.shown == ["a"] and not world.frames[0].final
    assert world.threads == {threading.get_ident()} and not world.encoders & world.threads


def test_first_and_final_frames_and_those_without_a_front_end_are_complete_when_the_caller_goes_on(
    hands: Hands,
) -> None:
    world = World(hands, live=False)
    for value in "abc":
        world.pump.submit(value)
    world.pump.hello()
    world.pump.submit("d")
    hands.finish()
    world.pump.settle()
    assert world.shown == ["a", "b", "c", "d", "d"] and not hands.jobs
    assert [frame.final for frame in world.frames] == [True, True, True, False, True]


def test_small_pictures_are_final_and_so_never_go_to_the_worker(hands: Hands) -> None:
    world = World(hands, resolution=64)
    for value in "ab":
        world.pump.submit(value)
    assert world.shown == ["a", "b"] and not hands.jobs


def test_the_next_frame_is_drawn_before_the_one_before_it_is_encoded_and_they_come_in_order(
    world: World, hands: Hands
) -> None:
    world.pump.submit("a")
    world.pump.submit("b")
    assert world.drawn == ["a", "b"] and not world.encoded
    hands.finish()
    assert world.shown == ["a", "b"] and [frame.index for frame in world.frames] == sorted(
        {f.index for f in world.frames}
    )


def test_a_finished_frame_is_shown_by_whoever_calls_the_pump_before_the_loop_has_its_turn(
    world: World, hands: Hands
) -> None:
    world.pump.submit("a")
    hands.work()
    world.pump.tick()
    assert world.shown == ["a"]
    hands.loop()
    assert world.shown == ["a"]


def test_a_frame_that_is_finished_during_the_next_rendering_is_shown_right_after_it(world: World, hands: Hands) -> None:
    world.pump.submit("a")
    world.during = hands.work
    world.pump.submit("b")
    assert world.shown == ["a"] and world.drawn == ["a", "b"]


def test_a_storm_leaves_three_frames_in_flight_and_then_one_for_the_last_value(world: World, hands: Hands) -> None:
    for value in range(2000):
        world.pump.submit(value)
    assert world.drawn == [0, 1, 2] and world.pump.in_flight == 3 and world.pump.stats.dropped == 1997 - 1
    hands.finish()
    assert world.shown == [0, 1, 2] and world.pump.in_flight == 3 and world.pump.waiting, "shown, but not yet seen"
    world.pump.acknowledge(world.frames[-1].index)
    hands.finish()
    assert world.shown == [0, 1, 2, 1999] and not world.pump.waiting and world.most <= 3
    world.pump.acknowledge(world.frames[-1].index)
    assert world.pump.in_flight == 0


def test_an_encoder_however_slow_gets_no_fourth_frame(world: World, hands: Hands) -> None:
    for value in "abcd":
        world.pump.submit(value)
        world.now += 60
        world.pump.tick()
    assert world.drawn == ["a", "b", "c"] and len(hands.jobs) == 3 and world.pump.waiting


@pytest.mark.parametrize("seed", range(20))
def test_in_any_order_of_events_frames_never_go_back_and_the_last_value_becomes_final(seed: int) -> None:
    random, hands = np.random.RandomState(seed), Hands()
    world = World(hands)
    world.start()
    value = 0
    for _ in range(300):
        match = random.randint(7)
        if match <= 1:
            value += 1
            world.pump.submit(value)
        elif match == 2 and hands.jobs:
            hands.work()
        elif match == 3:
            hands.loop()
        elif match == 4 and world.frames:
            world.pump.acknowledge(world.frames[-1].index)
        elif match == 5 and random.randint(4) == 0:
            world.pump.settle()
        elif match == 6:
            hands.takes = bool(random.randint(4))
        world.now += 0.01
        assert world.pump.in_flight >= 0 and world.most <= 3
    world.pump.settle()
    hands.finish()
    assert world.shown == sorted(world.shown)
    assert world.frames[-1].value == value and world.frames[-1].final
    world.pump.acknowledge(world.frames[-1].index)
    assert world.pump.in_flight == 0 and not world.pump.waiting and not world.errors
    assert world.threads == {threading.get_ident()}


def test_a_final_frame_is_not_overtaken_by_older_ones_that_are_encoded_later(world: World, hands: Hands) -> None:
    world.pump.submit("a")
    world.pump.submit("b")
    assert world.pump.settle() is True
    assert world.shown == ["b"] and world.frames[0].final
    hands.finish()
    assert world.shown == ["b"] and world.pump.settle() is False and world.pump.stats.dropped == 2
    world.pump.acknowledge(world.frames[0].index)
    assert world.pump.in_flight == 0


def test_settling_does_not_show_finished_frames_of_the_drag_first(world: World, hands: Hands) -> None:
    world.pump.submit("a")
    hands.work()
    world.pump.settle()
    hands.loop()
    assert world.shown == ["a"] and world.frames[0].final


def test_settling_while_another_thread_draws_makes_what_it_draws_final(world: World, hands: Hands) -> None:
    world.pump.submit("old")
    hands.finish()

    def settle() -> None:
        thread = threading.Thread(target=world.pump.settle)
        thread.start()
        thread.join(20)

    world.during = settle
    world.pump.submit("new")
    hands.finish()
    assert world.frames[-1].value == "new" and world.frames[-1].final


def test_out_of_sight_finished_frames_are_shown_but_nothing_is_drawn(world: World, hands: Hands) -> None:
    world.pump.submit("a")
    world.pump.visible = False
    world.pump.submit("b")
    world.pump.settle()
    hands.finish()
    assert world.shown == ["a"] and world.drawn == ["a"]
    world.pump.visible = True
    assert world.shown == ["a", "b"] and world.frames[-1].final


def test_a_failure_of_the_encoder_is_reported_by_the_loop_and_the_next_frame_works(world: World, hands: Hands) -> None:
    error = ValueError("no codec")
    world.pump.submit(error)
    hands.work()
    assert not world.errors
    hands.loop()
    assert world.errors == [(error, error)] and not world.frames and world.pump.in_flight == 0
    world.pump.submit("better")
    hands.finish()
    assert world.shown == ["better"] and world.threads == {threading.get_ident()}


def test_a_renderer_that_fails_between_two_frames_stops_neither(world: World, hands: Hands) -> None:
    def fail() -> None:
        raise RuntimeError("weights are gone")

    world.pump.submit("a")
    world.during = fail
    world.pump.submit("b")
    hands.finish()
    assert [value for _, value in world.errors] == ["b"] and world.shown == ["a"]
    assert world.pump.settle() is True and world.frames[-1].value == "a" and world.frames[-1].final


def test_where_the_worker_does_not_take_a_frame_it_is_encoded_at_once(world: World, hands: Hands) -> None:
    hands.takes = False
    world.pump.submit("a")
    assert world.shown == ["a"] and world.pump.in_flight == 1 and world.encoders == {threading.get_ident()}


def test_a_worker_that_cannot_be_asked_costs_its_frame_only(world: World, hands: Hands) -> None:
    def broken(work: Callable[[], object], then: Callable[[], object]) -> bool:
        raise LookupError("no parent")

    hands.start = broken
    world.pump.submit("a")
    assert isinstance(world.errors[0][0], LookupError) and world.pump.in_flight == 0
    del hands.start
    world.pump.submit("b")
    hands.finish()
    assert world.shown == ["b"]


def test_nothing_is_shown_or_reported_after_close(world: World, hands: Hands) -> None:
    world.pump.submit("a")
    world.pump.submit(ValueError("late"))
    hands.work()
    world.pump.close()
    hands.finish()
    world.pump.submit("b")
    world.pump.settle()
    assert not world.frames and not world.errors and hands.ended and world.pump.in_flight == 0


def test_times_of_both_stages_are_kept_apart_and_the_ladder_counts_the_slower_one(world: World, hands: Hands) -> None:
    world.render_cost, world.encode_cost = 0.02, 0.025
    told: list[float] = []
    world.pump.ladder.measured = lambda rung, ms: told.append(ms)
    world.pump.submit("a")
    world.now += 5  # waiting for a turn is nobody's work
    hands.finish()
    frame = world.frames[0]
    assert frame.render_ms == pytest.approx(20) and frame.encode_ms == pytest.approx(25)
    assert told == pytest.approx([25])
    hands.takes = False
    world.pump.submit("b")
    assert world.frames[1].render_ms == pytest.approx(20) and told[1] == pytest.approx(45), "one after the other"


def test_the_round_trip_is_counted_from_showing(world: World, hands: Hands) -> None:
    seen: list[float] = []
    world.pump.stats.on_seen = seen.append
    world.pump.submit("a")
    world.now += 0.5
    hands.finish()
    world.now += 0.03
    world.pump.acknowledge(world.frames[0].index)
    assert seen == pytest.approx([30])


# -- a real thread and a real loop -------------------------------------------------------------------------------------------


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("stylewidgets-encode")]


def gone() -> bool:
    """Whether our threads end, now that nothing is to be done."""
    for thread in ours():
        thread.join(20)
    return not ours()


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.001)


def test_with_a_real_loop_a_storm_ends_at_the_last_value_and_only_the_loops_thread_shows() -> None:
    overlap = Overlap()

    async def drag() -> World:
        world = World(overlap)
        world.at_once = True
        world.pump.submit("start")
        for value in range(500):
            world.pump.submit(value)
            if value % 7 == 0:
                await asyncio.sleep(0)
        await until(lambda: world.frames[-1].value == 499)
        world.pump.settle()
        world.pump.close()
        return world

    world = asyncio.run(drag())
    values = world.shown[1:]
    assert values == sorted(values) and values[-2:] == [499, 499] and world.frames[-1].final
    assert world.pump.stats.sent + world.pump.stats.dropped == 502 and world.most <= 3
    assert world.threads == {threading.get_ident()} and len(world.encoders - world.threads) == 1
    assert gone(), "no thread is left"


def test_without_a_loop_or_where_it_is_not_wanted_everything_happens_in_the_caller() -> None:
    world = World(Overlap())
    world.start()
    world.pump.submit("a")
    assert world.shown == ["a"]

    async def drag() -> list[Any]:
        world = World(Overlap(wanted=lambda: False))
        world.start()
        world.pump.submit("b")
        return world.shown

    assert asyncio.run(drag()) == ["b"] and not ours()


def test_a_frame_whose_loop_has_been_closed_is_shown_at_the_next_call() -> None:
    overlap, go = Overlap(), threading.Event()
    world = World(overlap)
    world.start()
    encode = world.render

    def slow(value: Any, rung: Rung) -> Encode:
        made = encode(value, rung)
        return lambda: (go.wait(20), made())[1]

    world.pump._render = slow

    async def one() -> None:
        world.pump.submit("a")

    asyncio.run(one())
    go.set()
    asyncio.run(until(lambda: len(world.pump._encoded) == 1))
    assert not world.frames
    world.pump.tick()
    assert world.shown == ["a"]
    world.pump.close()
    assert gone()


def test_what_is_called_on_the_loop_sees_the_context_of_who_asked() -> None:
    asked: contextvars.ContextVar[str] = contextvars.ContextVar("asked", default="nobody")
    found: list[str] = []

    async def main() -> None:
        overlap = Overlap()
        asked.set("first")
        overlap.start(lambda: None, lambda: found.append(asked.get()))
        asked.set("second")
        overlap.start(lambda: None, lambda: found.append(asked.get()))
        await until(lambda: len(found) == 2)
        overlap.close()

    asyncio.run(main())
    assert found == ["first", "second"] and gone()


def test_a_closed_one_starts_nothing_and_its_waiting_work_is_forgotten() -> None:
    done: list[str] = []

    async def main() -> None:
        overlap, go, busy = Overlap(), threading.Event(), threading.Event()
        overlap.start(lambda: (busy.set(), go.wait(20)), lambda: None)
        overlap.start(lambda: done.append("waiting"), lambda: None)
        await until(busy.is_set)
        overlap.close()
        overlap.close()
        go.set()
        assert overlap.start(lambda: done.append("late"), lambda: None) is False

    asyncio.run(main())
    assert gone() and not done


def test_closing_from_within_the_worker_does_not_wait_for_itself() -> None:
    async def main() -> None:
        overlap, done = Overlap(), threading.Event()
        overlap.start(lambda: (overlap.close(), done.set()), lambda: None)
        await until(done.is_set)

    asyncio.run(main())
    assert gone()


def test_a_worker_that_is_forgotten_ends_by_itself() -> None:
    async def main() -> None:
        seen: list[int] = []
        Overlap().start(lambda: None, lambda: seen.append(1))
        await until(lambda: bool(seen))

    asyncio.run(main())
    assert gone()


def test_only_cuda_overlaps_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STYLEWIDGETS_OVERLAP", raising=False)
    assert overlap_for("cpu") is None and overlap_for("mps") is None and overlap_for("cuda") is not None
    monkeypatch.setenv("STYLEWIDGETS_OVERLAP", "0")
    assert overlap_for("cuda") is None
    monkeypatch.setenv("STYLEWIDGETS_OVERLAP", "1")
    assert overlap_for("cpu") is not None


def test_pixels_that_wait_for_the_encoder_are_left_alone_by_later_frames() -> None:
    torch = pytest.importorskip("torch")
    from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
    from stylewidgets.latent.latent import Latent
    from stylewidgets.render.renderer import LiveRenderer
    from stylewidgets.session.activations import SynthesisCache
    from stylewidgets.session.graphs import Graphs, _tensors
    from stylewidgets.session.session import GeneratorSession

    def record(work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """As a CUDA graph does: every run writes to the memory of the first."""
        first = work()

        def replay() -> None:
            for static, value in zip(_tensors(first), _tensors(work()), strict=True):
                static.copy_(value)

        return replay, first

    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=32, channels=(8,) * 4, mapping_layers=2)
    session = GeneratorSession(StyleGAN2(config), device="cpu", name="tiny")
    renderer, kept = LiveRenderer(session), Graphs(record)
    renderer.cache = SynthesisCache(session.generator, graphs=kept)
    rung = Rung(16, "png", 100, "drag")
    waiting = [renderer.begin(Latent(seed=seed), rung) for seed in range(8)]
    assert len(kept) == 1, "the last frames were recordings"
    alone = [LiveRenderer(session).picture(Latent(seed=seed), rung).data for seed in range(8)]
    assert [encode().data for encode in waiting] == alone
    pixels = [encode.args[0] for encode in waiting]  # type: ignore[attr-defined]
    assert not any(np.shares_memory(a, b) for n, a in enumerate(pixels) for b in pixels[:n])


# -- in a notebook -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "colab", "wanted"), [
    ("comm_msg", False, True), ("execute_request", False, False), (None, False, False), ("comm_msg", True, False),
])  # fmt: skip
def test_only_messages_of_a_page_may_be_answered_later_and_in_colab_none(
    kind: str | None, colab: bool, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    from types import ModuleType, SimpleNamespace

    from stylewidgets.widgets.kit import live_picture, order

    parent = {"header": {"msg_type": kind}} if kind else {}
    shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: parent))
    monkeypatch.setattr(order, "get_ipython", lambda: shell)
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert live_picture.answering_page() is wanted
    monkeypatch.setattr(order, "get_ipython", lambda: None)
    assert live_picture.answering_page() is False, "no kernel"
