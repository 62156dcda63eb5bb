from __future__ import annotations

import math
import threading

import ipywidgets as widgets
import pytest

from stylewidgets.widgets.kit.views.canvas import drawing
from stylewidgets.widgets.latent_explorer.tools.seed_lattice import blend_at
from stylewidgets.widgets.latent_explorer.tools.seed_pad import SeedPad

MIDDLE = (300, 220)  # of a pad of 300 x 220, in canvas pixels (drawn at twice the size)
CELL = 120


def make_pad(**kwargs):
    seen = []
    return SeedPad(seen.append, **kwargs), seen


def controls(pad, kind):
    found = []

    def walk(widget):
        if isinstance(widget, kind):
            found.append(widget)
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(pad)
    return found


def sent_commands(monkeypatch):
    from ipycanvas.canvas import _CANVAS_MANAGER

    messages = []
    monkeypatch.setattr(_CANVAS_MANAGER, "_send_custom", lambda command, buffers=(): messages.append(command))
    return messages


def test_a_new_pad_stands_on_its_seed_and_calls_nobody():
    pad, seen = make_pad(seed=7)
    assert pad.blend == ((7, 1.0),)
    assert seen == []


def test_dragging_walks_and_every_blend_sums_to_one():
    pad, seen = make_pad(seed=7)
    pad._on_down(*MIDDLE)
    for step in range(1, 11):
        pad._on_move(MIDDLE[0] + 12 * step, MIDDLE[1])
    pad._on_up()
    assert pad.position == (1.0, 0.0)
    assert seen[-1] == ((8, 1.0),)
    assert len(set(seen)) >= 10
    assert all(math.isclose(sum(weight for _, weight in blend), 1.0) for blend in seen)


def test_moving_without_pressing_does_nothing():
    pad, seen = make_pad()
    pad._on_move(10, 10)
    assert pad.position == (0.0, 0.0) and seen == []


def test_leaving_the_pad_ends_the_drag():
    pad, _ = make_pad()
    pad._on_down(*MIDDLE)
    pad._on_move(MIDDLE[0] + 50, MIDDLE[1])
    pad.children[0][1]._mouse_out_callbacks(MIDDLE[0] + 60, MIDDLE[1])
    position = pad.position
    pad._on_move(10, 10)
    assert pad.position == position


def test_touch_walks_like_the_mouse():
    pad, seen = make_pad(seed=3)
    canvas = pad.children[0][1]
    canvas._touch_start_callbacks([MIDDLE])
    canvas._touch_move_callbacks([(MIDDLE[0], MIDDLE[1] + CELL)])
    canvas._touch_end_callbacks([])
    assert pad.position == (0.0, 1.0)
    assert seen[-1] == ((1003, 1.0),)


def test_the_map_follows_after_the_pointer_is_lifted_so_that_the_walk_can_go_on():
    pad, _ = make_pad()
    for _ in range(3):
        pad._on_down(*MIDDLE)
        pad._on_move(MIDDLE[0] + 2 * CELL, MIDDLE[1])
        pad._on_up()
    assert pad.position == (6.0, 0.0)


def test_number_boxes_arrow_buttons_and_centre_are_the_keyboard_path():
    pad, seen = make_pad(seed=1)
    x, y = controls(pad, widgets.BoundedFloatText)
    assert x.description and y.description
    x.value = 2.5
    assert pad.position == (2.5, 0.0) and seen[-1] == blend_at(2.5, 0.0, 1)
    by_name = {b.description: b for b in controls(pad, widgets.Button)}
    by_name["↓"].click()
    assert pad.position == (2.5, 0.25) and y.value == 0.25
    by_name["centre"].click()
    assert pad.position == (0.0, 0.0) and seen[-1] == ((1, 1.0),)
    assert all(b.tooltip for b in by_name.values())


def test_arrow_keys_on_the_pad_walk():
    pad, _ = make_pad()
    pad.children[0][1]._key_down_callbacks("ArrowRight", True, False, False)
    assert pad.position == (1.0, 0.0)


def test_the_tab_key_leaves_the_pad_every_time_without_walking():
    pad, seen = make_pad()
    classes = []
    for _ in range(3):
        pad.children[0][1]._key_down_callbacks("Tab", False, False, False)
        classes.append(pad.children[0]._dom_classes)
    assert seen == [] and classes == [("sw-leave-a",), ("sw-leave-b",), ("sw-leave-a",)]


def test_one_change_of_a_box_makes_one_call():
    pad, seen = make_pad()
    controls(pad, widgets.BoundedFloatText)[0].value = 1.5
    assert len(seen) == 1


def test_assigning_the_seed_moves_home_without_a_call():
    pad, seen = make_pad(seed=1)
    pad.move_to(2, 2)
    seen.clear()
    pad.seed = 50
    assert pad.position == (0.0, 0.0) and pad.blend == ((50, 1.0),) and seen == []


def test_a_blend_from_the_history_is_shown_without_a_call():
    pad, seen = make_pad(seed=9)
    assert pad.show_blend(blend_at(1.25, -0.5, 9))
    assert pad.position == (1.25, -0.5) and seen == []
    assert not pad.show_blend(((3, 0.5), (90, 0.5)))


def test_newest_position_wins_while_a_slow_callback_runs():
    seen, started, go_on = [], threading.Event(), threading.Event()

    def slow(blend):
        seen.append(blend)
        started.set()
        assert go_on.wait(10)

    pad = SeedPad(slow)
    worker = threading.Thread(target=pad.move_to, args=(1, 0))
    worker.start()
    assert started.wait(10)
    for x in range(2, 50):
        pad.move_to(x, 0)  # returns at once: another thread is delivering
    go_on.set()
    worker.join(10)
    assert seen == [((1, 1.0),), ((49, 1.0),)]


def test_a_callback_that_fails_does_not_silence_the_pad():
    calls = []

    def fails_once(blend):
        calls.append(blend)
        if len(calls) == 1:
            raise RuntimeError("no")

    pad = SeedPad(fails_once)
    with pytest.raises(RuntimeError):
        pad.move_to(1, 0)
    pad.move_to(2, 0)
    assert calls[-1] == ((2, 1.0),)


def test_a_drag_step_is_one_message_that_names_its_canvas(monkeypatch):
    pad, _ = make_pad()
    messages = sent_commands(monkeypatch)
    pad._on_down(MIDDLE[0] + 30, MIDDLE[1])
    assert len(messages) == 1
    from ipycanvas.canvas import COMMANDS

    assert messages[0][0][0] == COMMANDS["switchCanvas"]


def test_everything_is_drawn_again_when_a_page_is_loaded(monkeypatch):
    pad, _ = make_pad()
    messages = sent_commands(monkeypatch)
    pad.children[0][1]._client_ready_callbacks()
    assert len(messages) == 1 and len(messages[0]) > 50


def test_a_failure_while_drawing_leaves_other_canvases_alive(monkeypatch):
    from ipycanvas import Canvas

    canvas = Canvas(width=10, height=10)
    messages = sent_commands(monkeypatch)
    with pytest.raises(RuntimeError), drawing():
        raise RuntimeError("in the block")
    canvas.fill_rect(0, 0, 5, 5)
    assert messages


def test_a_position_that_is_not_finite_is_refused_and_nothing_moves():
    pad, seen = make_pad()
    with pytest.raises(ValueError, match="finite"):
        pad.move_to(float("nan"), 0)
    assert pad.position == (0.0, 0.0) and seen == []
