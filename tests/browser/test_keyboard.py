"""A whole edit without a mouse, and a walk with a finger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage, make_generator

pytestmark = pytest.mark.slow

MOST_STOPS = 30
"""Tab stops between two parts of an explorer; it had 51 before rows, tabs and toolbars were one stop each."""


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("generator"))


@pytest.fixture
def explore(open_notebook: Callable[..., Notebook], generator: Path) -> Iterator[Callable[..., ExplorerPage]]:
    opened: list[ExplorerPage] = []

    def explore_one(**options: Any) -> ExplorerPage:
        cell = EXPLORER.format(source=str(generator), options=", value=session.latent(seed=4)")
        opened.append(ExplorerPage(open_notebook(cell, **options)))
        return opened[-1]

    yield explore_one
    for page in opened:
        page.close()
        assert page.notebook.console == []


def tab_to(page: Any, selector: str, key: str = "Tab", text: str = "") -> None:
    """Press Tab until what matches, and says that, has the focus."""
    seen = []
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        if page.evaluate(
            "([selector, text]) => document.activeElement.matches(selector) && document.activeElement.innerText.includes(text)",
            [selector, text],
        ):
            return
        seen.append(page.evaluate("() => document.activeElement.outerHTML.slice(0, 120)"))
    raise AssertionError(f"no {selector} within {MOST_STOPS} tab stops: {seen}")


def test_a_direction_is_added_moved_kept_and_taken_back_by_keys_alone(
    explore: Callable[..., ExplorerPage], artifacts: Path
) -> None:
    explorer = explore(viewport={"width": 1280, "height": 1400})
    page, ask = explorer.page, explorer.kernel.ask
    edits = ask("len(explorer.value.edits)")
    explorer.canvas.first.focus()
    tab_to(page, "[role=tab][aria-selected=true]")
    tab_to(page, "button", text="add a direction")
    page.keyboard.press("Enter")
    page.locator(".sw-gallery summary").first.wait_for()
    tab_to(page, "summary, .sw-gallery-add")
    if not page.locator(".sw-gallery-add:visible").count():  # its group is folded
        page.keyboard.press("Enter")
    tab_to(page, ".sw-gallery-add")
    page.keyboard.press("ArrowRight")
    name = page.evaluate("() => document.activeElement.dataset.name")
    page.keyboard.press("Enter")
    explorer.until(lambda: ask("len(explorer.value.edits)") == edits + 1, "the direction is added")
    assert ask("explorer.value.edits[-1].direction.name") == name

    tab_to(page, ".stylewidgets-strength [role=slider]", "Shift+Tab")
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith(name)
    before = ask("explorer.value.edits[-1].strength")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    explorer.rest()
    moved = ask("explorer.value.edits[-1].strength")
    assert moved > before
    assert explorer.pixels()[1] == explorer.wanted()[1] or explorer.pixels()[0] != explorer.wanted()[0]
    page.screenshot(path=artifacts / "explorer-keyboard.png")

    tab_to(page, ".stylewidgets-canvas", "Shift+Tab")
    page.keyboard.press("s")
    explorer.until(lambda: ask("len(explorer.snapshots)") == 1, "the state is kept")
    page.keyboard.press("z")
    explorer.until(lambda: ask("explorer.value.edits[-1].strength") != moved, "the move is undone")


def test_a_finger_walks_on_the_map(explore: Callable[..., ExplorerPage], artifacts: Path) -> None:
    explorer = explore(has_touch=True, viewport={"width": 1280, "height": 1400})
    page = explorer.page
    explorer.panel("Walk")
    pad = page.locator(".sw-explorer .sw-map")
    pad.wait_for()
    pad.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    before, box = explorer.kernel.ask("repr(explorer.value)"), pad.bounding_box()
    touch = page.context.new_cdp_session(page)
    at = lambda t: [{"x": box["x"] + (0.5 + 0.3 * t) * box["width"], "y": box["y"] + (0.5 + 0.2 * t) * box["height"]}]  # noqa: E731
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at(0)})
    for step in range(1, 9):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": at(step / 8)})
        page.wait_for_timeout(50)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    explorer.rest()
    assert explorer.kernel.ask("repr(explorer.value)") != before
    assert explorer.kernel.ask("explorer.value.seed is None")  # between seeds
    page.screenshot(path=artifacts / "explorer-touch-walk.png")
