"""The sliders of the edits, without a front end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stylewidgets.latent.latent import Direction, Latent
from stylewidgets.latent.move import moves
from stylewidgets.widgets.kit.controls.direction_rows import DirectionRow, DirectionRows, renamed


def direction(name: str) -> Direction:
    return Direction(name, np.full(4, 0.5))


class Desk:
    """An owner of rows as small as can be: keeps the latent and shows it again after each change."""

    def __init__(self, *names: str) -> None:
        self.sources: list[str] = []
        self.rows = DirectionRows(10, self.change)
        self.latent = Latent()
        for name in names:
            self.latent = self.latent.with_edit(direction(name), 0.0)
        self.rows.update(self.latent)

    def change(self, source: str, transform: Callable[[Latent], Latent]) -> None:
        self.sources.append(source)
        self.latent = transform(self.latent)
        self.rows.update(self.latent)

    @property
    def names(self) -> list[str]:
        return [row.edit.name for row in self.rows.rows]


def slider(row: DirectionRow) -> Any:
    return row.children[0]


def test_scripts_find_the_handle_of_every_row_by_one_class() -> None:
    assert all("stylewidgets-strength" in slider(row)._dom_classes for row in Desk("smile", "age").rows.rows)


def test_there_is_one_row_for_each_edit_in_order() -> None:
    desk = Desk("smile", "age", "pose")
    assert desk.names == ["smile", "age", "pose"]


def test_moving_a_slider_changes_the_strength_of_its_edit_only() -> None:
    desk = Desk("smile", "age")
    slider(desk.rows.rows[1]).value = 2.5
    assert (desk.latent.strength("smile"), desk.latent.strength("age")) == (0.0, 2.5)


def test_rows_of_directions_that_stay_keep_their_widgets() -> None:
    desk = Desk("smile", "age", "pose")
    before = desk.rows.rows
    desk.change("", lambda latent: latent.without_edit("age"))
    assert desk.names == ["smile", "pose"]
    assert desk.rows.rows[0] is before[0] and desk.rows.rows[1] is before[2]


def test_a_stronger_edit_than_the_slider_reaches_widens_the_slider_and_is_not_clipped() -> None:
    desk = Desk("smile")
    desk.change("", lambda latent: latent.with_edit(direction("smile"), 7.3))
    assert slider(desk.rows.rows[0]).value == 7.3 and slider(desk.rows.rows[0]).max == 8.0
    assert desk.latent.strength("smile") == 7.3


def test_each_control_names_itself_for_the_undo_history() -> None:
    desk = Desk("smile", "age")
    slider(desk.rows.rows[0]).value = 1.0
    slider(desk.rows.rows[0]).value = 2.0
    slider(desk.rows.rows[1]).value = 1.0
    a, b, c = (source for source in desk.sources if source)
    assert a == b != c


def test_layers_name_and_removal_are_made_when_a_row_is_asked_for_more_and_follow_the_edit() -> None:
    desk = Desk("smile", "age")
    first = desk.rows.rows[0]
    assert len(first.children) == 3 and first._open.description == "⋯"
    first._open.click()
    layers, rename, remove = first.children[3].children
    layers.children[0].value = "coarse"
    assert desk.latent.edits[0].layers == (0, 4) and first._open.description == "0–3 ⋯"
    desk.change("", lambda latent: latent.with_edit(direction("smile"), 1.0))
    assert layers.value is None
    first._open.click()
    assert first.children[3].layout.display == "none"
    rename.value = "grin"
    assert desk.names == ["grin", "age"]
    remove.click()
    assert desk.names == ["grin", "age"], "the row of the old name is gone, and its button does nothing"
    desk.rows.rows[0].remove()
    assert desk.names == ["age"]


def test_renaming_keeps_place_strength_and_vector() -> None:
    latent = (
        Latent().with_edit(direction("a"), 1.0).with_edit(direction("b"), 2.0, (0, 4)).with_edit(direction("c"), 3.0)
    )
    new = renamed(latent, "b", " smile ")
    assert [edit.name for edit in new.edits] == ["a", "smile", "c"]
    assert new.edits[1].strength == 2.0 and new.edits[1].layers == (0, 4)
    assert np.array_equal(moves(new)[1].direction.vector, moves(latent)[1].direction.vector)


@pytest.mark.parametrize(
    ("old", "new", "text"), [("x", "y", "no direction called"), ("a", " ", "empty"), ("a", "b", "in use")]
)
def test_a_rename_that_cannot_be_says_why(old: str, new: str, text: str) -> None:
    latent = Latent().with_edit(direction("a"), 1.0).with_edit(direction("b"), 1.0)
    with pytest.raises(ValueError, match=text):
        renamed(latent, old, new)
