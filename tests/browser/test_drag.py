"""The tool "Drag" in a real page: click points, paint, drag, stop, undo, scrub; the picture is that of the pure call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage, swipe

pytestmark = pytest.mark.slow

# At this size the canvas has a pixel for each of the generator's, so that nothing is enlarged on the way.
CELLS = EXPLORER.format(source=None, options=", size=128"), "tool = explorer.tools['drag']"
PURE = (
    "__import__('stylewidgets').jobs.run(__import__('stylewidgets').editing.drag(session, explorer.start, {handles}, "
    "{targets}, {mask}, steps={steps})).latent()"
)


class DragPage(ExplorerPage):
    """What a person does with points on the picture."""

    def __init__(self, notebook: Notebook) -> None:
        super().__init__(notebook)
        self.panel("Drag")
        self.sheet = self.page.locator(".stylewidgets-points-sheet:visible")
        self.sheet.wait_for()

    def at(self, row: float, column: float) -> tuple[float, float]:
        """The place in the page of a pixel of the picture."""
        self.sheet.scroll_into_view_if_needed()
        box = self.sheet.bounding_box()
        return box["x"] + (column + 0.5) / 128 * box["width"], box["y"] + (row + 0.5) / 128 * box["height"]

    def tap(self, row: float, column: float) -> None:
        """Click on a pixel of the picture."""
        self.page.mouse.click(*self.at(row, column))

    def stroke(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at one pixel and let go at another."""
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=6)
        self.page.mouse.up()

    def steps(self, n: int) -> None:
        """Say how many steps there are at most."""
        field = self.page.locator(".sw-explorer").get_by_label("steps", exact=True)
        field.fill(str(n))
        field.press("Enter")
        self.until(lambda: self.kernel.ask("tool.form.values['steps']") == n, "the number of steps arrives")

    def points(self) -> Any:
        """Handles and targets, by the kernel's account."""
        return self.kernel.ask("[tool.sheet.handles.tolist(), tool.sheet.targets.tolist()]")

    def idle(self) -> None:
        """Wait until the drag has begun and ended."""
        self.until(lambda: self.kernel.ask("tool.run is not None"), "the drag begins")
        self.until(lambda: not self.kernel.ask("tool.work.busy()"), "the drag ends")
        self.rest()


@pytest.fixture
def page(open_notebook: Callable[..., Notebook]) -> Iterator[DragPage]:
    made = DragPage(open_notebook(*CELLS, viewport={"width": 1280, "height": 1500}))
    yield made
    made.close()
    assert made.notebook.console == [], made.notebook.console


def test_clicked_points_are_dragged_as_a_script_drags_them_and_the_way_is_scrubbed_and_undone(
    page: DragPage, artifacts: Path
) -> None:
    assert page.sheet.bounding_box() == page.canvas.bounding_box(), "the sheet lies on the picture and nowhere else"
    page.tap(64, 60)
    page.tap(64, 72)
    page.stroke((90, 50), (84, 50))
    page.until(lambda: len(page.points()[0]) == 2, "two points are set")
    handles, targets = page.points()
    assert handles == [[64, 60], [90, 50]] and targets == [[64, 72], [84, 50]]
    page.steps(5)
    page.click("drag")
    page.idle()
    page.page.screenshot(path=artifacts / "drag.png")
    pure = PURE.format(handles=handles, targets=targets, mask=None, steps=5)
    assert page.kernel.ask(f"explorer.value == {pure}")
    assert page.pixels() == page.wanted(pure)

    mark = page.page.get_by_role("slider", name="where in the film the picture is")
    mark.focus()
    page.until(lambda: mark.get_attribute("aria-valuetext") == "0.5 of 0.5 seconds", "the mark is at the end")
    mark.press("ArrowLeft")
    page.until(lambda: page.kernel.ask("tool.way.step") == 4, "one step back")
    page.rest()
    assert page.pixels() == page.wanted("tool.run.result().latent(4)")
    page.click("undo")
    page.rest()
    assert page.pixels() == page.wanted(pure)
    page.click("undo")
    page.rest()
    assert page.kernel.ask("explorer.value == explorer.start") and page.pixels() == page.wanted("explorer.start")
    assert page.points()[0] == handles, "the points go back with the picture"


def test_a_painted_mask_holds_and_a_drag_is_paused_stopped_and_gone_on_with(page: DragPage, artifacts: Path) -> None:
    page.stroke((64, 60), (64, 76))
    page.click("paint a mask")
    page.page.locator(".stylewidgets-brush-over:not(.stylewidgets-brush-idle)").wait_for()
    page.stroke((70, 30), (110, 30))  # below the tools of the brush
    page.stroke((70, 80), (110, 80))
    page.page.screenshot(path=artifacts / "drag-painting.png")
    page.click("paint a mask")
    page.page.get_by_text("of the picture may move").wait_for()
    page.kernel.ask("tool.form.set({'steps': 5000, 'near': 0.0, 'patience': 0})")  # it does not end by itself
    page.click("drag")
    page.until(lambda: page.kernel.ask("tool.run is not None and tool.run.step >= 3"), "three steps are done")
    page.page.screenshot(path=artifacts / "drag-running.png")
    page.click("pause")
    page.until(lambda: page.kernel.ask("tool.run.status") == "paused", "it stands still")
    step = page.kernel.ask("tool.run.step")
    assert page.kernel.ask("explorer.value == explorer.start"), "nothing is decided yet"
    page.click("stop")
    page.idle()
    assert page.kernel.ask("explorer.value == tool.run.latent()") and page.kernel.ask("tool.run.step") == step
    mask = "tool.points.mask"
    handles, targets = page.kernel.ask("[tool.run.handles.tolist(), tool.run.targets.tolist()]")
    pure = PURE.format(handles=handles, targets=targets, mask=mask, steps=f"{step}, near=0.0, patience=0")
    assert page.kernel.ask(f"float({mask}.mean())") < 0.9 and page.pixels() == page.wanted(pure)
    page.click("go on")
    page.until(lambda: page.kernel.ask("tool.run.step") > step, "it goes on")
    page.click("stop")
    page.idle()
    assert page.kernel.ask("explorer.value == tool.run.latent()")
    page.page.screenshot(path=artifacts / "drag-mask.png")


def test_keys_set_move_and_remove_points(page: DragPage) -> None:
    page.sheet.focus()
    for key in ("Space", "Shift+ArrowLeft", "ArrowUp", "Space", "ArrowRight", "ArrowRight"):
        page.page.keyboard.press(key)
    page.until(lambda: page.points() == [[[63, 56]], [[63, 58]]], "a point by keys")
    page.page.keyboard.press("n")
    page.page.keyboard.press("ArrowDown")
    page.until(lambda: page.points() == [[[64, 56]], [[63, 58]]], "the other end is moved")
    page.click("mirror")
    page.until(lambda: page.points()[0] == [[64, 56], [64, 71]], "its mirror image")
    page.sheet.focus()
    page.page.keyboard.press("Delete")
    page.until(lambda: page.points()[0] == [[64, 71]], "it is gone")


def test_a_finger_draws_an_arrow(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    made = DragPage(open_notebook(*CELLS, viewport={"width": 900, "height": 1500}, has_touch=True))
    swipe(made.page, made.at(70, 50), made.at(60, 80))
    handles, targets = made.until(lambda: len(made.points()[0]) and made.points(), "a point is set")
    assert abs(handles[0][0] - 70) <= 1 and abs(targets[0][1] - 80) <= 1
    made.page.screenshot(path=artifacts / "drag-finger.png")
    made.close()
