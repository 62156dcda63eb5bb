"""LatentExplorer in JupyterLab, used as a person uses it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylewidgets import load, weights
from stylewidgets.bench.browser import Browser, Lab, Notebook

from .explorer_page import EXPLORER, PICTURE, ExplorerPage, make_generator

pytestmark = pytest.mark.slow

Explore = Callable[..., ExplorerPage]


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("generator"))


@pytest.fixture
def explore(open_notebook: Callable[..., Notebook], generator: Path) -> Iterator[Explore]:
    """`explore(options, **page options)`: an explorer at rest. In the end the console must be empty."""
    opened: list[ExplorerPage] = []

    def explore_one(options: str = "", source: str | None = str(generator), **page: Any) -> ExplorerPage:
        opened.append(ExplorerPage(open_notebook(EXPLORER.format(source=source, options=options), **page)))
        return opened[-1]

    yield explore_one
    for page in opened:
        page.close()
        assert page.notebook.console == []


def watch(page: Any) -> None:
    """Note, from now on, when the picture changes and whether it ever is blank: one sample each animation frame."""
    page.evaluate(
        """(selector) => {
          const seen = window.seen = { changes: [], blank: 0, samples: 0 };
          let last = null;
          const look = () => {
            if (window.seen !== seen) return;
            const canvas = document.querySelector(selector);
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let hash = 0, flat = true;
            for (let i = 0; i < data.length; i += 4) {
              hash = (Math.imul(hash, 31) + data[i] + 7 * data[i + 1] + 17 * data[i + 2]) | 0;
              if (data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2]) flat = false;
            }
            seen.samples += 1;
            seen.blank += flat;
            if (last !== null && hash !== last) seen.changes.push(performance.now());
            last = hash;
            requestAnimationFrame(look);
          };
          requestAnimationFrame(look); }""",
        PICTURE,
    )


def drag(page: Any, box: dict[str, float], path: Callable[[float], tuple[float, float]], seconds: float) -> list[float]:
    """Drag along `path` (0..1 → shares of the box) and return the page's time at the start and after each third."""
    at = lambda t: (box["x"] + path(t)[0] * box["width"], box["y"] + path(t)[1] * box["height"])  # noqa: E731
    now = lambda: page.evaluate("() => performance.now()")  # noqa: E731
    page.mouse.move(*at(0.0))
    page.mouse.down()
    marks = [now()]
    begin = time.monotonic()
    while (elapsed := (time.monotonic() - begin) / seconds) < 1:
        page.mouse.move(*at(elapsed))
        if elapsed > len(marks) / 3:
            marks.append(now())
        page.wait_for_timeout(10)
    page.mouse.move(*at(1.0))
    marks.append(now())
    page.mouse.up()
    return marks


def assert_changed_throughout(page: Any, marks: list[float]) -> None:
    seen = page.evaluate("() => window.seen")
    counts = [sum(a <= stamp < b for stamp in seen["changes"]) for a, b in zip(marks, marks[1:], strict=False)]
    assert len(counts) == 3 and min(counts) >= 2, counts
    assert seen["blank"] == 0


GENERATORS = ["tiny", *weights.catalogue()]


@pytest.mark.parametrize("name", GENERATORS)
def test_frames_change_throughout_a_drag_and_the_last_one_is_exactly_what_render_returns(
    explore: Explore, generator: Path, artifacts: Path, name: str
) -> None:
    source = str(generator) if name == "tiny" else name
    # At this size the canvas has a pixel for each of the generator's, so that nothing is enlarged on the way.
    side = load(source, device="cpu").resolution
    explorer = explore(f", size={side}", source)
    page = explorer.page
    assert explorer.pixels() == explorer.wanted()
    explorer.slider().scroll_into_view_if_needed()
    handle = explorer.slider().bounding_box()
    track = explorer.slider().locator("xpath=ancestor::*[contains(@class, 'sw-row-track')]").bounding_box()
    begin = (handle["x"] + handle["width"] / 2 - track["x"]) / track["width"]
    middle = (handle["y"] + handle["height"] / 2 - track["y"]) / track["height"]
    watch(page)
    marks = drag(page, track, lambda t: (begin + t * (0.93 - begin), middle), 3.0)
    explorer.rest()
    assert_changed_throughout(page, marks)
    strength = explorer.kernel.ask("explorer.value.edits[0].strength")
    assert strength != 0
    assert explorer.pixels() == explorer.wanted()
    page.screenshot(path=artifacts / f"explorer-drag-{name}.png")


def test_at_any_size_the_picture_is_what_a_view_of_the_render_shows(explore: Explore) -> None:
    explorer = explore()
    explorer.press("ArrowRight", 20)
    explorer.rest()
    assert explorer.kernel.ask("explorer.value.edits[0].strength") == 1.0
    shown = explorer.shot()
    explorer.press("Home")
    explorer.rest()
    assert explorer.shot() != shown
    explorer.kernel.ask(
        "setattr(explorer, 'value', explorer.value.with_edit(explorer.value.edits[0].direction, 1.0)) or 0"
    )
    explorer.rest()
    assert explorer.shot() == shown


