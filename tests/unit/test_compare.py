from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from stylewidgets.widgets.kit.controls.compare import HoldToCompare
from stylewidgets.widgets.kit.errors import reporting


def png(latent):
    if latent == "broken":
        raise ValueError("does not fit this generator")
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (len(latent), 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def make(current="first"):
    view, state = SimpleNamespace(compare=b"", error=""), SimpleNamespace(value=current)
    compare = HoldToCompare(png, view, lambda: state.value, lambda v: setattr(state, "value", v))
    return compare, view, state


def pixels(view):
    return np.asarray(Image.open(io.BytesIO(view.compare)))[0, 0, 0]


def test_the_first_value_is_the_start_and_its_picture_waits_in_the_view():
    compare, view, _ = make("first")
    assert compare.start == "first" and pixels(view) == 5


def test_set_start_takes_the_present_value():
    compare, view, state = make("first")
    state.value = "another"
    assert pixels(view) == 5
    compare.set_start()
    assert compare.start == "another" and pixels(view) == 7


def test_back_to_start_goes_there():
    compare, _, state = make("first")
    state.value = "another"
    compare.back_to_start()
    assert state.value == "first" and compare.start == "first"


def test_a_start_that_cannot_be_rendered_is_reported_and_the_old_one_stays():
    compare, view, state = make("first")
    state.value = "broken"
    with reporting(view):
        compare.set_start()
    assert "does not fit" in view.error and compare.start == "first" and pixels(view) == 5


def test_both_buttons_say_what_they_do():
    compare, _, _ = make()
    assert [(action.name, action.do) for action in compare.actions] == [
        ("back", compare.back_to_start),
        ("pin", compare.set_start),
    ]
    assert all(action.tip and action.icon for action in compare.actions)


def test_another_start_is_told():
    compare, _, _ = make()
    told = []
    compare.on_start = lambda: told.append(compare.start)
    compare.start = "other"
    assert told == ["other"]
