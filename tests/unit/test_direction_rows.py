"""The sliders of the edits, without a front end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stylewidgets.latent.latent import Direction, Latent
from stylewidgets.latent.move import moves
from stylewidgets.latent.transfer import TransferEdit
from stylewidgets.widgets.kit.controls.direction_rows import DirectionRows, renamed


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
        self.rows.show(self.latent)

    def change(self, source: str, transform: Callable[[Latent], Latent]) -> None:
        self.sources.append(source)
        self.latent = transform(self.latent)
        self.rows.show(self.latent)

    @property
    def names(self) -> list[str]:
        return list(self.rows.handles)


def test_scripts_find_the_handle_of_every_row_by_one_class() -> None:
    assert Desk("smile", "age").rows.view.mark == "stylewidgets-strength"


def test_there_is_one_row_for_each_edit_in_order() -> None:
    desk = Desk("smile", "age", "pose")
    assert desk.names == ["smile", "age", "pose"]


def test_any_number_of_rows_is_one_model() -> None:
    assert len(Desk("smile", "age", "pose").rows.children) == len(Desk().rows.children) == 2


def test_moving_a_slider_changes_the_strength_of_its_edit_only() -> None:
    desk = Desk("smile", "age")
    desk.rows.handles["age"].value = 2.5
    assert (desk.latent.strength("smile"), desk.latent.strength("age")) == (0.0, 2.5)


def test_rows_of_directions_that_stay_keep_their_handles() -> None:
    desk = Desk("smile", "age", "pose")
    smile, pose = desk.rows.handles["smile"], desk.rows.handles["pose"]
    desk.change("", lambda latent: latent.without_edit("age"))
    assert desk.names == ["smile", "pose"]
    assert desk.rows.handles["smile"] is smile and desk.rows.handles["pose"] is pose


def test_a_stronger_edit_than_the_slider_reaches_widens_the_slider_and_is_not_clipped() -> None:
    desk = Desk("smile")
    desk.change("", lambda latent: latent.with_edit(direction("smile"), 7.3))
    assert desk.rows.handles["smile"].value == 7.3 and desk.rows.handles["smile"].row.high == 8.0
    assert desk.latent.strength("smile") == 7.3


def test_a_change_that_is_refused_moves_the_slider_back() -> None:
    desk = Desk("smile")
    desk.rows._change = lambda source, transform: desk.rows.show(desk.latent)
    desk.rows.handles["smile"].value = 2.0
    assert desk.rows.handles["smile"].value == 0.0


def test_each_control_names_itself_for_the_undo_history() -> None:
    desk = Desk("smile", "age")
    desk.rows.handles["smile"].value = 1.0
    desk.rows.handles["smile"].value = 2.0
    desk.rows.handles["age"].value = 1.0
    a, b, c = (source for source in desk.sources if source)
    assert a == b != c


def test_layers_name_and_removal_follow_what_the_page_asks_for() -> None:
    desk = Desk("smile", "age")
    page = desk.rows.view
    assert page.rows[0]["ranges"]["coarse"] == (0, 4) and page.rows[0]["layers"] is None
    page._receive(None, {"type": "layers", "key": "smile", "layers": [0, 4]}, [])
    assert desk.latent.edits[0].layers == (0, 4) == page.rows[0]["layers"]
    page._receive(None, {"type": "rename", "key": "smile", "name": "grin"}, [])
    assert desk.names == ["grin", "age"]
    page._receive(None, {"type": "remove", "key": "smile"}, [])
    assert desk.names == ["grin", "age"], "the row of the old name is gone, and its button does nothing"
    page._receive(None, {"type": "remove", "key": "grin"}, [])
    assert desk.names == ["age"]


def test_edits_of_two_kinds_may_have_one_name() -> None:
    desk = Desk("smile")
    other = TransferEdit(Latent(seed=2), strength=1.0, layers=(0, 2), name="smile")
    desk.change("", lambda latent: latent.with_edit(other))
    assert desk.names == ["move: smile", "transfer: smile"]
    desk.rows.handles["transfer: smile"].value = 0.5
    assert [edit.strength for edit in desk.latent.edits] == [0.0, 0.5]


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
