"""All four widgets on a session of a server in another process, and what a page shows when that is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.explorer_page import ExplorerPage, Kernel
from tests.server_process import Process

pytestmark = pytest.mark.slow
pytest.importorskip("starlette")

START = """
import hashlib, sys
import stylewidgets as sw
session = sw.connect({url!r})
"""
PATIENCE = 120_000


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    made = Process()
    yield made
    made.end()


@pytest.fixture
def cell(server: Process) -> Callable[[str], str]:
    return lambda more: START.format(url=f"http://127.0.0.1:{server.port}") + more


def shot(page, artifacts: Path, name: str) -> None:
    page.screenshot(path=artifacts / f"remote-{name}.png", full_page=True)


def test_the_explorer_is_dragged_and_goes_on_by_itself_after_its_server_was_killed(
    open_notebook, cell, server, artifacts
) -> None:
    explorer = ExplorerPage(open_notebook(cell("explorer = sw.LatentExplorer(session, size=64)\nexplorer")))
    try:
        handle = explorer.slider()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        explorer.page.mouse.move(x, y)
        explorer.page.mouse.down()
        for step in range(20):
            explorer.page.mouse.move(x + 2 * step, y)
            explorer.page.wait_for_timeout(30)
        explorer.page.mouse.up()
        explorer.rest()
        assert explorer.kernel.ask("explorer.value.edits[0].strength") != 0
        assert explorer.pixels() == explorer.wanted() and explorer.kernel.ask("'torch' in sys.modules") is False
        shot(explorer.page, artifacts, "explorer")
        before = explorer.shot()
        server.end()
        explorer.press("ArrowRight", 5)
        line = explorer.page.get_by_text("reconnecting to")
        line.wait_for(timeout=PATIENCE)
        assert explorer.shot() == before, "the last picture stays"
        shot(explorer.page, artifacts, "reconnecting")
        server.start()
        line.wait_for(state="detached", timeout=PATIENCE)
        explorer.rest()
        assert explorer.pixels() == explorer.wanted() and explorer.shot() != before
    finally:
        explorer.close()


def test_a_point_is_dragged_there(open_notebook, cell, artifacts) -> None:
    explorer = ExplorerPage(open_notebook(cell("explorer = sw.LatentExplorer(session)\nexplorer")))
    try:
        explorer.panel("Drag")
        sheet = explorer.page.locator(".stylewidgets-points-sheet:visible")
        sheet.wait_for(timeout=PATIENCE)
        box = sheet.bounding_box()
        for share in (0.4, 0.55):
            explorer.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        tool = "explorer.tools['drag']"
        explorer.until(lambda: explorer.kernel.ask(f"len({tool}.sheet.handles)") == 1, "the point is set")
        explorer.kernel.ask(f"setattr({tool}.form, 'raw', {{'steps': 5}})")
        explorer.click("drag")
        explorer.until(
            lambda: explorer.kernel.ask(f"{tool}.run is not None and not {tool}.work.busy()"), "the drag ends"
        )
        explorer.rest()
        assert explorer.kernel.ask(f"[{tool}.place.error, {tool}.run.status, explorer.value.history[-1]]") == [
            "", "done", "dragged 1 points, 5 steps",
        ]  # fmt: skip
        assert explorer.kernel.ask("explorer.picture.latent == explorer.value and explorer.value.code is not None")
        assert explorer.kernel.ask("'torch' in sys.modules") is False
        shot(explorer.page, artifacts, "drag")
    finally:
        explorer.close()


def test_the_grid_fills(open_notebook, cell, artifacts) -> None:
    notebook = open_notebook(cell("grid = sw.StyleMixGrid(session, rows=[1, 2], columns=[3, 4, 5])\ngrid"))
    kernel = Kernel(notebook.lab, notebook.name)
    try:
        table = notebook.page.locator(".stylewidgets-table[data-stale='0']")
        table.wait_for(timeout=PATIENCE)
        notebook.page.locator(".stylewidgets-cell").nth(4).click()
        notebook.page.wait_for_timeout(1000)
        assert kernel.ask("grid.view.error") == "" and kernel.ask("grid._filler.done")
        right = "grid.pictures()[0, 0].tolist() == session.images([grid.latent(0, 0)], grid.resolution)[0].tolist()"
        assert kernel.ask(right) and kernel.ask("'torch' in sys.modules") is False
        shot(notebook.page, artifacts, "grid")
    finally:
        kernel.close()


def test_an_inversion_runs_there_while_the_page_ticks(open_notebook, cell, artifacts) -> None:
    notebook = open_notebook(
        cell("viewer = sw.InversionViewer(session, method='projector', steps=60, net='factors')\nviewer")
    )
    kernel, page = Kernel(notebook.lab, notebook.name), notebook.page
    try:
        page.get_by_role("button", name="Start", exact=True).first.click(timeout=PATIENCE)
        for _ in range(600):
            if kernel.ask("viewer.current is not None and viewer.current.step > 0"):
                break
            page.wait_for_timeout(100)
        page.locator(".sw-inversion").get_by_role("button", name="pause", exact=True).click()
        for _ in range(600):
            if not kernel.ask("viewer.running"):
                break
            page.wait_for_timeout(200)
        page.wait_for_timeout(1500)  # a step that was on its way when the order came is still told
        state, paused, shown = kernel.ask(
            "[viewer.current.state, viewer.current.step, viewer.current.run.pixels() is not None]"
        )
        assert state == "paused" and shown and 0 < paused < 60
        page.wait_for_timeout(1000)
        assert kernel.ask("[viewer.current.state, viewer.current.step]") == ["paused", paused], (
            "a pause is a pause there, too"
        )
        page.locator(".sw-inversion").get_by_role("button", name="go on", exact=True).click()
        for _ in range(600):
            if kernel.ask("viewer.current is not None and viewer.current.state == 'done' and not viewer.running"):
                break
            page.wait_for_timeout(200)
        page.wait_for_timeout(3000)
        assert kernel.ask("[viewer.current.state, viewer.current.step, viewer.view.error]") == ["done", 60, ""]
        assert kernel.ask("'realism' in viewer.current.figures and len(viewer.current.run.frames) > 2")
        assert kernel.ask("'torch' in sys.modules") is False
        shot(page, artifacts, "inversion")
    finally:
        kernel.close()


def test_the_probe_searches_there(open_notebook, cell, artifacts) -> None:
    notebook = open_notebook(cell("probe = sw.StyleSpaceProbe(session, samples=100)\nprobe"))
    kernel, page = Kernel(notebook.lab, notebook.name), notebook.page
    try:
        for _ in range(600):
            if kernel.ask("probe.search.statistics is not None and not probe.search._work.busy()"):
                break
            page.wait_for_timeout(200)
        kernel.ask("probe.search.find_examples([1, 2, 3]) and None")
        kernel.ask("setattr(probe, 'selected', sw.stylespace.Channel(3, 1))")
        for _ in range(600):
            if kernel.ask("probe.search._shown_effect is not None"):
                break
            page.wait_for_timeout(200)
        page.wait_for_timeout(1500)
        assert kernel.ask("probe.search._shown_effect is not None") and kernel.ask("probe.view.error") == ""
        assert kernel.ask("'torch' in sys.modules") is False
        shot(page, artifacts, "probe")
    finally:
        kernel.close()
