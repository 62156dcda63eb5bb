"""The map that one walks on, without a front end."""

from __future__ import annotations

import math
import threading

import pytest

from stylewidgets.widgets.latent_explorer.tools.seed_lattice import blend_at
from stylewidgets.widgets.latent_explorer.tools.seed_pad import SeedPad


def make_pad(**kwargs):
    seen = []
    return SeedPad(seen.append, **kwargs), seen


def page(pad, **message):
    """What a page says."""
    pad._receive(pad, message, [])


def test_a_new_pad_stands_on_its_seed_and_calls_nobody():
    pad, seen = make_pad(seed=7)
    assert pad.blend == ((7, 1.0),) and pad.words == "seed 7"
    assert seen == []


def test_walking_reports_every_place_and_every_blend_sums_to_one():
    pad, seen = make_pad(seed=7)
    for step in range(1, 11):
        page(pad, type="walk", x=step / 10, y=0.0)
    assert pad.position == (1.0, 0.0) and pad.words == "seed 8"
    assert seen[-1] == ((8, 1.0),) and len(set(seen)) == 10
    assert all(math.isclose(sum(weight for _, weight in blend), 1.0) for blend in seen)


def test_letting_go_where_it_is_calls_nobody():
    pad, seen = make_pad()
    page(pad, type="walk", x=0.5, y=0.25)
    page(pad, type="walk", x=0.5, y=0.25)
    assert len(seen) == 1


def test_a_place_that_was_overtaken_is_dropped_and_another_page_counts_anew():
    pad, seen = make_pad()
    page(pad, type="walk", page="a", number=4, x=1.0, y=0.0)
    page(pad, type="walk", page="a", number=3, x=0.5, y=0.0)
    assert pad.position == (1.0, 0.0) and len(seen) == 1
    page(pad, type="walk", page="b", number=0, x=0.25, y=0.0)
    assert pad.position == (0.25, 0.0)


def test_faces_are_asked_for_and_sent_by_seed():
    wanted, sent = [], []
    pad = SeedPad(lambda blend: None, faces=wanted.append)
    pad.send = lambda content, buffers=None: sent.append((content, buffers))
    page(pad, type="faces", seeds=[3, 1003])
    pad.face(3, b"picture")
    assert wanted == [[3, 1003]] and sent == [({"type": "face", "seed": 3}, [b"picture"])]


def test_nonsense_from_a_page_is_shown_and_moves_nothing():
    pad, seen = make_pad()
    page(pad, type="walk", x=float("nan"), y=0.0)
    assert "finite" in pad.error and pad.position == (0.0, 0.0) and seen == []


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


def test_a_position_that_is_not_finite_is_refused_and_nothing_moves():
    pad, seen = make_pad()
    with pytest.raises(ValueError, match="finite"):
        pad.move_to(float("nan"), 0)
    assert pad.position == (0.0, 0.0) and seen == []
