"""The tool "Attributes" in a real page: rows say what the picture has; drag one, and the picture is that of the pure call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage

pytestmark = pytest.mark.slow

FLOW = "__import__('stylewidgets').editing.Flow.load(session)"
PURE = FLOW + ".edit(explorer.start, {wanted})"


def slider(page: ExplorerPage, key: str) -> Any:
    """The handle of an attribute's row."""
    return page.page.locator(f".sw-row[data-key={key}] [role=slider]:visible")


def shown(page: ExplorerPage, key: str) -> float:
    return float(slider(page, key).get_attribute("aria-valuenow"))


def test_a_dragged_row_draws_what_flow_edit_draws(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    page = ExplorerPage(
        open_notebook(EXPLORER.format(source=None, options=", size=128"), viewport={"width": 1280, "height": 1400})
    )
    page.panel("Attributes")
    slider(page, "yaw").wait_for()
    page.rest()
    before = page.kernel.ask(f"{FLOW}.attributes(explorer.start)")
    assert shown(page, "yaw") == pytest.approx(before["yaw"], abs=0.1)
    assert shown(page, "smile") == pytest.approx(before["smile"], abs=0.01)

    start, frames = page.shot(), set()
    handle = slider(page, "yaw")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    away = -1 if before["yaw"] > 0 else 1
    for step in range(1, 31):
        page.page.mouse.move(x + 2 * away * step, y)
        page.page.wait_for_timeout(40)
        frames.add(page.shot())
    page.until(lambda: frames.add(page.shot()) or len(frames - {start}) > 2, "the picture moves with the hand")
    page.page.mouse.up()
    page.rest()
    yaw = page.kernel.ask("explorer.value.edits[-1].controls")["yaw"]
    assert abs(yaw - before["yaw"]) > 8
    assert shown(page, "yaw") == pytest.approx(yaw, abs=1e-6)
    pure = PURE.format(wanted=f"yaw={yaw!r}")
    assert page.kernel.ask(f"explorer.value == {pure}")
    assert page.pixels() == page.wanted(pure)

    slider(page, "smile").focus()
    page.page.keyboard.press("End" if before["smile"] < 0 else "Home")
    page.rest()
    wanted = page.kernel.ask("explorer.value.edits[-1].controls")
    assert set(wanted) == {"yaw", "smile"} and abs(wanted["smile"]) == 1.0
    pure = PURE.format(wanted=f"**{wanted!r}")
    assert page.kernel.ask(f"explorer.value == {pure}")
    assert page.pixels() == page.wanted(pure)
    page.page.screenshot(path=artifacts / "attributes.png")

    page.click("undo")
    page.rest()
    assert page.kernel.ask("explorer.value.edits[-1].controls") == {"yaw": yaw}
    page.close()
    assert page.notebook.console == []
