"""Filling a grid, without a generator: who asks for slices, in which order, and what is never drawn twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from stylewidgets.latent.latent import Latent
from stylewidgets.mixing.grid import HEADER, MixGrid, Place
from stylewidgets.widgets.style_mix_grid.filler import ACK_TIMEOUT, ALONE_SECONDS, GridFiller


def make_grid(
    rows: Sequence[int] = (1, 2, 3), columns: Sequence[int] = (4, 5, 6), mask: Sequence[int] = (1, 0)
) -> MixGrid:
    return MixGrid(tuple(Latent(seed=s) for s in rows), tuple(Latent(seed=s) for s in columns), tuple(map(bool, mask)))


class Bench:
    """A filler with a clock of its own; drawing a picture takes `each` seconds, and a picture is its content."""

    def __init__(self, each: float = 0.01, **settings: Any) -> None:
        self.now, self.each = 0.0, each
        self.drawn: list[list[Place]] = []
        self.sent: list[tuple[int, dict[Place, Any]]] = []
        self.page: dict[Place, Any] = {}
        self.done = 0
        self.errors: list[Exception] = []
        self.looks: list[list[Place]] = []
        self.filler = GridFiller(
            self.draw,
            self.show,
            self.looks.append,
            self.on_done,
            self.errors.append,
            clock=lambda: self.now,
            **settings,
        )

    def draw(self, grid: MixGrid, places: Sequence[Place]) -> list[Any]:
        self.drawn.append(list(places))
        self.now += self.each * len(places)
        return [grid.content(place) for place in places]

    def show(self, index: int, pictures: Any) -> None:
        self.sent.append((index, dict(pictures)))
        self.page.update(pictures)

    def on_done(self) -> None:
        self.done += 1

    def answer(self) -> None:
        self.filler.acknowledge(self.sent[-1][0])

    def answer_all(self) -> None:
        while not self.filler.done:
            self.answer()
        self.answer()

    def shows(self, grid: MixGrid) -> bool:
        return all(self.page[place] == grid.content(place) for place in grid.places())


def test_without_a_page_a_fast_grid_is_complete_at_once() -> None:
    bench, grid = Bench(), make_grid()
    bench.filler.submit(grid)
    assert bench.filler.done and bench.done == 1 and bench.shows(grid)


def test_without_a_page_a_slow_grid_stops_after_a_while_and_finish_goes_on() -> None:
    bench, grid = Bench(each=0.5), make_grid()
    bench.filler.submit(grid)
    assert not bench.filler.done and ALONE_SECONDS <= bench.now <= ALONE_SECONDS + 0.5
    assert bench.done == 1, "what there is can be shown"
    bench.filler.finish()
    assert bench.filler.done and bench.shows(grid)


def test_with_a_page_every_answer_draws_one_slice_of_limited_length() -> None:
    bench, grid = Bench(each=0.03), make_grid()
    bench.filler.hello()
    bench.filler.submit(grid)
    assert len(bench.sent) == 1 and bench.done == 0
    before = bench.now
    while not bench.filler.done:
        bench.answer()
        assert bench.now - before <= 0.08 + 1e-9, "one slice for each message"
        before = bench.now
    assert bench.done == 1 and bench.shows(grid)
    assert sum(map(len, bench.drawn)) == len(list(grid.places()))


def test_headers_come_first_then_what_is_nearest_to_the_pointer() -> None:
    bench, grid = Bench(each=0.05), make_grid()
    bench.filler.hello()
    bench.filler.near((2, 2))
    bench.filler.submit(grid)
    bench.answer_all()
    order = [place for slice_ in bench.drawn for place in slice_]
    assert all(HEADER in place for place in order[:6])
    assert order[6] == (2, 2) and set(order[7:9]) == {(1, 2), (2, 1)}
    bench.drawn.clear()
    bench.filler.submit(grid.replace(mask=(False, True)))
    bench.filler.near((0, 0))
    bench.answer()
    assert bench.drawn[1] == [(0, 0)], "the pointer moved while cells were missing"


def test_a_storm_of_masks_leaves_no_queue_and_ends_at_the_newest() -> None:
    bench, grid = Bench(), make_grid(mask=(0,) * 10)
    bench.filler.hello()
    bench.filler.submit(grid)
    bench.answer_all()
    sent = len(bench.sent)
    for n in range(1, 1000):
        newest = grid.replace(mask=tuple(bool(n >> k & 1) for k in range(10)))
        bench.filler.submit(newest)
    assert len(bench.sent) - sent == 1, "one slice is under way, everything else waits in one place"
    bench.answer_all()
    assert bench.shows(newest)
    assert len(bench.sent) - sent <= 1 + 9


def test_one_changed_header_draws_one_row_or_column() -> None:
    bench, grid = Bench(), make_grid()
    bench.filler.submit(grid)
    bench.drawn.clear()
    bench.filler.submit(grid.with_source("columns", 1, Latent(seed=50)))
    assert {place for each in bench.drawn for place in each} == {(HEADER, 1), (0, 1), (1, 1), (2, 1)}


def test_swapped_and_undone_grids_are_shown_without_drawing() -> None:
    bench, grid = Bench(), make_grid()
    bench.filler.submit(grid)
    swapped = grid.swapped(("rows", 0), ("rows", 2))
    bench.drawn.clear()
    bench.filler.submit(swapped)
    assert bench.drawn == [] and bench.shows(swapped)
    assert set(bench.looks[-1]) == {(i, j) for i in (0, 2) for j in (HEADER, 0, 1, 2)}
    bench.filler.submit(grid)
    assert bench.drawn == [] and bench.shows(grid)


def test_a_reloaded_page_gets_every_picture_without_drawing() -> None:
    bench, grid = Bench(), make_grid()
    bench.filler.submit(grid)
    bench.drawn.clear()
    bench.page.clear()
    bench.filler.hello()
    assert bench.drawn == [] and bench.shows(grid)


def test_a_lost_answer_stops_nothing_for_long() -> None:
    bench = Bench()
    bench.filler.hello()
    bench.filler.submit(make_grid())
    bench.filler.near((1, 1))
    assert len(bench.sent) == 1
    bench.now += ACK_TIMEOUT
    bench.filler.near((1, 2))
    assert len(bench.sent) == 2


def test_a_failure_is_reported_and_the_next_change_tries_again() -> None:
    bench, grid = Bench(), make_grid()
    bench.filler.hello()
    broken = ValueError("no memory")

    def fail(*_: Any) -> Any:
        raise broken

    draw, bench.filler._draw = bench.filler._draw, fail
    bench.filler.submit(grid)
    assert bench.errors == [broken] and bench.done == 0
    bench.filler._draw = draw
    bench.filler.submit(grid.replace(noise="column"))
    bench.answer_all()
    assert bench.filler.done and bench.shows(grid.replace(noise="column"))


def test_a_smaller_grid_forgets_places_that_are_gone() -> None:
    bench, grid = Bench(), make_grid()
    bench.filler.submit(grid)
    small = grid.without("rows", 2)
    bench.filler.submit(small)
    bench.filler.submit(grid)
    assert bench.shows(grid) and set(bench.filler.pictures(small)) == set(small.places())


def test_a_change_from_another_thread_during_a_slice_is_drawn_by_the_one_that_works() -> None:
    inside, go_on = threading.Event(), threading.Event()
    bench, grid = Bench(), make_grid()
    draw = bench.filler._draw

    def slow(*arguments: Any) -> Any:
        inside.set()
        assert go_on.wait(30)
        return draw(*arguments)

    bench.filler._draw = slow
    worker = threading.Thread(target=bench.filler.submit, args=(grid,))
    worker.start()
    assert inside.wait(30)
    newest = grid.replace(mask=(False, True))
    bench.filler.submit(newest)  # returns at once
    go_on.set()
    worker.join(30)
    assert not worker.is_alive() and bench.filler.done and bench.shows(newest)


def test_nothing_is_drawn_after_closing() -> None:
    bench = Bench()
    bench.filler.close()
    bench.filler.submit(make_grid())
    assert bench.drawn == [] and bench.sent == []
