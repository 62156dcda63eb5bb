"""What a drag must survive: its own end, a reload, a second tab, a kernel that goes away. And rows without a mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Browser, Lab, Notebook

from .explorer_page import EXPLORER, ExplorerPage, make_generator

pytestmark = pytest.mark.slow

OpenNotebook = Callable[..., Notebook]


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("live"))


@pytest.fixture
def open_explorer(open_notebook: OpenNotebook, generator: Path) -> Iterator[Callable[..., ExplorerPage]]:
    opened: list[ExplorerPage] = []

    def open_one(**options: Any) -> ExplorerPage:
        cell = EXPLORER.format(source=str(generator), options="")
        opened.append(ExplorerPage(open_notebook(cell, **options)))
        return opened[-1]

    yield open_one
    for page in opened:
        page.close()


def grab(page: ExplorerPage, place: int = 0) -> tuple[float, float]:
    """Press the mouse on a handle and return where."""
    handle = page.slider(place)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    return x, y


def shown(page: Any, place: int = 0) -> float:
    """Where a slider stands in a page."""
    return float(page.locator(".stylewidgets-strength [role=slider]").nth(place).get_attribute("aria-valuenow"))


def strength(page: ExplorerPage, place: int = 0) -> float:
    return float(page.kernel.ask(f"explorer.value.edits[{place}].strength"))


def test_a_drag_ends_at_the_exact_picture_of_the_value_under_the_hand(open_explorer: Any) -> None:
    page = open_explorer()
    start = page.shot()
    x, y = grab(page)
    for step in range(60):
        page.page.mouse.move(x + 2 * step, y)
    page.until(lambda: page.shot() != start, "the picture moves with the hand")
    page.page.mouse.up()
    page.rest()
    assert strength(page) == shown(page.page) > 0.5
    alone = page.page.evaluate("() => document.querySelector('.stylewidgets-live').dataset.final")
    assert alone == "true" and not page.notebook.console
    assert page.kernel.ask("explorer.picture.latent == explorer.value and explorer.picture._frame.final")
    assert page.kernel.ask("len(explorer._history)") == 1, "one drag is one step"


def test_a_reload_in_the_middle_of_a_drag_shows_the_present_value(open_explorer: Any) -> None:
    page = open_explorer()
    page.notebook.save()
    x, y = grab(page)
    for step in range(40):
        page.page.mouse.move(x + 2 * step, y)
    page.until(lambda: strength(page) > 0.5, "the kernel hears of the drag")
    page.notebook.reload()
    page.page.mouse.up()
    page.page.locator(".stylewidgets-strength").first.wait_for()
    page.rest()
    assert shown(page.page) == strength(page) > 0.5
    assert page.kernel.ask("explorer.picture.latent == explorer.value and explorer.picture._frame.final")
    before = page.shot()
    page.press("ArrowLeft", 4)
    page.until(lambda: page.shot() != before, "it is live again")


def test_two_tabs_stay_in_step(open_explorer: Any, browser: Browser, lab: Lab) -> None:
    page = open_explorer()
    page.notebook.save()
    other = browser.notebook(lab, page.notebook.name, run=False)
    second = other.page
    second.locator(".stylewidgets-strength").first.wait_for()
    x, y = grab(page)
    for step in range(50):
        page.page.mouse.move(x + 2 * step, y)
    page.page.mouse.up()
    page.rest()
    page.until(lambda: shown(second) == strength(page) > 0.5, "the slider of the other tab follows")
    shot = "() => document.querySelector('.stylewidgets-canvas').toDataURL()"
    page.until(lambda: second.evaluate(shot) == page.shot(), "both tabs show one picture")
    handle = second.locator(".stylewidgets-strength [role=slider]").first
    handle.focus()
    second.keyboard.press("Home")
    page.until(lambda: shown(page.page) == -5.0 == strength(page), "and the other way round")
    other.close()


def test_a_kernel_that_was_restarted_is_said_with_what_to_do(open_explorer: Any, artifacts: Path) -> None:
    page = open_explorer()
    words = page.page.locator(".stylewidgets-gone")
    assert not words.is_visible()
    page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    words.wait_for(state="visible")
    assert "Run the cell again" in words.inner_text()
    page.page.screenshot(path=artifacts / "live-restarted.png")
    page.notebook.run_all()
    page.page.locator(".stylewidgets-gone").wait_for(state="hidden")


def test_a_row_does_everything_by_keys_with_one_tab_stop(open_explorer: Any) -> None:
    page = open_explorer()
    keys = page.page.keyboard
    stops = "() => document.querySelectorAll('.stylewidgets-strength [tabindex=\"0\"]').length"
    assert page.page.evaluate(stops) == 1
    page.slider(0).focus()
    keys.press("ArrowDown")
    focused = "() => document.activeElement.closest('.sw-row').dataset.key"
    name = page.kernel.ask("explorer.value.edits[1].name")
    assert page.page.evaluate(focused) == name
    for key in ("PageUp", "ArrowRight", "ArrowRight", "ArrowLeft"):
        keys.press(key)
    page.until(lambda: strength(page, 1) == 0.55, "steps of 1 and of 10")
    keys.press("Enter")
    keys.type("1,25")
    keys.press("Enter")
    page.until(lambda: strength(page, 1) == 1.25, "a number that is typed")
    assert page.page.evaluate(focused) == name
    keys.press("Delete")
    page.until(lambda: strength(page, 1) == 0.0, "reset")
    keys.press("F2")
    keys.press("Escape")
    keys.press("F2")
    page.page.locator(".sw-row-more select:visible").select_option("coarse")
    page.until(lambda: page.kernel.ask("explorer.value.edits[1].layers") is not None, "layers")
    page.page.locator(".sw-row-name:visible").fill("mine")
    keys.press("Enter")
    page.until(lambda: page.kernel.ask("explorer.value.edits[1].name") == "mine", "a new name")
    # JupyterLab has one-letter commands for the arrows, Enter, and Delete with nothing between
    assert page.page.locator(".jp-CodeCell").count() == 1


def test_a_finger_moves_a_row(open_explorer: Any) -> None:
    page = open_explorer(has_touch=True)
    box = page.slider(0).bounding_box()
    touch = page.page.context.new_cdp_session(page.page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    send = lambda kind, at: touch.send(  # noqa: E731
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at, "y": y}] if at else []}
    )
    send("touchStart", x)
    for step in range(1, 12):
        send("touchMove", x + 8 * step)
    send("touchEnd", None)
    page.rest()
    assert strength(page) == shown(page.page) > 0.5


def test_a_script_moves_and_links_the_rows(open_explorer: Any) -> None:
    page = open_explorer()
    assert page.kernel.ask("setattr(explorer.controls[explorer.value.edits[0].name], 'value', 2.0)") is None
    page.rest()
    assert shown(page.page) == strength(page) == 2.0
