"""A tool of the explorer, written as a user writes one: without touching the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
import pytest

import stylewidgets as sw
from stylewidgets.widgets.latent_explorer.tools import tool as registry

from .test_widgets import make_session


class Mirror(sw.tools.Tool):
    """Turns every edit into its opposite, and notes what it is told."""

    name, title = "mirror", "Mirror"

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def fits(self, session: Any) -> str | None:
        return None if session.directions else "there are no directions"

    def panel(self, host: Any) -> widgets.Widget:
        self.button = widgets.Button(description="mirror")
        self.button.on_click(lambda _: host.change("mirror", self.mirrored))
        return self.button

    @staticmethod
    def mirrored(latent: Any) -> Any:
        for edit in latent.edits:
            latent = latent.with_edit(edit.direction, -edit.strength, edit.layers)
        return latent

    def overlay(self, host: Any) -> widgets.Widget:
        self.mark = widgets.HTML("<hr>")
        return self.mark

    def update(self, host: Any) -> None:
        self.heard.append(("update", host.value.seed))

    def opened(self, host: Any) -> None:
        self.heard.append("opened")

    def left(self, host: Any) -> None:
        self.heard.append("left")

    def rested(self, host: Any, latent: Any) -> None:
        self.heard.append(("rested", latent.seed))

    def stepped(self, host: Any, old: Any) -> None:
        self.heard.append(("stepped", old.seed))


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = dict(registry._TOOLS)
    yield
    registry._TOOLS.clear()
    registry._TOOLS.update(before)


def test_a_registered_tool_is_in_every_explorer_and_does_what_it_says() -> None:
    assert sw.tools.register(Mirror) is Mirror and "mirror" in sw.tools.available()
    explorer = sw.LatentExplorer(make_session())
    explorer.add_direction("a")
    tool = explorer.tools["mirror"]
    explorer.value = explorer.value.with_edit(explorer.directions["a"], 2.0)
    assert tool.heard == [("stepped", 0)], "nothing is built before somebody looks"
    explorer.open("mirror")
    assert tool.shown and tool.heard[1:] == [("update", 0), "opened"]
    tool.button.click()
    assert explorer.value.strength("a") == -2.0
    explorer.view.on_settle()
    assert tool.heard[-1] == ("rested", 0) and tool.mark.layout.display is None
    explorer.open("directions")
    assert not tool.shown and tool.heard[-1] == "left" and tool.mark.layout.display == "none"
    explorer.close()
    assert tool.button.comm is None and tool.mark.comm is None


def test_tools_are_chosen_by_name_or_class_in_this_order() -> None:
    explorer = sw.LatentExplorer(make_session(), tools=["save", Mirror, "walk"])
    assert list(explorer.tools) == ["save", "mirror", "walk"] and explorer.tools["save"].shown
    explorer.close()


@pytest.mark.parametrize(
    ("tools", "text"),
    [(["wlak"], "did you mean 'walk'"), (["transform"], "only StyleGAN3"), ([], "at least one tool")],
)
def test_tools_that_cannot_be_chosen_are_refused_in_words(tools: list[str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        sw.LatentExplorer(make_session(), tools=tools)


def test_an_explorer_opens_only_what_it_has() -> None:
    explorer = sw.LatentExplorer(make_session(), tools=["walk", "save"])
    with pytest.raises(ValueError, match="did you mean 'walk'"):
        explorer.open("wolk")
    explorer.close()


def test_what_is_no_tool_is_not_registered() -> None:
    with pytest.raises(TypeError, match=r"subclass of stylewidgets\.tools\.Tool"):
        sw.tools.register(widgets.Button)
    with pytest.raises(ValueError, match="needs a name"):
        sw.tools.register(type("Nameless", (sw.tools.Tool,), {}))


def test_a_tool_that_fails_says_so_in_its_place_and_leaves_the_rest_alone() -> None:
    class Broken(Mirror):
        name, title = "broken", "Broken"

        def panel(self, host: Any) -> widgets.Widget:
            raise RuntimeError("no brush")

    class Late(Mirror):
        name, title = "late", "Late"

        def update(self, host: Any) -> None:
            raise RuntimeError("no paint")

    explorer = sw.LatentExplorer(make_session(), tools=["walk", Broken, Late])
    explorer.open("broken")
    assert "opening Broken: RuntimeError: no brush" in explorer.view.error
    explorer.open("late")
    explorer.randomize()
    assert "Late: RuntimeError: no paint" in explorer.view.error and explorer.tools["walk"] is not None
    explorer.open("walk")
    assert explorer.tools["walk"].pad.blend == ((explorer.value.seed, 1.0),)
    explorer.close()


def test_two_tools_of_one_title_are_both_there() -> None:
    other = type("Other", (Mirror,), {"name": "other"})
    explorer = sw.LatentExplorer(make_session(), tools=[Mirror, other])
    for name in ("other", "mirror"):
        explorer.open(name)
        assert explorer.tools[name].shown and explorer.tools[name].button.comm is not None
    explorer.close()


def test_a_tool_that_cannot_say_whether_it_fits_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fits(self: Any, session: Any) -> str | None:
        raise RuntimeError("no ruler")

    monkeypatch.setitem(registry._TOOLS, "unsure", type("Unsure", (Mirror,), {"name": "unsure", "fits": fits}))
    with pytest.warns(RuntimeWarning, match="'unsure' is left out: RuntimeError: no ruler"):
        explorer = sw.LatentExplorer(make_session())
    assert "unsure" not in explorer.tools and "walk" in explorer.tools
    explorer.close()


def test_a_panel_that_is_no_widget_is_words_in_its_place() -> None:
    empty = type("Empty", (Mirror,), {"name": "empty", "title": "Empty", "panel": lambda self, host: None})
    explorer = sw.LatentExplorer(make_session(), tools=["walk", empty])
    explorer.open("empty")
    assert "opening Empty: its panel() returns a widget; NoneType came" in explorer.view.error
    explorer.close()


def test_the_first_tool_may_have_an_overlay() -> None:
    explorer = sw.LatentExplorer(make_session(), tools=[Mirror])
    assert explorer.tools["mirror"].mark.layout.display is None
    explorer.close()


def test_an_undo_that_is_refused_leaves_the_history_where_the_picture_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(value: Any) -> Any:
        raise ValueError("it fits no more")

    explorer = sw.LatentExplorer(make_session())
    before, after = explorer.value, explorer.value.replace(seed=9)
    explorer.value = after
    with monkeypatch.context() as patch:
        patch.setattr(explorer, "_checked", refuse)
        with pytest.raises(ValueError, match="fits no more"):
            explorer.undo()
    assert explorer.value == after and explorer.can_undo and not explorer.can_redo
    explorer.undo()
    assert explorer.value == before
    explorer.close()
