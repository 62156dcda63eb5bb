"""StyleMixGrid in JupyterLab, used as a person uses it: drag headers, paint layers, click cells, without a mouse too."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import PATIENCE, Kernel, make_generator, swipe
from .test_explorer import CONTRASTS, overflow

pytestmark = pytest.mark.slow

CELL = """
import base64, torch
import stylewidgets as sw
torch.set_num_threads(1)
session = sw.load({source!r})
grid = sw.StyleMixGrid(session, rows=[1, 2, 3], columns=[4, 5, 6, 7]{options})

def pure():
    pictures = sw.mixing.GridRenderer(session).all(grid.value)
    return {{f"{{i}},{{j}}": base64.b64encode(p.tobytes()).decode() for (i, j), p in pictures.items()}}

def seeds():
    return [[x.seed for x in grid.value.rows], [x.seed for x in grid.value.columns]]

grid
"""

TILES = """() => {
  const tiles = {};
  for (const node of document.querySelectorAll('.stylewidgets-cell')) {
    const c = node.querySelector('canvas');
    const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    let text = '';
    for (let k = 0; k < data.length; k++) if (k % 4 !== 3) text += String.fromCharCode(data[k]);
    tiles[node.dataset.place] = btoa(text);
  }
  return tiles; }"""


class GridPage:
    """What a person does with a grid, and what they see."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.locator(".stylewidgets-table").wait_for()
        self.kernel = Kernel(notebook.lab, notebook.name)
        self.rest()

    def rest(self) -> None:
        """Wait until every picture is that of the value and nothing changes any more."""
        state = "() => document.querySelector('.stylewidgets-table')?.dataset.stale"
        end, before, calm = time.monotonic() + PATIENCE, "", 0
        while calm < 3:
            now = self.kernel.ask("repr(grid.value) + str(seeds())")
            done = self.page.evaluate(state) == "0" and self.kernel.ask("grid._filler.done")
            calm = calm + 1 if done and now == before else 0
            before = now
            assert time.monotonic() < end, "the grid never came to rest"
            self.page.wait_for_timeout(200)

    def is_right(self) -> bool:
        """Whether every picture in the page is the one that plain compute makes of the value."""
        wanted, seen = self.kernel.ask("pure()"), self.page.evaluate(TILES)
        assert set(seen) == set(wanted)
        pixels = lambda text: np.frombuffer(base64.b64decode(text), np.uint8).astype(int)  # noqa: E731
        return all(np.abs(pixels(seen[place]) - pixels(wanted[place])).max() <= 1 for place in wanted)

    def cell(self, i: int, j: int) -> Any:
        return self.page.locator(f'.stylewidgets-cell[data-place="{i},{j}"]')

    def layer(self, k: int) -> Any:
        return self.page.locator(".stylewidgets-layer").nth(k)

    def drag(self, start: Any, end: Any) -> None:
        """Press in the middle of one element and let go in the middle of another."""
        places = [
            (b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in (start.bounding_box(), end.bounding_box())
        ]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for step in range(1, 11):
            self.page.mouse.move(*(a + (b - a) * step / 10 for a, b in zip(*places, strict=True)))
            self.page.wait_for_timeout(15)
        self.page.mouse.up()

    def mask(self) -> list[bool]:
        return self.kernel.ask("list(grid.value.mask)")

    def close(self) -> None:
        self.kernel.close()


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("generator"))


@pytest.fixture
def show(open_notebook: Callable[..., Notebook], generator: Path) -> Iterator[Callable[..., GridPage]]:
    """`show(options, **page options)`: a grid at rest. In the end the console must be empty."""
    opened: list[GridPage] = []

    def show_one(options: str = "", source: str | None = str(generator), **page: Any) -> GridPage:
        opened.append(GridPage(open_notebook(CELL.format(source=source, options=options), **page)))
        return opened[-1]

    yield show_one
    for page in opened:
        page.close()
        assert page.notebook.console == []


