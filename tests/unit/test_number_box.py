"""Numbers are typed as people write them, and none is changed without a word."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
import pytest
import traitlets

from stylewidgets.settings import Setting
from stylewidgets.widgets.kit.controls.form import Form
from stylewidgets.widgets.kit.controls.number import NumberBox, NumberText, read_number

STEPS = Setting("steps", 40, "passes", 2, 2000)
SECONDS = Setting("seconds", 2.0, "from one to the next", 0.1, 600)


def page_sends(box: NumberText, text: str) -> None:
    """What a text box of a page does when Enter is pressed."""
    box.set_state({"value": text})


def test_a_decimal_comma_is_a_decimal_point() -> None:
    assert [read_number(text) for text in ("1,5", "1.5", " 12 345 ", "-3", "1e-3")] == [1.5, 1.5, 12345, -3, 0.001]
    box = NumberBox(SECONDS)
    page_sends(box.box, "1,5")
    assert box.value == 1.5 and box.problem == ""


def test_what_is_no_number_is_left_as_it_was_typed() -> None:
    assert [read_number(text) for text in ("", "ten", "1,000.5", "nan", "inf")] == ["", "ten", "1,000.5", "nan", "inf"]


def test_the_last_good_number_stays_in_force_until_the_new_one_is_mended() -> None:
    heard: list[int] = []
    box = NumberBox(STEPS, on=heard.append)
    page_sends(box.box, "50")
    page_sends(box.box, "5000")
    assert box.value == 50 and box.box.value == 5000 and heard == [50]
    assert box.problem == "steps must be a whole number from 2 to 2000; 5000 was given; 50 stays in force"
    assert box.problem in box.children[1].value
    page_sends(box.box, "60")
    assert box.value == 60 and heard == [50, 60] and box.problem == "" and box.children == (box.box,)


@pytest.mark.parametrize("text", ["2.7", "2,7", "many", ""])
def test_a_whole_number_is_not_made_of_anything_else(text: str) -> None:
    box = NumberBox(STEPS)
    page_sends(box.box, text)
    assert box.value == 40 and "a whole number from 2 to 2000" in box.problem


def test_the_page_sees_the_number_that_its_text_was_read_as() -> None:
    box = NumberBox(SECONDS)
    page_sends(box.box, "0,8")
    assert box.box.get_state("value") == {"value": 0.8}


def test_the_note_is_a_widget_only_while_it_says_something() -> None:
    box = NumberBox(STEPS)
    box.box.value = 1
    note = box.children[1]
    box.box.value = 2
    assert isinstance(note, widgets.HTML) and note.comm is None


def test_a_script_is_refused_at_once() -> None:
    box = NumberBox(STEPS)
    box.value = np.int64(7)
    assert box.value == 7 and type(box.box.value) is int
    with pytest.raises(ValueError, match="from 2 to 2000; 1 was given"):
        box.value = 1
    with pytest.raises(traitlets.TraitError):
        box.box.value = [1]
    assert box.value == 7 and box.problem == ""


def test_a_form_takes_a_decimal_comma_and_cuts_nothing_off() -> None:
    form = Form([Setting("rate", 0.1, "size of a step", 0.0, 1.0), STEPS])
    page_sends(form.controls["rate"], "0,8")
    assert form.values == {"rate": 0.8, "steps": 40}
    page_sends(form.controls["steps"], "2.7")
    with pytest.raises(ValueError, match="steps must be a whole number from 2 to 2000; 2.7 was given"):
        _ = form.values
