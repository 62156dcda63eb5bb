"""The tool "Words" in a real page: type, press, move the row, and the picture is that of the pure call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage

pytestmark = pytest.mark.slow

PURE = (
    "explorer.start.with_edit(__import__('stylewidgets').editing.Words.load(session)"
    ".direction('a face', 'a face with red lips', name='with red lips'), {strength!r})"
)


def test_typed_words_draw_what_the_script_draws(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    # At this size the canvas has a pixel for each of the generator's, so that nothing is enlarged on the way.
    cell = EXPLORER.format(source=None, options=", size=128")
    page = ExplorerPage(open_notebook(cell, viewport={"width": 1280, "height": 1400}))
    page.panel("Words")
    field = page.page.locator(".sw-explorer").get_by_label("to", exact=True)
    field.fill("a face with red lips")
    field.press("Enter")
    page.page.get_by_text("red · lips").wait_for()
    page.click("apply")
    page.page.locator(".sw-row-label:visible", has_text="with red lips").first.wait_for()
    page.rest()
    assert page.kernel.ask(f"explorer.value == {PURE.format(strength=1.0)}")
    assert page.pixels() == page.wanted(PURE.format(strength=1.0))

    handle = page.page.locator(".stylewidgets-strength [role=slider]:visible").first
    handle.focus()
    for _ in range(10):
        handle.press("ArrowRight")
    page.rest()
    strength = page.kernel.ask("explorer.value.edits[-1].strength")
    assert strength > 1.2
    assert page.pixels() == page.wanted(PURE.format(strength=strength))
    page.page.screenshot(path=artifacts / "words.png")

    page.click("undo")
    page.rest()
    assert page.kernel.ask("explorer.value.edits[-1].strength") == 1.0
    page.close()
    assert page.notebook.console == []
