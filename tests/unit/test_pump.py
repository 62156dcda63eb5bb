"""The pump with a fake clock and a fake display."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from stylewidgets.render.ladder import Ladder, Rung
from stylewidgets.render.pump import Frame, Picture, Pump


class World:
    """A clock, a renderer that takes `cost` seconds of it, and a display that keeps frames and may acknowledge at once."""

    def __init__(self, resolution: int | None = 256, cost: float = 0.0, live: bool = True) -> None:
        self.now, self.cost = 100.0, cost
        self.drawn: list[Any] = []
        self.frames: list[Frame] = []
        self.errors: list[tuple[Exception, Any]] = []
        self.at_once = False
        self.during: Callable[[], None] | None = None
        self.fail_show = False
        self.pump: Pump[Any] = Pump(
            self.render,
            self,
            ladder=Ladder(resolution),
            clock=lambda: self.now,
            on_error=lambda error, value: self.errors.append((error, value)),
        )
        if live:
            self.pump.hello()

    def render(self, value: Any, rung: Rung) -> Picture:
        self.drawn.append(value)
        self.now += self.cost
        if self.during is not None:
            during, self.during = self.during, None
            during()
        if isinstance(value, Exception):
            raise value
        side = rung.max_side or 256
        return Picture(repr(value).encode(), "image/png", side, side, 0.5)

    def show(self, frame: Frame) -> None:
        if self.fail_show:
            raise OSError("comm closed")
        self.frames.append(frame)
        if self.at_once:
            self.pump.acknowledge(frame.index)

    def start(self) -> None:
        """The first frame, seen."""
        self.pump.submit("start")
        self.pump.acknowledge(self.frames[-1].index)
        self.drawn.clear()
        self.frames.clear()

    @property
    def shown(self) -> list[str]:
        return [frame.data.decode().strip("'") for frame in self.frames]


def test_a_value_is_drawn_and_shown_in_the_callers_own_turn() -> None:
    world = World()
    world.pump.submit("a")
    assert world.shown == ["a"] and world.frames[0].index == 1 and not world.pump.waiting


def test_three_frames_may_be_unseen_and_the_newest_value_follows_an_acknowledgement() -> None:
    world = World()
    world.start()
    for value in "abcdefg":
        world.pump.submit(value)
    assert world.shown == ["a", "b", "c"] and world.pump.in_flight == 3 and world.pump.waiting
    world.pump.acknowledge(world.frames[0].index)
    assert world.shown == ["a", "b", "c", "g"] and world.pump.stats.dropped == 3 and not world.pump.waiting


def test_a_storm_while_frames_are_unacknowledged_leaves_one_frame_for_the_last_value() -> None:
    world = World()
    world.start()
    world.pump.submit("first")
    world.pump.submit("second")
    world.pump.submit("third")
    for i in range(2000):
        world.pump.submit(i)
    assert world.drawn == ["first", "second", "third"]
    world.pump.acknowledge(world.frames[-1].index)
    assert world.drawn == ["first", "second", "third", 1999] and world.pump.stats.dropped == 1999
    assert len(world.pump._flight) == 1


def test_a_storm_during_a_slow_render_leaves_one_frame_for_the_last_value() -> None:
    world = World()
    world.start()
    world.during = lambda: [world.pump.submit(i) for i in range(2000)] and None
    world.pump.submit("slow")
    assert world.drawn == ["slow", 1999] and world.shown == ["slow", "1999"]


def test_a_storm_from_other_threads_during_a_slow_render_leaves_one_frame_for_the_last_value() -> None:
    world = World()
    world.start()

    def storm() -> None:
        threads = [threading.Thread(target=lambda: [world.pump.submit(i) for i in range(500)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in threads)  # nobody waits for the one who draws
        world.pump.submit("last")

    world.during = storm
    world.pump.submit("slow")
    assert world.drawn == ["slow", "last"]


def test_threads_that_submit_at_the_same_time_never_draw_at_the_same_time_and_the_last_value_arrives() -> None:
    inside, most, drawn = 0, 0, []

    def render(value: int, rung: Rung) -> Picture:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        drawn.append(value)
        inside -= 1
        return Picture(b"", "image/png", 1, 1)

    class Screen:
        def show(self, frame: Frame) -> None:
            pump.acknowledge(frame.index)

    pump: Pump[int] = Pump(render, Screen())
    threads = [threading.Thread(target=lambda: [pump.submit(i) for i in range(300)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 1 and drawn[-1] == 299 and not pump.waiting
    assert len(drawn) + pump.stats.dropped == 1200


def test_an_acknowledgement_from_within_show_does_not_nest() -> None:
    world = World()
    world.at_once = True
    for i in range(50):
        world.pump.submit(i)
    assert world.drawn == list(range(50)) and world.pump.in_flight == 0 and world.pump.stats.seen == 50


def test_an_acknowledgement_covers_all_frames_before_it_and_strange_ones_are_harmless() -> None:
    world = World()
    world.start()
    world.pump.submit("a")
    world.pump.submit("b")
    world.pump.acknowledge(world.frames[-1].index)
    assert world.pump.in_flight == 0
    for index in (world.frames[0].index, -5, 0):
        world.pump.acknowledge(index)
    assert world.pump.in_flight == 0 and world.pump.stats.seen == 3


def test_a_lost_acknowledgement_holds_nothing_up_for_longer_than_a_second() -> None:
    world = World()
    world.start()
    for value in "abcd":
        world.pump.submit(value)
    world.now += 0.9
    world.pump.tick()
    assert world.shown == ["a", "b", "c"]
    world.now += 0.2
    world.pump.tick()
    assert world.shown == ["a", "b", "c", "d"] and world.pump.in_flight == 1


def test_without_a_front_end_every_frame_is_final_and_none_is_waited_for() -> None:
    world = World(live=False)
    for i in range(10):
        world.pump.submit(i)
    assert world.drawn == list(range(10)) and all(frame.final for frame in world.frames)
    assert world.pump.in_flight == 0 and not world.pump.live


def test_the_first_frame_is_final_and_those_of_a_drag_are_not() -> None:
    world = World()
    world.pump.submit("a")
    world.pump.submit("b")
    assert [frame.final for frame in world.frames] == [True, False]


def test_settling_makes_the_newest_value_final_once() -> None:
    world = World()
    assert world.pump.settle() is False
    world.start()
    for value in "ab":
        world.pump.submit(value)
    assert world.pump.settle() is True  # although both frames of the drag are unseen
    assert world.shown == ["a", "b", "b"] and [f.final for f in world.frames] == [False, False, True]
    assert world.frames[-1].rung_name == "still"
    assert world.pump.settle() is False and len(world.frames) == 3


def test_settling_with_a_value_in_the_mailbox_draws_that_one() -> None:
    world = World()
    world.start()
    for value in "abcd":
        world.pump.submit(value)
    world.pump.settle()
    assert world.shown == ["a", "b", "c", "d"] and world.frames[-1].final


def test_small_pictures_are_final_at_once() -> None:
    world = World(resolution=64)
    world.start()
    world.pump.submit("a")
    assert world.frames[0].final and world.frames[0].mime == "image/png" and world.pump.settle() is False


def test_slow_frames_get_smaller_and_settle_at_full_size() -> None:
    world = World(resolution=1024, cost=0.2)
    world.start()
    world.at_once = True
    for i in range(10):
        world.pump.submit(i)
    assert world.frames[-1].width < 256
    world.pump.settle()
    assert world.frames[-1].final


def test_nothing_is_drawn_out_of_sight_and_the_newest_value_on_return() -> None:
    world = World()
    world.start()
    world.pump.visible = False
    for i in range(100):
        world.pump.submit(i)
    world.pump.settle()
    assert world.drawn == []
    world.pump.visible = True
    assert world.drawn == [99]


def test_a_first_picture_is_drawn_even_out_of_sight() -> None:
    world = World()
    world.pump.visible = False
    world.pump.submit("a")
    assert world.shown == ["a"]


def test_a_failing_render_is_reported_with_its_value_and_the_next_one_works() -> None:
    world = World()
    world.start()
    error = ValueError("too strong")
    world.pump.submit("good")
    world.pump.submit(error)
    assert world.errors == [(error, error)] and world.shown == ["good"]
    assert world.pump.settle() is True and world.shown == ["good", "good"]
    world.pump.submit("better")
    assert world.shown[-1] == "better" or world.pump.waiting
    world.pump.acknowledge(world.frames[-1].index)
    assert world.shown[-1] == "better"


def test_a_failing_display_is_reported_and_its_frame_not_waited_for() -> None:
    world = World()
    world.start()
    world.fail_show = True
    world.pump.submit("a")
    assert isinstance(world.errors[0][0], OSError) and world.pump.in_flight == 0
    world.fail_show = False
    assert world.pump.settle() is True and world.shown == ["a"] and world.frames[0].final


def test_an_interrupt_leaves_the_pump_usable() -> None:
    world = World()
    world.start()

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.during = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.pump.submit("a")
    world.pump.submit("b")
    assert world.shown == ["b"]


def test_errors_without_a_listener_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    def render(value: str, rung: Rung) -> Picture:
        raise ValueError("no")

    Pump(render, World()).submit("a")
    assert "drawing 'a' failed" in caplog.text


def test_a_reloaded_page_does_not_wait_for_frames_of_the_old_one() -> None:
    world = World()
    world.start()
    for value in "abc":
        world.pump.submit(value)
    world.pump.hello()
    assert world.shown == ["a", "b", "c"]


def test_a_closed_pump_draws_nothing() -> None:
    world = World()
    world.start()
    world.during = world.pump.close
    world.pump.submit("a")
    world.pump.submit("b")
    world.pump.settle()
    assert world.frames == []


def test_statistics_count_what_happened() -> None:
    world = World(resolution=64, cost=0.02)
    stats = world.pump.stats
    assert stats.line() == "" and stats.fps == 0
    stats.device = "cpu"
    for i in range(12):
        world.pump.submit(i)
        world.now += 0.03
        world.pump.acknowledge(world.frames[-1].index)
    assert (stats.sent, stats.seen, stats.dropped) == (12, 12, 0)
    assert (
        stats.round_trip_ms == pytest.approx(30) and stats.render_ms == pytest.approx(19.5) and stats.encode_ms == 0.5
    )
    assert stats.line() == "12 fps · 20 ms · 256 px · cpu" and stats.as_dict()["rung"] == "still"
    world.now += 5
    assert stats.fps == 0 and stats.line() == "20 ms · 256 px · cpu" and "12 sent" in repr(stats)


def test_memory_does_not_grow_with_the_number_of_frames() -> None:
    world = World()
    world.start()
    for i in range(3000):
        world.pump.submit(i)
        world.now += 2
    stats = world.pump.stats
    assert len(world.pump._flight) <= 2 and max(len(stats._times), len(stats._render), len(stats._trips)) <= 256
