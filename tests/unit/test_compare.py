from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from stylewidgets.widgets.kit.controls.compare import HoldToCompare


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
    compare.buttons[0].click()
    assert compare.start == "another" and pixels(view) == 7


def test_back_to_start_goes_there():
    compare, _, state = make("first")
    state.value = "another"
    compare.buttons[1].click()
    assert state.value == "first" and compare.start == "first"


def test_a_start_that_cannot_be_rendered_is_reported_and_the_old_one_stays():
    compare, view, state = make("first")
    state.value = "broken"
    compare.buttons[0].click()
    assert "does not fit" in view.error and compare.start == "first" and pixels(view) == 5


def test_both_buttons_say_what_they_do():
    compare, _, _ = make()
    assert [b.description for b in compare.buttons] == ["set start", "back to start"]
    assert all(b.tooltip for b in compare.buttons)
