"""The list of directions with its thumbnail strips, without a front end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stylewidgets.latent.latent import Direction, Latent
from stylewidgets.widgets.kit.controls.direction_picker import PAGE, DirectionPicker


class Desk:
    error = ""

    def __init__(self, count: int = 6) -> None:
        self.batches: list[list[Latent]] = []
        self.added: list[str] = []
        self.set = {f"d{i}": Direction(f"d{i}", np.ones(4), source="pca", explained=0.1) for i in range(count)}
        self.fails = False
        self.picker = DirectionPicker(
            lambda: self.set, self.images, lambda: Latent(seed=5), lambda d: self.added.append(d.name), self
        )

    def images(self, latents: Sequence[Latent], side: int) -> NDArray[np.uint8]:
        if self.fails:
            raise RuntimeError("out of memory")
        self.batches.append(list(latents))
        return np.zeros((len(latents), 16, 16, 3), np.uint8)

    @property
    def shown(self) -> int:
        return len(self.picker._list.children)


def test_nothing_is_drawn_before_the_list_is_opened() -> None:
    desk = Desk()
    assert desk.batches == []
    desk.picker.unfold()
    assert len(desk.batches) == PAGE and desk.shown == PAGE


def test_each_strip_is_minus_zero_plus_from_the_present_face() -> None:
    desk = Desk()
    desk.picker.unfold()
    for number, batch in enumerate(desk.batches):
        assert [latent.strength(f"d{number}") for latent in batch] == [-3.0, 0.0, 3.0]
        assert all(latent.seed == 5 for latent in batch)


def test_turning_the_page_goes_round() -> None:
    desk = Desk()
    desk.picker.unfold()
    desk.picker._turn(1)
    assert desk.shown == 2
    desk.picker._turn(1)
    assert desk.shown == PAGE


def test_the_filter_looks_at_names_and_sources() -> None:
    desk = Desk()
    desk.picker._filter.value = "D3"
    assert [d.name for d in desk.picker.matches] == ["d3"]
    desk.picker._filter.value = "PCA"
    assert len(desk.picker.matches) == 6


def test_an_empty_set_says_where_directions_come_from() -> None:
    desk = Desk(0)
    desk.picker.unfold()
    assert "pca(session)" in desk.picker._position.value and desk.batches == []


def test_a_failure_shows_in_the_view_and_leaves_the_list_as_it_was() -> None:
    desk = Desk()
    desk.picker.unfold()
    desk.fails = True
    desk.picker.refresh()
    assert "out of memory" in desk.error and desk.shown == PAGE


def test_the_add_button_adds_its_own_direction() -> None:
    desk = Desk()
    desk.picker.unfold()
    desk.picker._list.children[2].children[1].children[0].children[1].click()
    assert desk.added == ["d2"]