def test_headers_are_dragged_layers_painted_and_cells_clicked(show: Callable[..., GridPage], artifacts: Path) -> None:
    grid = show()
    page = grid.page
    assert grid.is_right()
    page.screenshot(path=artifacts / "mix-grid-start.png")

    grid.drag(grid.cell(0, -1), grid.cell(-1, 2))  # between the sides
    grid.rest()
    assert grid.kernel.ask("seeds()") == [[6, 2, 3], [4, 5, 1, 7]] and grid.is_right()
    grid.drag(grid.cell(-1, 0), grid.cell(-1, 3))  # within a side
    grid.rest()
    assert grid.kernel.ask("seeds()") == [[6, 2, 3], [7, 5, 1, 4]] and grid.is_right()

    before = grid.mask()
    box = lambda k: grid.layer(k).locator(".stylewidgets-layer-box")  # noqa: E731
    free = before.index(False)
    grid.drag(box(free), box(free + 3))
    grid.rest()
    painted = [taken or free <= k <= free + 3 for k, taken in enumerate(before)]
    assert grid.mask() == painted and grid.is_right()
    assert grid.layer(free).get_attribute("aria-checked") == "true"

    grid.cell(1, 2).click()
    page.wait_for_function(
        "() => document.querySelector('[data-place=\"1,2\"]').getAttribute('aria-selected') === 'true'"
    )
    assert grid.kernel.ask("[list(grid.cell), grid.selected == grid.latent(1, 2)]") == [[1, 2], True]
    page.screenshot(path=artifacts / "mix-grid-used.png")

    page.keyboard.press("z")  # the stroke was one step
    grid.rest()
    assert grid.mask() == before and grid.is_right()

    grid.drag(grid.cell(2, -1), page.locator(".stylewidgets-bin"))
    grid.rest()
    assert grid.kernel.ask("seeds()[0]") == [6, 2] and grid.is_right()
    page.get_by_role("button", name="add a column").click()
    grid.rest()
    assert grid.kernel.ask("grid.value.size") == [2, 5] and grid.is_right()

    shown = page.evaluate(TILES)
    grid.notebook.save()
    grid.notebook.reload()
    page.locator(".stylewidgets-table").wait_for()
    grid.rest()
    page.wait_for_function("() => document.querySelectorAll('.stylewidgets-cell[data-drawn]').length === 17")
    page.wait_for_timeout(1500)
    assert page.evaluate(TILES) == shown and grid.is_right()
    grid.drag(grid.cell(0, -1), grid.cell(1, -1))
    grid.rest()
    assert grid.kernel.ask("seeds()[0]") == [2, 6] and grid.is_right()


def test_the_keyboard_does_all_of_it(show: Callable[..., GridPage]) -> None:
    grid = show()
    page = grid.page
    grid.layer(0).focus()
    before = grid.mask()
    for key in ("ArrowRight", "ArrowRight", " ", "End", " "):
        page.keyboard.press(key)
    grid.rest()
    flipped = [taken ^ (k in (2, len(before) - 1)) for k, taken in enumerate(before)]
    assert grid.mask() == flipped and grid.is_right()

    grid.cell(0, 0).focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    grid.rest()
    assert grid.kernel.ask("list(grid.cell)") == [1, 1]
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowUp")
    grid.rest()
    assert grid.kernel.ask("seeds()[0]") == [2, 1, 3] and grid.is_right()
    page.keyboard.press("x")
    grid.rest()
    assert grid.kernel.ask("seeds()") == [[4, 1, 3], [2, 5, 6, 7]]
    page.keyboard.press("Delete")
    page.keyboard.press("r")
    grid.rest()
    rows = grid.kernel.ask("seeds()[0]")
    assert len(rows) == 2 and rows[0] not in (4, 1) and rows[1] == 3 and grid.is_right()
    assert page.locator(".jp-Cell").count() == 1, "the keys did nothing to the notebook"
    page.keyboard.press("Tab")
    assert not page.evaluate("() => document.activeElement.classList.contains('stylewidgets-cell')"), "Tab leaves"


