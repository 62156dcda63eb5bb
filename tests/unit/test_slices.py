"""Long work in slices: order, progress, stopping, and functions with callbacks as steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from stylewidgets.widgets.kit.compat import is_playing
from stylewidgets.widgets.kit.slices import SlicedWork, stepwise


class View:
    error = ""


class Stop(Exception):
    pass


@pytest.fixture
def work() -> Iterator[SlicedWork]:
    made = SlicedWork(View(), clock=lambda: next(TIME))
    made.hello()
    yield made
    made.close()


TIME = iter(range(10**9))  # every look at the clock is a second later, so that every slice is one step


def counting(log: list[Any], name: str, n: int = 3) -> Generator[Any, None, str]:
    for k in range(n):
        log.append((name, k))
        yield k + 1, n
    return f"result of {name}"


def test_each_tick_is_one_slice_and_the_clock_runs_only_while_there_is_work(work: SlicedWork) -> None:
    log: list[Any] = []
    assert not is_playing(work._clock_widget)
    work.run("a", counting(log, "a"), log.append)
    assert log == [] and is_playing(work._clock_widget)
    work.tick()
    assert log == [("a", 0)] and work._bar.value == 1 and work._bar.max == 3 and "1 of 3" in work._words.value
    for _ in range(3):
        work.tick()
    assert log[-1] == "result of a" and not work.busy() and not is_playing(work._clock_widget)
    assert work._line.layout.visibility == "hidden"


def test_work_waits_its_turn_and_quiet_work_goes_first(work: SlicedWork) -> None:
    log: list[Any] = []
    for name in ("a", "b"):
        work.run(name, counting(log, name, 1), lambda _: None)
    work.run("quick", counting(log, "quick", 1), lambda _: None, quiet=True)
    work.finish()
    assert [name for name, _ in log] == ["quick", "a", "b"]


def test_newer_work_replaces_older_of_its_name_and_stop_ends_the_rest(work: SlicedWork) -> None:
    log: list[Any] = []
    closed = []

    def old() -> Iterator[Any]:
        try:
            while True:
                yield 0, 0
        finally:
            closed.append("old")

    work.run("search", old(), log.append)
    work.tick()
    work.run("search", counting(log, "new"), log.append)
    assert closed == ["old"]
    work._stop.click()
    assert not work.busy()
    work.tick()
    assert log == []


def test_a_failure_is_shown_and_the_next_work_goes_on(work: SlicedWork) -> None:
    log: list[Any] = []

    def bad() -> Iterator[Any]:
        yield 1, 2
        raise RuntimeError("no memory left")

    work.run("bad", bad(), log.append, "a search")
    work.run("good", counting(log, "good", 1), log.append)
    work.finish()
    assert work._view.error == "a search: RuntimeError: no memory left" and log[-1] == "result of good"


def test_without_a_page_short_work_is_done_at_once() -> None:
    work = SlicedWork(View())
    log: list[Any] = []
    work.run("a", counting(log, "a"), log.append)
    assert log[-1] == "result of a"
    work.close()


def reporting(log: list[Any]) -> Callable[[Callable[..., None]], str]:
    def call(callback: Callable[..., None]) -> str:
        for k in range(3):
            log.append(k)
            callback(k + 1, 3)
        return "done"

    return call


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "stylewidgets-steps"]


def test_a_function_with_a_callback_moves_one_step_at_a_time_and_leaves_no_thread() -> None:
    log: list[Any] = []
    steps = stepwise(reporting(log), Stop)
    assert log == [] and threads() == []
    assert next(steps) == (1, 3) and log == [0]
    assert next(steps) == (2, 3) and log == [0, 1]
    assert next(steps) == (3, 3)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done" and threads() == []


def test_closing_the_steps_stops_the_function_and_its_thread() -> None:
    seen: list[Any] = []

    def call(callback: Callable[..., None]) -> None:
        try:
            reporting([])(callback)
        except Stop:
            seen.append("stopped")
            raise

    steps = stepwise(call, Stop)
    next(steps)
    steps.close()
    assert seen == ["stopped"] and threads() == []


def test_an_exception_of_the_function_arrives_where_the_steps_are_taken() -> None:
    def call(callback: Callable[..., None]) -> None:
        callback(1, 2)
        raise ValueError("broken")

    steps = stepwise(call, Stop)
    next(steps)
    with pytest.raises(ValueError, match="broken"):
        next(steps)
    assert threads() == []
