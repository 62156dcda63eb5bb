"""The pump with frames that another machine draws: all of them come late, final ones too, and some never."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from stylewidgets.render.frames import Frame, Picture
from stylewidgets.render.ladder import STILL, Ladder, Rung
from stylewidgets.render.overlap import Overlap, WayBack, overlap_for
from stylewidgets.render.pump import Pump

PATIENCE = 30.0


class Elsewhere:
    """Answers a request once it is let go, or says that a newer one was drawn, or fails."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.replaced: set[int] = set()
        self.broken: set[int] = set()
        self.shown: list[Frame] = []
        self.errors: list[Exception] = []
        self.pump: Pump[int] = Pump(
            self.begin,
            self,
            ladder=Ladder(512),
            overlap=Overlap(finals=True),
            on_error=lambda error, _: self.errors.append(error),
        )

    def begin(self, value: int, rung: Rung) -> Callable[[], Picture | None]:
        def wait() -> Picture | None:
            assert self.go.wait(PATIENCE)
            if value in self.broken:
                raise RuntimeError(f"no answer for {value}")
            return None if value in self.replaced else Picture(b"x", "image/png", 8, 8, 0.5, 3.0, 40.0)

        return wait

    def show(self, frame: Frame) -> None:
        self.shown.append(frame)

    def run(self, work: Callable[[], Any]) -> None:
        """Do something in an event loop, once a first picture is there and a page says hello; until nothing is on its way."""
        self.go.set()
        self.pump.submit(0)
        self.pump.hello()
        self.go.clear()

        async def page() -> None:
            work()
            self.go.set()
            while self.pump._encoding:
                await asyncio.sleep(0.001)

        asyncio.run(asyncio.wait_for(page(), PATIENCE))
        self.pump.close()


def values(frames: list[Frame]) -> list[tuple[Any, bool]]:
    return [(frame.value, frame.final) for frame in frames]


def test_a_final_frame_is_not_waited_for_and_is_shown_once_it_is_there() -> None:
    world = Elsewhere()

    def work() -> None:
        world.pump.submit(1)
        assert world.pump.settle() and world.pump.finishing
        assert values(world.shown) == [(0, True)]
        assert not world.pump.settle(), "it is asked for already"

    world.run(work)
    assert values(world.shown)[-1] == (1, True) and not world.pump.finishing


def test_two_frames_at_most_are_with_the_other_machine_and_the_newest_value_waits() -> None:
    world = Elsewhere()

    def work() -> None:
        for value in range(1, 9):
            world.pump.submit(value)
        assert world.pump._encoding == 2 and world.pump.waiting

    world.run(work)
    assert world.pump.stats.dropped == 5


def test_a_frame_that_was_replaced_is_no_error_and_settles_nothing() -> None:
    world = Elsewhere()
    world.replaced = {1}

    def work() -> None:
        world.pump.submit(1)
        world.pump.settle()

    world.run(work)
    assert world.errors == [] and values(world.shown) == [(0, True)]


def test_a_final_frame_that_never_came_can_be_asked_for_again() -> None:
    world, again = Elsewhere(), []
    world.broken = {1}
    world.pump._on_error = lambda error, _: (
        world.errors.append(error),
        world.broken.clear(),
        again.append(world.pump.settle()),
    )

    def work() -> None:
        world.pump.submit(1)
        world.pump.settle()

    world.run(work)
    assert again[-1] is True and values(world.shown)[-1] == (1, True)


def test_the_figures_are_those_of_the_other_machine_and_the_ladder_goes_by_how_far_apart_frames_come() -> None:
    world = Elsewhere()
    measured: list[tuple[Rung, float]] = []
    world.pump.ladder.measured = lambda rung, ms: measured.append((rung, ms))  # type: ignore[method-assign]
    world.run(lambda: world.pump.submit(1))
    assert {ms for _, ms in measured} == {40.0} and measured[0][0] == STILL
    assert (world.shown[-1].render_ms, world.shown[-1].encode_ms) == (3.0, 0.5)


def test_frames_from_another_machine_are_waited_for_beside_the_caller() -> None:
    overlap = overlap_for("remote")
    assert overlap is not None and overlap.finals


def test_the_way_back_leads_to_the_loop_that_ran_last_and_nowhere_when_there_is_none() -> None:
    back, seen = WayBack(), []
    back.remember()
    assert not back.call(lambda: None)

    async def kernel() -> None:
        back.remember()
        thread = threading.Thread(target=lambda: back.call(lambda: seen.append(threading.current_thread())))
        thread.start()
        while not seen:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(kernel(), PATIENCE))
    assert seen == [threading.current_thread()]
    assert not back.call(lambda: None), "that loop has ended"