def test_dragging_on_the_pad_walks_between_seeds(explore: Explore, artifacts: Path) -> None:
    explorer = explore(", size=64")
    page = explorer.page
    explorer.panel("Walk")
    pad = page.locator(".sw-explorer .sw-map")
    pad.wait_for()
    pad.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    watch(page)
    marks = drag(page, pad.bounding_box(), lambda t: (0.5 + 0.35 * t, 0.5 - 0.28 * t), 3.0)
    explorer.rest()
    assert_changed_throughout(page, marks)
    assert len(explorer.kernel.ask("explorer.value.blend")) > 1
    assert explorer.pixels() == explorer.wanted()
    page.screenshot(path=artifacts / "explorer-pad.png")


def test_undo_goes_back_by_button_and_key_and_a_drag_is_one_step(explore: Explore) -> None:
    explorer = explore(", size=64")
    page = explorer.page
    start = explorer.pixels()
    explorer.press("ArrowRight", 10)
    explorer.rest()
    there = explorer.pixels()
    assert there != start
    explorer.click("undo")
    explorer.rest()
    assert explorer.pixels() == start == explorer.wanted("session.latent(seed=0)")
    explorer.click("redo")
    explorer.rest()
    assert explorer.pixels() == there
    explorer.canvas.focus()
    page.keyboard.press("z")
    explorer.rest()
    assert explorer.pixels() == start
    page.keyboard.press("y")
    explorer.rest()
    assert explorer.pixels() == there
    page.keyboard.press("r")
    explorer.rest()
    assert explorer.kernel.ask("explorer.value.seed") != 0
    page.keyboard.press("z")
    explorer.rest()
    assert explorer.pixels() == there
    assert page.locator(".jp-Cell").count() == 1, "the keys did nothing to the notebook"


def test_a_snapshot_brings_its_picture_back(explore: Explore, artifacts: Path) -> None:
    explorer = explore(", size=64")
    explorer.press("ArrowRight", 10)
    explorer.rest()
    kept = explorer.pixels()
    explorer.click("snapshot")
    explorer.press("Home")
    explorer.click("random")
    explorer.rest()
    assert explorer.pixels() != kept
    explorer.panel("History")
    explorer.page.screenshot(path=artifacts / "explorer-history.png")
    explorer.click("1 of 1: seed 0 · 1 edit")
    explorer.rest()
    assert explorer.pixels() == kept == explorer.wanted()


def test_a_reloaded_page_shows_the_picture_and_its_controls_work(explore: Explore, artifacts: Path) -> None:
    explorer = explore(", size=64")
    explorer.press("ArrowRight", 10)
    explorer.rest()
    before = explorer.pixels()
    explorer.notebook.save()
    explorer.notebook.reload()
    explorer.canvas.wait_for()
    explorer.rest()
    assert explorer.pixels() == before
    explorer.page.screenshot(path=artifacts / "explorer-reloaded.png")
    explorer.press("ArrowRight", 10)
    explorer.rest()
    assert explorer.pixels() != before
    assert explorer.pixels() == explorer.wanted()
    assert explorer.kernel.ask("explorer.value.edits[0].strength") == 1.0


def test_the_start_is_seen_while_its_button_is_held(explore: Explore) -> None:
    explorer = explore(", size=64")
    start = explorer.pixels()
    explorer.press("ArrowRight", 20)
    explorer.rest()
    now = explorer.pixels()
    explorer.page.get_by_role("button", name="Hold to see the start").hover()
    explorer.page.mouse.down()
    assert explorer.pixels() == start
    explorer.page.mouse.up()
    assert explorer.pixels() == now


def test_a_seed_that_is_none_is_refused_in_words_and_the_picture_stays(explore: Explore, artifacts: Path) -> None:
    explorer = explore()
    page = explorer.page
    before = explorer.shot()
    box = page.locator(".sw-explorer input[type=text]").first
    box.fill("seven")
    box.press("Enter")
    page.get_by_role("alert").get_by_text("a seed is a whole number from 0 to").wait_for()
    assert explorer.shot() == before
    page.screenshot(path=artifacts / "explorer-error.png")
    box.fill("8")
    box.press("Enter")
    page.get_by_role("alert").wait_for(state="hidden")
    explorer.rest()
    assert explorer.kernel.ask("explorer.value.seed") == 8
    assert explorer.shot() != before


TOOL = """
import ipywidgets
import stylewidgets as sw

@sw.tools.register
class Opposite(sw.tools.Tool):
    name, title = "opposite", "Opposite"

    def panel(self, host):
        def turn(latent):
            return latent.replace(edits=tuple(edit.with_strength(-edit.strength) for edit in latent.edits))

        button = ipywidgets.Button(description="turn around")
        button.on_click(lambda _: host.change("", turn))
        return button
"""


