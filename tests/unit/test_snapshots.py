from __future__ import annotations

from types import SimpleNamespace

import ipywidgets as widgets
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


def cards(strip):
    return strip.children[0].children


def tool(strip, name):
    return next(b for b in strip.children[1].children if isinstance(b, widgets.Button) and b.description == name)


def test_an_added_latent_appears_at_the_right_with_its_picture_and_caption():
    strip, _ = filled(3)
    assert seeds(strip) == [0, 1, 2]
    top, restore = cards(strip)[2].children
    picture = top.children[0]
    assert picture.value == PNG + b"2" and picture.format == "png"
    assert restore.description == "seed 2"


def test_the_button_of_a_picture_restores_its_latent():
    strip, restored = filled(3)
    cards(strip)[1].children[1].click()
    assert restored == [Latent(seed=1)] and strip.selected == 1


def test_the_cross_of_a_picture_deletes_it_and_closes_its_widgets():
    strip, restored = filled(3)
    card = cards(strip)[0]
    card.children[0].children[1].click()
    assert seeds(strip) == [1, 2] and restored == []
    assert card.comm is None


def test_the_oldest_picture_goes_beyond_the_limit():
    strip, _ = filled(7, limit=4)
    assert seeds(strip) == [3, 4, 5, 6] and len(cards(strip)) == 4


def test_a_history_shows_the_newest_first():
    strip, restored = filled(3, newest_first=True, movable=False, limit=2)
    assert seeds(strip) == [2, 1]
    strip.restore(1)
    assert restored == [Latent(seed=1)]


def test_the_marked_picture_can_be_moved_and_stops_at_the_ends():
    strip, _ = filled(3)
    tool(strip, "←").click()
    assert seeds(strip) == [0, 2, 1]
    tool(strip, "←").click()
    assert seeds(strip) == [2, 0, 1] and tool(strip, "←").disabled
    tool(strip, "←").click()
    assert seeds(strip) == [2, 0, 1]
    tool(strip, "→").click()
    assert seeds(strip) == [0, 2, 1]


def test_the_marked_picture_can_be_deleted_and_the_mark_goes_on():
    strip, _ = filled(3)
    strip.restore(1)
    tool(strip, "delete").click()
    assert seeds(strip) == [0, 2] and strip.selected == 1
    tool(strip, "clear").click()
    assert strip.items == () and strip.selected is None and tool(strip, "delete").disabled


def test_an_empty_strip_says_so():
    strip, _ = make(empty="nothing yet")
    assert "nothing yet" in strip.children[1].children[-1].value
    strip.add(Latent(seed=1))
    assert "nothing yet" not in strip.children[1].children[-1].value


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
    assert "no &lt;memory&gt;" in strip.children[1].children[-1].value


def test_every_button_has_words_for_a_screen_reader():
    strip, _ = filled(2)
    buttons = [b for card in cards(strip) for b in (card.children[1], card.children[0].children[1])]
    assert [b.tooltip for b in buttons] == [
        "restore picture 1: seed 0",
        "delete picture 1: seed 0",
        "restore picture 2: seed 1 (marked)",
        "delete picture 2: seed 1",
    ]


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
