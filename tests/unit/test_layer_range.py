"""The layer range selector: its names, its value and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from stylewidgets.directions.layers import named_ranges
from stylewidgets.widgets.kit.controls.layer_range import CUSTOM, LayerRange


def selector(num_ws: int = 18, value: tuple[int, int] | None = None) -> tuple[LayerRange, list[Any]]:
    calls: list[Any] = []
    return LayerRange(num_ws, calls.append, value), calls


def test_the_named_ranges_are_those_of_the_stylegan_paper() -> None:
    assert named_ranges(18) == {"coarse": (0, 4), "middle": (4, 8), "fine": (8, 18)}
    assert named_ranges(10) == {"coarse": (0, 4), "middle": (4, 8), "fine": (8, 10)}


@pytest.mark.parametrize("num_ws", range(1, 30))
def test_the_named_ranges_cover_every_row_once(num_ws: int) -> None:
    rows = [row for first, last in named_ranges(num_ws).values() for row in range(first, last)]
    assert rows == list(range(num_ws))


@pytest.mark.parametrize("value", [None, (0, 4), (4, 8), (8, 18), (2, 3), (0, 18)])
def test_assigning_a_value_shows_it_and_calls_nobody(value: tuple[int, int] | None) -> None:
    widget, calls = selector()
    widget.value = value
    assert widget.value == value and calls == []


def test_choosing_a_name_reports_its_rows_once() -> None:
    widget, calls = selector()
    widget.children[0].value = "middle"
    assert calls == [(4, 8)]


def test_from_to_starts_at_the_range_that_was_chosen_and_shows_its_slider() -> None:
    widget, calls = selector(value=(4, 8))
    menu, slider = widget.children
    assert slider.layout.display == "none"
    menu.value = CUSTOM
    assert slider.value == (4, 7) and slider.layout.display is None
    slider.value = (5, 6)
    assert calls == [(4, 8), (5, 7)]


def test_a_from_to_range_that_meets_a_named_one_keeps_its_slider() -> None:
    widget, calls = selector(value=(4, 7))
    menu, slider = widget.children
    slider.value = (4, 7)
    widget.value = (4, 8)
    assert calls == [(4, 8)] and menu.value == CUSTOM and slider.layout.display is None