def test_a_tool_that_a_cell_defines_has_its_panel_and_changes_the_picture(
    open_notebook: Callable[..., Notebook], generator: Path
) -> None:
    explorer = ExplorerPage(open_notebook(TOOL, EXPLORER.format(source=str(generator), options=", size=64")))
    explorer.press("ArrowRight", 20)
    explorer.rest()
    explorer.panel("Opposite")
    explorer.click("turn around")
    explorer.rest()
    assert explorer.kernel.ask("explorer.value.edits[0].strength") == -1.0
    assert explorer.pixels() == explorer.wanted()
    explorer.close()
    assert explorer.notebook.console == []


PANELS = ("Directions", "Walk", "History", "Animate", "Save & code")


def overflow(page: Any) -> list[str]:
    """What of the explorer reaches beyond its cell, or has more text than room."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.querySelector('.sw-explorer');
          const right = root.closest('.jp-OutputArea-output').getBoundingClientRect().right + 1;
          const found = [];
          for (const node of root.querySelectorAll('*')) {
            const box = node.getBoundingClientRect();
            if (node.closest('.sw-map')) continue;  // endless, and cut at its edge
            if (!box.width || getComputedStyle(node).visibility === 'hidden') continue;
            const scrolls = (n) => n && n !== root
              && (/auto|scroll/.test(getComputedStyle(n).overflowX) || scrolls(n.parentElement));
            const name = `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`;
            if (box.right > right && !scrolls(node)) found.push('beyond the cell: ' + name);
            const label = node.matches('button, .widget-label, .widget-readout');
            if (label && node.scrollWidth > node.clientWidth + 1) found.push('cut off: ' + name);
          }
          return found; }"""
    )
    return found


@pytest.mark.parametrize("width", [1280, 700])
def test_every_panel_fits_wide_and_narrow_screens(explore: Explore, artifacts: Path, width: int) -> None:
    explorer = explore(viewport={"width": width, "height": 1300})
    page = explorer.page
    explorer.press("ArrowRight", 20)
    explorer.click("snapshot")
    explorer.rest()
    problems = {}
    for name in PANELS:
        explorer.panel(name)
        page.wait_for_timeout(1500)
        page.screenshot(path=artifacts / f"explorer-{width}-{name.split()[0].lower()}.png")
        problems[name] = overflow(page)
    assert not any(problems.values()), problems


def test_it_reads_in_the_dark_theme(
    browser: Browser, generator: Path, artifacts: Path, tmp_path: Path, dark_lab: Lab
) -> None:
    from stylewidgets.bench.pages import write

    write(dark_lab.root / "dark.ipynb", [EXPLORER.format(source=str(generator), options="")])
    explorer = ExplorerPage(browser.notebook(dark_lab, "dark.ipynb"))
    page = explorer.page
    assert page.evaluate("() => document.body.dataset.jpThemeLight") == "false"
    faint = page.evaluate(CONTRASTS)
    for name in PANELS:
        explorer.panel(name)
        page.wait_for_timeout(1500)
        page.screenshot(path=artifacts / f"explorer-dark-{name.split()[0].lower()}.png")
        faint += page.evaluate(CONTRASTS)
    explorer.close()
    assert explorer.notebook.console == []
    explorer.notebook.close()
    assert not faint


@pytest.fixture
def dark_lab(browser: Browser, tmp_path: Path) -> Iterator[Lab]:
    settings = {"@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Dark"}}
    with Lab(tmp_path, settings=settings, environment={"OMP_NUM_THREADS": "1"}) as lab:
        yield lab
        lab.shutdown_kernels()


CONTRASTS = """() => {
  // Texts whose colour has less than 4.5 : 1 to what is behind them.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
                          return canvas.getImageData(0, 0, 1, 1).data; };
  const light = ([r, g, b]) => [0.2126 * r, 0.7152 * g, 0.0722 * b].map((v, i) => {
    const w = [0.2126, 0.7152, 0.0722][i], c = v / w / 255;
    return w * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); }).reduce((a, b) => a + b);
  const ground = (node) => { for (let n = node; n; n = n.parentElement) {
    const c = rgba(getComputedStyle(n).backgroundColor); if (c[3] > 128) return c; } return [255, 255, 255, 255]; };
  const faint = [];
  for (const node of document.querySelectorAll('.sw-explorer *')) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.getClientRects().length || node.disabled || node.closest('[disabled]')) continue;
    if (node.matches('style, option')) continue;
    const a = light(rgba(getComputedStyle(node).color)), b = light(ground(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.495) faint.push(`${ratio.toFixed(1)}: ${node.className} ${node.textContent.slice(0, 40)}`);
  }
  return faint; }"""
