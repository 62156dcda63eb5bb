"""Seed, psi, cutoff, noise and class controls, without a front end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stylewidgets.latent.latent import Code, Latent
from stylewidgets.widgets.kit.controls.source_controls import SourceControls, describe_source, main_seed, parse_seed


class Desk:
    def __init__(self, classes: int = 0) -> None:
        self.latent = Latent()
        self.controls = SourceControls(10, self.change, classes, {0: "cat"})
        self.controls.update(self.latent)

    def change(self, source: str, transform: Callable[[Latent], Latent]) -> None:
        self.latent = transform(self.latent)
        self.controls.update(self.latent)


@pytest.mark.parametrize(("text", "seed"), [("7", 7), (" 007 ", 7), ("1 000", 1000), ("4294967295", 2**32 - 1)])
def test_a_seed_is_read_as_people_write_it(text: str, seed: int) -> None:
    assert parse_seed(text) == seed


@pytest.mark.parametrize("text", ["", "seven", "-1", "1.5", "4294967296", "1e3"])
def test_what_is_no_seed_is_named_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 4294967295"):
        parse_seed(text)


def test_each_control_changes_its_part_of_the_latent() -> None:
    desk = Desk(classes=3)
    controls = desk.controls
    controls.unfold()
    controls._seed.value = "12"
    controls.psi.handles["psi"].value = 0.5
    controls._cutoff.value = 4
    controls._noise.value = "random"
    controls._noise_seed.value = "9"
    controls._label.value = 2
    assert desk.latent == Latent(seed=12, psi=0.5, cutoff=4, noise_mode="random", noise_seed=9, label=2)


def test_the_cutoff_at_its_end_means_all_rows() -> None:
    desk = Desk()
    desk.controls.unfold()
    desk.controls._cutoff.value = 3
    desk.controls._cutoff.value = 10
    assert desk.latent.cutoff is None


def test_updating_shows_a_latent_and_widens_psi_rather_than_clip_it() -> None:
    desk = Desk()
    desk.controls.unfold()
    desk.change("", lambda _: Latent(seed=5, psi=2.25, cutoff=7))
    assert (
        desk.controls._seed.value == "5"
        and desk.controls.psi.handles["psi"].value == 2.25
        and desk.controls._cutoff.value == 7
    )
    assert desk.latent.psi == 2.25


@pytest.mark.slow
def test_the_noise_seed_is_shown_only_where_it_counts() -> None:
    desk = Desk()
    assert "_more" not in desk.controls.__dict__
    desk.controls.unfold()
    assert "_noise_seed" not in desk.controls.__dict__
    desk.controls._noise.value = "random"
    assert (
        desk.controls._noise_seed in desk.controls._more.children and desk.controls._noise_seed.layout.display is None
    )
    desk.controls._noise.value = "const"
    assert desk.controls._noise_seed.layout.display == "none"


def test_there_is_a_class_chooser_only_for_conditional_generators() -> None:
    assert Desk().controls._label is None
    assert [text for text, _ in Desk(classes=2).controls._label.options] == ["no class", "0: cat", "1"]


def test_a_blend_shows_its_heaviest_seed_and_a_code_says_what_it_is() -> None:
    blend = Latent(blend=((3, 0.25), (8, 0.75)))
    assert main_seed(blend) == 8 and "8 (75 %)" in describe_source(blend)
    code = Latent(code=Code("w", [0.0, 1.0]))
    assert main_seed(code) is None and "code in w" in describe_source(code)


def test_stepping_wraps_at_the_ends_and_random_takes_a_seed_that_can_be_typed() -> None:
    desk = Desk()
    desk.controls._step(-1)
    assert desk.latent.seed == 2**32 - 1
    desk.controls._step(1)
    assert desk.latent.seed == 0
    desk.controls.randomize()
    assert 0 <= desk.latent.seed < 1_000_000


def test_what_is_seldom_needed_comes_and_goes_and_follows_the_latent() -> None:
    desk = Desk()
    desk.change("", lambda _: Latent(cutoff=4, noise_mode="random", noise_seed=9))
    desk.controls._tools.press("more")
    assert (desk.controls._cutoff.value, desk.controls._noise.value, desk.controls._noise_seed.value) == (
        4,
        "random",
        "9",
    )
    desk.controls._tools.press("more")
    assert "sw-away" in desk.controls._more._dom_classes and desk.latent.cutoff == 4


def test_a_seed_that_is_none_is_refused_beside_its_box() -> None:
    desk = Desk()
    desk.controls._seed.value = "seven"
    assert "whole number" in desk.controls.place.error and desk.controls._seed.value == "0"
    desk.controls._seed.value = "7"
    assert desk.controls.place.error == "" and desk.latent.seed == 7


def test_several_classes_at_once_are_told_by_their_weights_and_leave_the_menu_with_them() -> None:
    desk = Desk(classes=3)
    menu = desk.controls._label
    desk.change("", lambda latent: latent.replace(label=(0.5, 0.0, 0.5)))
    assert menu.label == "0 × 0.5, 2 × 0.5" and desk.latent.label == (0.5, 0.0, 0.5)
    desk.change("", lambda latent: latent.replace(label=(0.0, 0.0, 0.0)))
    assert menu.label == "none of the classes"
    menu.value = 0
    assert desk.latent.label == 0 and [option[1] for option in menu.options] == [None, 0, 1, 2]
