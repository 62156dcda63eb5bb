from __future__ import annotations

from types import SimpleNamespace

import pytest

from stylewidgets.latent.caption import caption
from stylewidgets.latent.latent import Latent
from stylewidgets.widgets.kit.controls.snapshots import SnapshotStrip

PNG = b"\x89PNG\r\n"


def make(**kwargs):
    restored = []
    return SnapshotStrip(lambda latent: PNG + str(latent.seed).encode(), restored.append, **kwargs), restored


def filled(count, **kwargs):
    strip, restored = make(**kwargs)
    for n in range(count):
        strip.add(Latent(seed=n))
    return strip, restored


def seeds(strip):
    return [latent.seed for latent in strip.items]


def page(strip, **message):
    """What a page says."""
    strip._receive(strip, message, [])


def test_an_added_latent_appears_at_the_right_with_its_picture_and_caption():
    strip, _ = filled(3)
    assert seeds(strip) == [0, 1, 2]
    assert strip.pictures[2] == PNG + b"2" and strip.cards[2] == "seed 2" and strip.marked == 2


def test_a_picture_that_is_pressed_restores_its_latent():
    strip, restored = filled(3)
    page(strip, type="pick", place=1)
    assert restored == [Latent(seed=1)] and strip.selected == strip.marked == 1


def test_the_cross_of_a_picture_deletes_it():
    strip, restored = filled(3)
    page(strip, type="delete", place=0)
    assert seeds(strip) == [1, 2] and restored == [] and strip.cards == ["seed 1", "seed 2"]


def test_the_oldest_picture_goes_beyond_the_limit():
    strip, _ = filled(7, limit=4)
    assert seeds(strip) == [3, 4, 5, 6] and len(strip.cards) == 4


def test_a_history_shows_the_newest_first():
    strip, restored = filled(3, newest_first=True, movable=False, limit=2)
    assert seeds(strip) == [2, 1]
    strip.restore(1)
    assert restored == [Latent(seed=1)]


def test_a_picture_can_be_moved_and_stops_at_the_ends():
    strip, _ = filled(3)
    page(strip, type="move", place=2, to=1)
    assert seeds(strip) == [0, 2, 1] and strip.selected == 1
    page(strip, type="move", place=1, to=-7)
    assert seeds(strip) == [2, 0, 1] and strip.selected == 0
    page(strip, type="move", place=0, to=9)
    assert seeds(strip) == [0, 1, 2]
    fixed, _ = filled(3, movable=False, newest_first=True)
    page(fixed, type="move", place=0, to=1)
    assert seeds(fixed) == [2, 1, 0]


def test_the_mark_goes_on_when_its_picture_is_deleted():
    strip, _ = filled(3)
    strip.restore(1)
    page(strip, type="delete", place=1)
    assert seeds(strip) == [0, 2] and strip.selected == 1
    page(strip, type="clear")
    assert strip.items == () and strip.selected is None and strip.marked == -1


def test_an_empty_strip_says_so_and_offers_what_fills_it():
    kept = []
    strip, _ = make(empty="nothing yet", keep=lambda: kept.append(1))
    assert strip.empty == "nothing yet" and strip.action
    page(strip, type="action")
    assert kept == [1]


def test_removing_beyond_the_end_says_how_many_there_are():
    strip, _ = filled(2)
    with pytest.raises(IndexError, match="2 pictures"):
        strip.remove(5)
    strip.remove(-1)
    assert seeds(strip) == [0]


def test_a_thumbnail_that_fails_keeps_the_item_and_shows_the_reason():
    def fails(latent):
        raise RuntimeError("no <memory>")

    strip = SnapshotStrip(fails, lambda latent: None)
    strip.add(Latent(seed=3))
    assert seeds(strip) == [3]
    assert "no <memory>" in strip.problem and strip.pictures == [b""]


def test_a_strip_without_room_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        make(limit=0)


def test_captions_name_the_source_and_count_the_edits():
    def like(**kwargs):
        return SimpleNamespace(**{"seed": None, "blend": (), "code": None, "edits": (), **kwargs})

    assert caption(like(seed=7)) == "seed 7"
    assert (
        caption(like(seed=7, edits=(SimpleNamespace(strength=2.0), SimpleNamespace(strength=0.0)))) == "seed 7 · 1 edit"
    )
    assert caption(like(blend=((7, 0.2), (8, 0.8)))) == "seeds 8, 7"
    assert caption(like(blend=((7, 0.2), (8, 0.5), (9, 0.3)))) == "seeds 8, 9 …"
    assert caption(like(code=object())) == "code"
