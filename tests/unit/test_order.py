"""A control that hears its page's messages in another order than they were sent."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import ipywidgets as widgets
import pytest

from stylewidgets.widgets.kit import order
from stylewidgets.widgets.kit.parts import listen


@pytest.fixture
def say(monkeypatch):
    """`say(slider, value, seconds, page)`: what a page sent at that second reaches the slider now."""
    parent = {}
    kernel = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setattr(order, "get_ipython", lambda: SimpleNamespace(kernel=kernel))
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

    def said(slider, value, seconds, page="one", kind="comm_msg"):
        parent["header"] = {"msg_type": kind, "session": page, "date": noon + timedelta(seconds=seconds)}
        slider.value = value

    return said


@pytest.fixture
def heard():
    return []


@pytest.fixture
def slider(heard):
    made = widgets.FloatSlider(min=-5, max=5)
    listen(made, heard.append)
    return made


def test_an_older_message_moves_neither_the_control_nor_what_it_controls(say, slider, heard):
    say(slider, 2.0, 10)
    say(slider, -1.0, 9)
    assert heard == [2.0]
    assert slider.value == 2.0
    say(slider, 3.0, 11)
    assert heard == [2.0, 3.0]


def test_pages_with_different_clocks_are_all_heard(say, slider, heard):
    say(slider, 2.0, 50, page="one")
    say(slider, 1.0, 10, page="other")
    assert heard == [2.0, 1.0]


def test_a_page_whose_clock_was_set_back_is_heard(say, slider, heard):
    say(slider, 2.0, 3600)
    say(slider, 1.0, 0)
    assert heard == [2.0, 1.0]


def test_a_cell_that_began_before_the_drag_is_heard(say, slider, heard):
    say(slider, 2.0, 10)
    say(slider, 1.0, 9, kind="execute_request")
    assert heard == [2.0, 1.0]


def test_a_newer_value_that_comes_while_an_older_one_is_applied_is_the_last(say, heard):
    slider = widgets.FloatSlider(min=-5, max=5)

    def slow(value):
        if value == 1.0:
            say(slider, 2.0, 11)  # another thread hears it, and is done first
            say(widgets.FloatSlider(), 0.5, 10)  # back to the message that this is about
        heard.append(value)

    listen(slider, slow)
    say(slider, 1.0, 10)
    assert heard == [2.0, 1.0, 2.0]