def test_one_whole_edit_is_made_with_the_keys_alone(show: Callable[..., GridPage]) -> None:
    """Fine layers from the columns, another cell, and that as a row: Tab, arrows and Enter, nothing else."""
    grid = show(viewport={"width": 1280, "height": 1400})
    page = grid.page
    grid.layer(0).focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.dataset.range") == "coarse"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    grid.rest()
    assert grid.kernel.ask("grid.value.mask == sw.mixing.mask_of(session, 'fine')") and grid.is_right()
    for _ in range(3):  # past the button that adds a column
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('stylewidgets-cell')"):
            break
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    grid.rest()
    assert grid.kernel.ask("list(grid.cell)") == [1, 1]
    lit = page.locator(".stylewidgets-lit")
    assert sorted(node.get_attribute("data-place") for node in lit.all()) == ["-1,1", "1,-1"], "its two sources are lit"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.dataset.name") == "explore":
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    grid.rest()
    assert grid.kernel.ask("[len(grid.value.rows), grid.value.rows[-1] == grid.latent(1, 1)]") == [4, True]


def test_a_finger_paints_layers_and_picks_cells(show: Callable[..., GridPage]) -> None:
    grid = show(has_touch=True, viewport={"width": 900, "height": 1200})
    before = grid.mask()
    free = before.index(False)
    boxes = [grid.layer(k).locator(".stylewidgets-layer-box").bounding_box() for k in (free, free + 3)]
    swipe(grid.page, *((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes))
    grid.rest()
    assert grid.mask() == [taken or free <= k <= free + 3 for k, taken in enumerate(before)] and grid.is_right()
    grid.cell(2, 1).tap()
    grid.rest()
    assert grid.kernel.ask("list(grid.cell)") == [2, 1]


@pytest.mark.parametrize("width", [1280, 600, 420])
def test_it_fits_wide_and_narrow_screens(show: Callable[..., GridPage], artifacts: Path, width: int) -> None:
    grid = show(viewport={"width": width, "height": 1500})
    if width < 500:
        grid.notebook.command("application:toggle-left-area")  # as on a phone
    problems = {}
    for name in ("Mixing", "Pictures", "Save & code", "Rows and columns"):
        grid.page.locator(".sw-mixgrid .sw-tab", has_text=name).first.click()
        grid.page.wait_for_timeout(1000)
        grid.page.screenshot(path=artifacts / f"mix-grid-{width}-{name.split()[0].lower()}.png")
        problems[name] = overflow(grid.page)
    assert not any(problems.values()), problems


def test_it_reads_in_the_dark(show: Callable[..., GridPage], artifacts: Path) -> None:
    grid = show(", layers=[True, False] * 5", color_scheme="dark")
    assert grid.page.evaluate("() => document.body.dataset.jpThemeLight") == "false"
    grid.page.screenshot(path=artifacts / "mix-grid-dark.png")
    assert grid.page.evaluate(CONTRASTS) == []


def test_a_bundled_generator_is_drawn_too(show: Callable[..., GridPage], artifacts: Path) -> None:
    grid = show(", layers='middle'", None, viewport={"width": 1280, "height": 1300})
    assert grid.is_right()
    grid.page.get_by_role("button", name="Explore", exact=True).click()
    grid.page.locator(".stylewidgets-canvas").nth(1).wait_for()
    grid.page.wait_for_timeout(1500)
    grid.page.screenshot(path=artifacts / "mix-grid-avatars.png", full_page=True)
    grid.page.locator(".sw-guest [title='close this']").first.click()
    grid.page.locator(".stylewidgets-canvas").nth(1).wait_for(state="detached")
