"""The gallery of directions, without a front end: groups, pictures when they are asked for, and what is in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stylewidgets.directions.groups import group_of, grouped
from stylewidgets.latent.latent import Direction, Latent
from stylewidgets.widgets.kit.controls.direction_picker import DirectionPicker

NAMES = ("smile", "yaw", "eye size", "pca 0", "d5", "hair hue red")


class Desk:
    error = ""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self.batches: list[list[Latent]] = []
        self.added: list[str] = []
        self.set = {name: Direction(name, np.ones(4), source="pca", explained=0.1) for name in names}
        self.latent = Latent(seed=5)
        self.fails = False
        self.sent: list[dict[str, Any]] = []
        self.picker = DirectionPicker(
            lambda: self.set, self.images, lambda: self.latent, lambda d: self.added.append(d.name), self
        )

    def images(self, latents: Sequence[Latent], side: int) -> NDArray[np.uint8]:
        if self.fails:
            raise RuntimeError("out of memory")
        self.batches.append(list(latents))
        return np.zeros((len(latents), 16, 16, 3), np.uint8)

    def page(self, **message: Any) -> None:
        """What the page says."""
        gallery = self.picker.gallery
        gallery.send = lambda content, buffers=None: self.sent.append(content)
        gallery._receive(gallery, message, [])


def test_nothing_is_drawn_before_pictures_come_into_sight_and_then_each_once() -> None:
    desk = Desk()
    desk.picker.unfold()
    assert desk.batches == []
    desk.page(type="want", names=["smile", "yaw"])
    assert len(desk.batches) == 2 and [message["name"] for message in desk.sent] == ["smile", "yaw"]
    desk.page(type="want", names=["smile"])
    assert len(desk.batches) == 2 and len(desk.sent) == 3


def test_each_picture_is_minus_and_plus_from_the_present_face() -> None:
    desk = Desk()
    desk.picker.unfold()
    desk.page(type="want", names=["smile"])
    (batch,) = desk.batches
    assert [latent.strength("smile") for latent in batch] == [-3.0, 3.0] and all(latent.seed == 5 for latent in batch)
    desk.latent = Latent(seed=6)
    desk.page(type="again")
    desk.page(type="want", names=["smile"])
    assert all(latent.seed == 6 for latent in desk.batches[1])


def test_directions_stand_by_what_they_are_about_and_those_without_a_name_last_and_folded() -> None:
    desk = Desk()
    desk.picker.unfold()
    groups = [
        (group["name"], group["open"], [item["name"] for item in group["items"]])
        for group in desk.picker.gallery.groups
    ]
    assert groups == [
        ("head", True, ["yaw"]),
        ("eyes", True, ["eye size"]),
        ("mouth and nose", True, ["smile"]),
        ("hair and hat", True, ["hair hue red"]),
        ("others", True, ["d5"]),
        ("found by PCA", False, ["pca 0"]),
    ]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("light azimuth", "light"),
        ("hair lightness", "hair and hat"),
        ("brow angle", "eyes"),
        ("lip colour", "mouth and nose"),
        ("background lightness", "clothes and background"),
        ("skin tone", "skin"),
        ("Age", "head"),
        ("sefa fine 2", "found by SeFa"),
    ],
)
def test_a_name_says_where_a_direction_belongs(name: str, group: str) -> None:
    direction = Direction(name, np.ones(4))
    assert group_of(direction) == group and grouped([direction]) == {group: [direction]}


def test_what_is_in_use_is_marked_before_and_after_the_gallery_is_opened() -> None:
    desk = Desk()
    desk.picker.update(Latent().with_edit(desk.set["smile"], 1.0))
    desk.picker.unfold()
    assert desk.picker.gallery.used == ["smile"]
    desk.picker.update(Latent().with_edit(desk.set["yaw"], 0.0))
    assert desk.picker.gallery.used == ["yaw"]


def test_an_empty_set_says_where_directions_come_from() -> None:
    desk = Desk(())
    desk.picker.unfold()
    assert "pca(session)" in desk.picker.gallery.words and desk.picker.gallery.groups == []


def test_a_failure_shows_in_the_view() -> None:
    desk = Desk()
    desk.picker.unfold()
    desk.fails = True
    desk.page(type="want", names=["smile"])
    assert "out of memory" in desk.error


def test_what_is_pressed_is_added_and_the_gallery_can_be_folded_again() -> None:
    desk = Desk()
    desk.picker.unfold()
    desk.page(type="add", name="yaw")
    assert desk.added == ["yaw"]
    desk.picker._toggle.click()
    assert "sw-away" in desk.picker._body._dom_classes
