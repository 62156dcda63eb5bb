"""The parts that panels are made of: tabs, toolbars, the glossary, places for messages, and the tokens of the theme."""

from __future__ import annotations

import re
from pathlib import Path

import ipywidgets as widgets
import pytest

from stylewidgets.widgets.kit import glossary
from stylewidgets.widgets.kit.parts import ErrorPlace, button, card, close_tree, control, dot, empty, heading
from stylewidgets.widgets.kit.tabs import AWAY, Tabs
from stylewidgets.widgets.kit.views import esm
from stylewidgets.widgets.kit.views.toolbar import Action, Toolbar

VIEWS = Path(esm.__file__).parent


def make_tabs(**options: object) -> tuple[Tabs, list[str]]:
    made: list[str] = []

    def panel(name: str) -> widgets.HTML:
        made.append(name)
        return widgets.HTML(name)

    return Tabs({name: lambda name=name: panel(name) for name in "abc"}, **options), made


def test_a_panel_is_made_when_its_tab_is_first_chosen_and_stays_in_the_page() -> None:
    shown: list[str] = []
    tabs, made = make_tabs(on_show=shown.append)
    assert made == ["a"] and tabs.shown("a").value == "a" and tabs.made("b") is None
    tabs.selected = "b"
    first, second = tabs._body.children
    assert made == ["a", "b"] and shown == ["b"]
    assert AWAY in first._dom_classes and AWAY not in second._dom_classes
    tabs.selected = "a"
    assert made == ["a", "b"] and tabs._body.children == (first, second)
    assert AWAY not in first._dom_classes and AWAY in second._dom_classes
    close_tree(tabs)
    assert first.comm is None and second.comm is None


def test_what_the_page_chooses_is_shown_and_a_name_that_is_none_is_not() -> None:
    tabs, made = make_tabs(rare=("c", "nowhere"))
    assert tabs._bar.rare == ["c"]
    tabs._bar.set_state({"selected": "c"})
    assert tabs.selected == "c" and made == ["a", "c"]
    tabs._bar.set_state({"selected": "z"})
    assert made == ["a", "c"]
    with pytest.raises(KeyError):
        tabs.selected = "z"


def test_a_toolbar_does_what_is_pressed_and_shows_what_that_raises() -> None:
    pressed, place = [], ErrorPlace()

    def fail() -> None:
        raise ValueError("there is no more")

    bar = Toolbar(
        [Action("undo", "one step back", lambda: pressed.append("undo"), icon="undo"), Action("more", "more", fail)],
        place,
    )
    bar._receive(bar, {"type": "press", "name": "undo"}, [])
    assert pressed == ["undo"] and place.error == ""
    bar.press("more")
    assert place.error == "there is no more" and 'role="alert"' in place.value
    bar.press("undo")
    assert place.error == "" and place.value == ""
    bar.update(undo=True)
    assert [item["disabled"] for item in bar.items] == [True, False]


def test_every_icon_that_is_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r"^\.sw-icon-([a-z]+) ", (VIEWS / "icons.css").read_text(), re.MULTILINE))
    asked = {
        name
        for file in VIEWS.parents[1].rglob("*.py")
        for name in re.findall(r'icon="([a-z]+)"', file.read_text(encoding="utf-8"))
    }
    assert asked <= drawn, asked - drawn
    made = button("", "one step back", lambda: None, icon="undo", primary=True)
    assert {"sw-icon", "sw-icon-undo", "sw-primary"} <= set(made._dom_classes) and made.tooltip == "one step back"


def test_style_sheets_use_tokens_that_there_are() -> None:
    known = set(re.findall(r"(--sw-[a-z0-9-]+):", (VIEWS / "theme.css").read_text())) | {"--sw-icon"}
    for file in VIEWS.glob("*.css"):
        used = set(re.findall(r"var\((--sw-[a-z0-9-]+)", file.read_text()))
        own = set(re.findall(r"(--sw-[a-z0-9-]+):", file.read_text()))
        assert used <= known | own, (file.name, used - known - own)


def test_the_glossary_explains_what_it_is_asked_for_and_refuses_the_rest() -> None:
    html = glossary.help_button("seed", "ψ")
    assert html.startswith("<details") and html.count("<dt>") == 2 and "number that a face grows from" in html
    with pytest.raises(ValueError, match="did you mean 'seed'"):
        glossary.help_button("seeds")
    assert all(0 < len(meaning) < 200 for meaning in glossary.words().values())


def test_the_parts_say_what_they_are_and_escape_what_they_are_given() -> None:
    assert "sw-card" in card(widgets.HTML(), title="Layers", words=("layers",))._dom_classes
    assert "sw-empty" in empty("No snapshot yet.", control(widgets.Button))._dom_classes
    assert (
        "&lt;b&gt;" in heading("<b>").value
        and "&lt;b&gt;" in dot("busy", "<b>")
        and 'data-state="busy"' in dot("busy", "")
    )
