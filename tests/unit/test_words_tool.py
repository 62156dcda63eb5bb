"""The tool "Words" of the explorer, used as a reader uses it: texts, buttons, rows, undo, code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets.editing import Words
from stylewidgets.editing.words.measuring import measure
from stylewidgets.latent.mapped import MapperEdit

from .test_words import make_session
from .words_encoder import Colours


@pytest.fixture(scope="module")
def words() -> Words:
    session = make_session()
    return Words(session, Colours(), measure(session, Colours(), faces=2, pictures=16, cached=False))


@pytest.fixture
def tool(words: Words) -> Any:
    explorer = sw.LatentExplorer(words.session, tools=("words",))
    found = explorer.tools["words"]
    found.target.value = "a red face"
    yield found
    explorer.close()


def test_the_same_texts_in_the_tool_and_in_a_script_give_the_same_picture(tool: Any, words: Words) -> None:
    start = tool.host.value
    tool.at_once.apply.click()
    tool.work.finish()
    wanted = start.with_edit(words.direction("a face", "a red face"), 1.0)
    assert tool.host.value == wanted
    assert np.array_equal(np.asarray(tool.host.image), words.session.image(wanted))


def test_a_result_is_a_row_and_one_step_of_undo(tool: Any) -> None:
    tool.at_once.apply.click()
    tool.work.finish()
    assert tool.rows.handles["a red face"].value == 1.0
    tool.host.undo()
    assert not tool.host.value.edits and "a red face" not in tool.rows.handles


def test_the_code_of_the_explorer_makes_the_same_latent(tool: Any) -> None:
    tool.at_once.beta.value = 0.5
    tool.at_once.apply.click()
    tool.work.finish()
    lines = tool.host.code().replace("sw.load()", "session")
    scope: dict[str, Any] = {"sw": sw, "session": tool.host.session}
    exec(lines[lines.index("latent = ") :], scope)  # noqa: S102  it is our own
    assert scope["latent"] == tool.host.value


def test_focus_says_how_many_channels_move_and_where(tool: Any, words: Words) -> None:
    found = words.relevance("a face", "a red face")
    assert tool.at_once.beta.value == pytest.approx(found.beta) and "(automatic)" in tool.at_once._count.value
    tool.at_once.beta.value = found.beta + 1e-9  # a page rounds in its own way
    assert "(automatic)" in tool.at_once._count.value and tool.at_once._automatic
    tool.at_once._where.click()
    tool.at_once.beta.value = 0.5
    places = found.places(0.5)
    assert f"{len(places)} of {len(found.values)} channels" in tool.at_once._count.value
    assert sorted(tool.at_once.map.marked) == sorted(map(int, places))
    tool.at_once.beta.max = 1.0
    tool.at_once.beta.value = 0.9999
    assert f"the largest relevance is {found.largest:.2f}" in tool.at_once._count.value and tool.at_once.apply.disabled


@pytest.mark.parametrize("text, said", [("xyzzy", "Nothing in it is understood"), ("", "Write what the face is to be")])
def test_texts_that_say_nothing_are_told_beside_them(tool: Any, text: str, said: str) -> None:
    tool.target.value = text
    assert said in tool._known.value and tool.at_once.apply.disabled and not tool.place.error


def test_a_suggestion_fills_both_texts_at_once(tool: Any) -> None:
    tool._chip("a blue face", "a green face").click()
    assert tool.texts == ("a blue face", "a green face") and "green" in tool._known.value


def test_the_optimiser_ends_as_a_row_that_draws_what_it_found(tool: Any, words: Words) -> None:
    start = tool.host.value
    tool.optimiser.steps.value = 6
    tool.optimiser.start.click()
    tool.work.finish()
    (edit,) = tool.host.value.edits
    assert edit.name == "a red face (optimised)" and edit.strength == 1.0
    result = words.optimise(start, "a red face", steps=6).finish()
    shown, found = (words.session.image(latent).astype(int) for latent in (tool.host.value, result.latent()))
    assert np.abs(shown - found).max() <= 1
    assert tool.host.picture.latent == tool.host.value


def test_a_mapper_trained_here_is_offered_and_applied(tool: Any) -> None:
    tool.mapper.fit(steps=4)
    tool.work.finish()
    assert tool.mapper.choice.value == "a red face"
    (edit,) = tool.host.value.edits
    assert isinstance(edit, MapperEdit) and tool.host.session.image(tool.host.value).any()


def test_found_faces_can_be_gone_to(tool: Any, words: Words) -> None:
    tool.finder.count.value = 5
    tool.finder._search.click()
    tool.work.finish()
    assert len(tool.finder.strip.items) == 5 and "best first" in tool.finder._note.value
    best = tool.finder.strip.items[0]
    tool.finder.strip.restore(0)
    assert tool.host.value == best
    tool.finder._rank.click()
    assert "no snapshots yet" in tool.place.error


def test_without_a_table_it_offers_to_measure_one(words: Words) -> None:
    session = make_session()
    mine = Words(session, Colours())
    explorer = sw.LatentExplorer(session, tools=("words",))
    tool: Any = explorer.tools["words"]
    assert tool.words is mine and "not measured yet" in tool.at_once._count.value
    tool.at_once.prepare()
    tool.work.finish()
    assert mine.table is not None and tool.at_once.apply.layout.display != "none"
    explorer.close()


def test_it_is_not_offered_where_no_encoder_knows_such_pictures() -> None:
    session = make_session()
    with pytest.raises(ValueError, match="knows avatars only"):
        sw.LatentExplorer(session, tools=("words",))
    assert "words" not in sw.LatentExplorer(session).tools
