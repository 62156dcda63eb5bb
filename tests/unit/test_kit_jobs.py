"""Jobs on a page: order, progress, pause, stop and interrupts, slice by slice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from stylewidgets.jobs import Job, Progress, Run
from stylewidgets.widgets.kit.compat import is_playing
from stylewidgets.widgets.kit.jobs import Jobs


class View:
    error = ""


@pytest.fixture
def work() -> Iterator[Jobs]:
    made = Jobs(View(), clock=lambda: next(TIME))
    made.hello()
    yield made
    made.close()


TIME = iter(range(10**9))  # every look at the clock is a second later, so that every slice is one step


def counting(log: list[Any], name: str, n: int = 3, partial: bool = False) -> Job[str]:
    for k in range(n):
        log.append((name, k))
        yield Progress(k + 1, n, partial=(lambda: f"part of {name}") if partial else None)
    return f"result of {name}"


def test_each_tick_is_one_slice_and_the_clock_runs_only_while_there_is_work(work: Jobs) -> None:
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


def test_work_waits_its_turn_and_quiet_work_goes_first(work: Jobs) -> None:
    log: list[Any] = []
    for name in ("a", "b"):
        work.run(name, counting(log, name, 1), lambda _: None)
    work.run("quick", counting(log, "quick", 1), lambda _: None, quiet=True)
    work.finish()
    assert [name for name, _ in log] == ["quick", "a", "b"]


def test_newer_work_replaces_older_of_its_name_and_stop_ends_the_rest(work: Jobs) -> None:
    log: list[Any] = []
    closed = []

    def old() -> Job[None]:
        try:
            while True:
                yield Progress()
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


def test_a_failure_is_shown_and_the_next_work_goes_on(work: Jobs) -> None:
    log: list[Any] = []

    def bad() -> Job[None]:
        yield Progress(1, 2)
        raise RuntimeError("no memory left")

    work.run("bad", bad(), log.append, "a search")
    work.run("good", counting(log, "good", 1), log.append)
    work.finish()
    assert work._view.error == "a search: RuntimeError: no memory left" and log[-1] == "result of good"


def test_without_a_page_short_work_is_done_at_once() -> None:
    work = Jobs(View())
    log: list[Any] = []
    work.run("a", counting(log, "a"), log.append)
    assert log[-1] == "result of a"
    work.close()


def test_a_pause_stops_the_clock_and_go_on_goes_on_with_the_next_step(work: Jobs) -> None:
    log: list[Any] = []
    work.run("a", counting(log, "a"), log.append)
    work.tick()
    work._pause.click()
    assert work._pause.description == "go on" and "paused" in work._words.value and not is_playing(work._clock_widget)
    work.tick()
    assert log == [("a", 0)] and work.busy("a")
    work._pause.click()
    work.tick()
    assert log == [("a", 0), ("a", 1)] and is_playing(work._clock_widget)


def test_stop_keeps_what_was_found_and_a_replacement_does_not(work: Jobs) -> None:
    log: list[Any] = []
    found: list[Any] = []
    work.run("a", counting(log, "a", partial=True), found.append)
    work.tick()
    work.run("a", counting(log, "b", partial=True), found.append)
    assert found == []
    work.tick()
    work._stop.click()
    assert found == ["part of b"]


def test_a_long_step_is_announced_and_has_a_slice_of_its_own() -> None:
    def loading() -> Job[None]:
        yield Progress(0, 2, "loading", indivisible=3.0)
        yield Progress(1, 2)

    work = Jobs(View(), clock=lambda: 0.0)  # no step takes any time
    work.hello()
    work.run("search", loading())
    work.tick()
    assert "search: loading, 0 of 2 (about 3 s)" in work._words.value and work.busy()
    work.tick()
    assert not work.busy()
    work.close()


def interrupted(log: list[Any]) -> Job[None]:
    yield Progress(1, 3)
    log.append("at work")
    raise KeyboardInterrupt


def test_an_interrupt_in_a_slice_ends_the_work_and_is_said(work: Jobs) -> None:
    log: list[Any] = []
    work.run("a", interrupted(log), ended=lambda: log.append("ended"))
    work.tick()
    work.tick()
    assert log == ["at work", "ended"] and not work.busy()
    assert work._view.error == "interrupted at step 1: the result so far is kept"


def test_an_interrupt_of_a_script_goes_on_to_it(work: Jobs) -> None:
    log: list[Any] = []
    work.run("a", interrupted(log), ended=lambda: log.append("ended"))
    with pytest.raises(KeyboardInterrupt):
        work.finish()
    assert log == ["at work", "ended"] and not work.busy()


def test_a_kernels_interrupt_between_two_slices_is_not_lost(work: Jobs) -> None:
    log: list[Any] = []

    async def kernel() -> None:
        """As ipykernel does: SIGINT interrupts while a message is handled, and is ignored between two."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for message in (work.tick, lambda: signal.raise_signal(signal.SIGINT), lambda: None, work.tick):
                if message is work.tick:
                    outside = signal.signal(signal.SIGINT, signal.default_int_handler)
                    message()
                    signal.signal(signal.SIGINT, outside)
                else:
                    message()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            log.append(signal.getsignal(signal.SIGINT))
        finally:
            signal.signal(signal.SIGINT, before)

    run = Run(counting(log, "a", partial=True))
    work.run("a", run, kept=True, ended=lambda: log.append("ended"))
    asyncio.run(kernel())
    assert log == [("a", 0), "ended", signal.SIG_IGN]
    assert run.status == "paused" and run.result() == "part of a" and not work.busy()
    assert "'go on' goes on" in work._view.error


def test_a_run_that_is_kept_is_paused_when_it_is_dropped_and_can_come_back(work: Jobs) -> None:
    log: list[Any] = []
    run = Run(counting(log, "a"))
    work.run("a", run, log.append, kept=True)
    work.tick()
    work.stop("a")
    assert run.status == "paused" and not work.busy()
    work.run("a", run, log.append, kept=True)
    work.finish()
    assert log == [("a", 0), ("a", 1), ("a", 2), "result of a"]


def test_work_that_failed_in_the_hands_of_a_cell_is_let_go(work: Jobs) -> None:
    def failing() -> Job[None]:
        yield Progress(1, 2)
        raise ValueError("no more")

    log: list[Any] = []
    run = Run(failing())
    work.run("a", run, ended=lambda: log.append("ended"))
    work.tick()
    with pytest.raises(ValueError, match="no more"):
        run.advance()
    work.tick()
    assert not work.busy() and log == ["ended"] and not is_playing(work._clock_widget)
