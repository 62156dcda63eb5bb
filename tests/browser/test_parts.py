"""The tool "Parts" in a real page: point, choose, take, drag; and the picture is that of the pure call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage, swipe

pytestmark = pytest.mark.slow

MAP = ".sw-part-map-canvas"
MACHINE = "explorer.tools['parts'].machine"
PURE = MACHINE + ".transfer(explorer.start, explorer.value.edits[-1].reference, {part!r}, {amount!r})"
PLACE = (
    "(lambda inside: [float(x + 0.5) / 32 for x in inside[len(inside) // 2]])"
    "(__import__('numpy').argwhere({machine}.mask(explorer.value, {part!r})))"
)
CLEAR = """(s) => { const c = document.querySelector(s), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return d.filter((value, k) => k % 4 === 3 && value).length; }"""


def opened(open_notebook: Callable[..., Notebook], width: int = 1280, **more: object) -> ExplorerPage:
    # At this size the canvas has a pixel for each of the generator's, so that nothing is enlarged on the way.
    cell = EXPLORER.format(source=None, options=", session.latent(seed=11, psi=0.7), size=128")
    page = ExplorerPage(open_notebook(cell, viewport={"width": width, "height": 1500}, **more))
    page.panel("Parts")
    page.page.locator(MAP).wait_for()
    page.until(lambda: len(page.page.locator(".sw-faces .stylewidgets-card").all()) >= 8, "faces are shown")
    page.rest()
    return page


def place_of(page: ExplorerPage, part: str) -> tuple[float, float]:
    """Where a part is in the page."""
    row, column = page.kernel.ask(PLACE.format(machine=MACHINE, part=part))
    box = page.page.locator(MAP).bounding_box()
    return box["x"] + column * box["width"], box["y"] + row * box["height"]


def painted(page: ExplorerPage) -> int:
    """Pixels of the sheet over the picture that are not clear."""
    return int(page.page.evaluate(CLEAR, MAP))


def faces(page: ExplorerPage, which: str) -> Any:
    return page.page.locator(
        f".sw-faces[aria-label='{which}'] .stylewidgets-card, .sw-faces [aria-label='{which}'] .stylewidgets-card"
    )


def test_a_part_is_lit_chosen_taken_and_dragged_and_the_picture_is_that_of_the_pure_call(
    open_notebook: Callable[..., Notebook], artifacts: Path
) -> None:
    page = opened(open_notebook)
    assert painted(page) == 0
    page.page.mouse.move(*place_of(page, "hair"))
    page.until(lambda: painted(page) > 200, "the part under the pointer is lit")
    assert page.page.locator(".sw-part-map-name").inner_text() == "hair"
    page.page.screenshot(path=artifacts / "parts-hover.png")
    page.page.mouse.click(*place_of(page, "hair"))
    chosen = page.page.locator(".stylewidgets-cards[aria-label='Parts of the picture'] [aria-checked=true]")
    page.until(lambda: "hair" in chosen.first.inner_text(), "the list follows the click")
    assert page.kernel.ask("explorer.tools['parts'].part") == "hair"
    page.until(lambda: faces(page, "Faces most alike in this part").count() == 8, "the nearest faces are shown")

    faces(page, "Random faces").nth(2).click()
    page.page.locator(".sw-row[data-key=hair]:visible").wait_for()
    page.rest()
    assert page.kernel.ask(f"explorer.value == {PURE.format(part='hair', amount=1.0)}")
    assert page.pixels() == page.wanted(PURE.format(part="hair", amount=1.0))
    page.page.locator(".sw-row[data-key=hair] .sw-row-picture").wait_for()

    handle = page.page.locator(".sw-row[data-key=hair] [role=slider]:visible")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    frames = {page.shot()}
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for step in range(1, 21):
        page.page.mouse.move(x - 4 * step, y)
        page.page.wait_for_timeout(40)
        frames.add(page.shot())
    page.until(lambda: frames.add(page.shot()) or len(frames) > 3, "the picture moves with the hand")
    page.page.mouse.up()
    page.rest()
    amount = page.kernel.ask("explorer.value.edits[-1].strength")
    assert 0 <= amount < 1
    assert page.pixels() == page.wanted(PURE.format(part="hair", amount=amount))
    page.page.screenshot(path=artifacts / "parts.png", full_page=True)

    def undone() -> bool:  # a hand that rests on a slow machine leaves several steps
        page.click("undo")
        page.rest()
        return bool(page.kernel.ask("explorer.value.edits[-1].strength") == 1.0)

    page.until(undone, "undo brings the whole part back")
    page.click("undo")
    page.rest()
    assert page.kernel.ask("list(explorer.value.edits) == []")
    assert page.pixels() == page.wanted("explorer.start")
    page.close()
    assert page.notebook.console == []


def test_fingers_choose_a_part_take_it_and_drag_it(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    page = opened(open_notebook, 900, has_touch=True)
    page.page.touchscreen.tap(*place_of(page, "hair"))
    page.until(lambda: page.kernel.ask("explorer.tools['parts'].part") == "hair", "a tap chooses the part")
    page.until(lambda: faces(page, "Faces most alike in this part").count() == 8, "the nearest faces are shown")
    faces(page, "Random faces").nth(2).tap()
    page.page.locator(".sw-row[data-key=hair]:visible").wait_for()
    page.rest()
    assert page.pixels() == page.wanted(PURE.format(part="hair", amount=1.0))
    handle = page.page.locator(".sw-row[data-key=hair] [role=slider]:visible")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe(page.page, (x, y), (x - 80, y))
    page.rest()
    amount = page.kernel.ask("explorer.value.edits[-1].strength")
    assert 0 <= amount < 1
    assert page.pixels() == page.wanted(PURE.format(part="hair", amount=amount))
    page.page.screenshot(path=artifacts / "parts-finger.png")
    page.close()
    assert page.notebook.console == []
