"""StyleSpaceProbe in JupyterLab, used as a person uses it: hover and click the map, paint on the picture, drag the slider."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylewidgets.bench.browser import SLIDER, Notebook

from .explorer_page import PATIENCE, PICTURE, Kernel, make_generator, swipe
from .test_explorer import CONTRASTS, overflow

pytestmark = pytest.mark.slow

CELL = """
import base64, hashlib, os, tempfile, torch
os.environ["STYLEWIDGETS_CACHE"] = tempfile.mkdtemp()
import numpy as np
import stylewidgets as sw
torch.set_num_threads(1)
session = sw.load({source!r})
probe = sw.StyleSpaceProbe(session, samples=300{options})

def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()

def pure_picture():
    return base64.b64encode(session.image(probe.value).tobytes()).decode()

def pure_effect():
    stats = sw.stylespace.statistics(session, 300)
    found = sw.stylespace.effect(session, probe.value, probe.selected, (-3, 0, 3), stats=stats)
    return [digest(picture) for picture in found.pictures]

def pure_place():
    stats = sw.stylespace.statistics(session, 300)
    mask = place().pad.mask_at(session.resolution, session.resolution)
    *_, ranking = sw.stylespace.local_effect(session, [probe.value], stats, mask)
    return [channel.paper for channel in ranking.channels[:5]]

def place():
    return probe._panels.find.made("change one place")

def channel():
    return probe.selected.paper if probe.selected else ""

probe
"""

PIXELS = """(s) => { const c = document.querySelector(s);
  return [c.width, c.height, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]; }"""

IMAGES = """async () => {
  const found = [];
  for (const image of [...document.querySelectorAll('.sw-probe img.widget-image')].slice(0, 3)) {
    const bitmap = await createImageBitmap(await (await fetch(image.src)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    found.push([...context.getImageData(0, 0, bitmap.width, bitmap.height).data]);
  }
  return found; }"""


class ProbePage:
    """What a person does with a probe, and what they see."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.page.set_default_timeout(PATIENCE * 1000)
        self.map = self.page.locator(".stylewidgets-map-canvas")
        self.words = self.page.locator(".stylewidgets-map-words")
        self.map.wait_for()
        self.kernel = Kernel(notebook.lab, notebook.name)
        self.rest()

    def rest(self) -> None:
        """Wait until nothing is computed and the picture is that of the value."""
        self.until(
            lambda: (
                self.kernel.ask("[probe._work.busy(), probe.search.statistics is None, repr(probe.view.error)]")
                == [False, False, "''"]
            ),
            "all computation",
        )
        self.until(lambda: self.kernel.ask("probe.picture.latent == probe.value"), "the picture")

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Return the first true value of `condition()`."""
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < end, f"waited in vain for {what}: {self.kernel.ask('probe.view.error')}"
            self.page.wait_for_timeout(200)
        return value

    def at(self, layer: int, channel: int) -> tuple[float, float]:
        """Return the place of a cell on the map, for the mouse."""
        layout, box = json.loads(self.map.get_attribute("data-layout")), self.map.bounding_box()
        x = layout["gutter"] + (channel + 0.5 - layout["first"]) * layout["cell"]
        return box["x"] + x, box["y"] + (layer + 0.5) * layout["row"]

    def panel(self, name: str) -> None:
        self.page.locator(".sw-probe .sw-tab", has_text=name).first.click()

    def way(self, name: str) -> None:
        """Choose a way to find channels."""
        self.panel("Find")
        self.page.locator(".sw-probe .sw-tabpanel .widget-dropdown select").first.select_option(label=name)

    def picture_is_right(self) -> bool:
        """Whether the live picture is the one that plain compute makes of the value, as far as enlarging it lets one say."""
        width, height, rgba = self.page.evaluate(PIXELS, PICTURE)
        shown = Image.fromarray(np.array(rgba, np.uint8).reshape(height, width, 4)[..., :3])
        wanted = (
            np.frombuffer(base64.b64decode(self.kernel.ask("pure_picture()")), np.uint8)
            .reshape(64, 64, 3)
            .astype(float)
        )
        small = np.asarray(shown.resize((64, 64), Image.Resampling.BOX)).astype(float)
        return float(np.abs(small - wanted).mean()) < 0.15 * float(np.abs(wanted - wanted.mean(axis=(0, 1))).mean())

    def effect_is_right(self) -> bool:
        """Whether the three pictures of the channel are those of plain compute, to the last bit."""
        shown = [bytes(v for place, v in enumerate(rgba) if place % 4 != 3) for rgba in self.page.evaluate(IMAGES)]
        return [hashlib.sha256(rgb).hexdigest() for rgb in shown] == self.kernel.ask("pure_effect()")

    def close(self) -> None:
        self.kernel.close()


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("generator"))


@pytest.fixture
def show(open_notebook: Callable[..., Notebook], generator: Path) -> Iterator[Callable[..., ProbePage]]:
    """`show(options, source, **page options)`: a probe at rest. In the end the console must be empty."""
    opened: list[ProbePage] = []

    def show_one(options: str = "", source: str | None = str(generator), **page: Any) -> ProbePage:
        opened.append(ProbePage(open_notebook(CELL.format(source=source, options=options), **page)))
        return opened[-1]

    yield show_one
    for page in opened:
        page.close()
        assert page.notebook.console == []


def test_channels_are_hovered_clicked_moved_and_found_by_paint(show: Callable[..., ProbePage], artifacts: Path) -> None:
    probe = show(viewport={"width": 1280, "height": 1900})
    page = probe.page
    assert probe.picture_is_right()

    page.mouse.move(*probe.at(3, 7))
    probe.until(
        lambda: probe.words.text_content().startswith("3_7 · 8×8 shape, channel 7 of"), "the words about the channel"
    )
    assert probe.kernel.ask("channel()") == "", "hovering asks the kernel nothing"
    page.mouse.click(*probe.at(3, 7))
    probe.until(lambda: probe.kernel.ask("channel()") == "3_7", "the selection")
    probe.rest()
    page.wait_for_function("() => document.querySelectorAll('.sw-probe img.widget-image').length >= 4")
    probe.until(probe.effect_is_right, "the pictures of the channel")
    page.screenshot(path=artifacts / "probe-channel.png")

    handle = page.locator(f".sw-probe {SLIDER}").first
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(box["x"] + box["width"] / 2 + 5 * step, box["y"] + box["height"] / 2)
        page.wait_for_timeout(20)
    page.mouse.up()
    probe.until(lambda: probe.kernel.ask("probe.strength('3_7') > 1"), "the edit")
    probe.rest()
    probe.until(probe.picture_is_right, "the edited picture")

    probe.way("change one place")
    canvas = page.locator(".stylewidgets-brush-canvas")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 100)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(box["x"] + 90 + 6 * step, box["y"] + 100 + 2 * step)
        page.wait_for_timeout(30)
    page.mouse.up()
    probe.until(lambda: probe.kernel.ask("bool(place().pad.mask.any())"), "the paint")
    page.get_by_role("button", name="Find channels").click()
    probe.until(lambda: probe.kernel.ask("'place' in probe.search.rankings and not probe._work.busy()"), "the search")
    wanted = probe.kernel.ask("pure_place()")
    texts = page.locator(".sw-probe select option:visible, .sw-probe .widget-select select option").all_text_contents()
    assert [text.split()[1] for text in texts if text.split()[0].endswith(".")][:5] == wanted
    page.screenshot(path=artifacts / "probe-place.png", full_page=True)
    page.locator(".sw-probe .widget-select select").select_option(index=0)
    probe.until(lambda: probe.kernel.ask("channel()") == wanted[0], "the selection from the list")

    probe.map.focus()
    for _ in range(probe.kernel.ask("len(probe._history)")):  # a drag on a busy machine may be more than one step
        page.keyboard.press("z")
        probe.rest()
    assert probe.kernel.ask("len(probe.value.edits)") == 0
    probe.rest()
    probe.until(probe.picture_is_right, "the picture before")

    probe.notebook.save()
    probe.notebook.reload()
    probe.map.wait_for()
    page.wait_for_timeout(1500)
    probe.until(probe.effect_is_right, "the pictures after a reload")
    probe.until(probe.picture_is_right, "the picture after a reload")
    page.mouse.click(*probe.at(5, 2))
    probe.until(lambda: probe.kernel.ask("channel()") == "5_2", "a click after a reload")


def test_the_keyboard_walks_zooms_and_selects(show: Callable[..., ProbePage]) -> None:
    probe = show()
    page = probe.page
    probe.map.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "PageDown", "Enter"):
        page.keyboard.press(key)
    probe.until(lambda: probe.kernel.ask("channel()") == "2_11", "the selection")
    probe.rest()
    cell = lambda: json.loads(probe.map.get_attribute("data-layout"))["cell"]  # noqa: E731
    before = cell()
    page.keyboard.press("+")
    probe.until(lambda: cell() > before, "larger cells")
    page.keyboard.press("0")
    probe.until(lambda: cell() == before, "all cells")
    assert page.locator(".jp-Cell").count() == 1, "the keys did nothing to the notebook"
    page.keyboard.press("Tab")
    assert not page.evaluate("() => document.activeElement.classList.contains('stylewidgets-map-canvas')"), "Tab leaves"


def test_one_whole_edit_is_made_with_the_keys_alone(show: Callable[..., ProbePage]) -> None:
    """Paint a place with the keys, find channels, choose the first and move it."""
    probe = show(viewport={"width": 1280, "height": 1500})
    page = probe.page
    menu = page.locator(".sw-probe .sw-tabpanel .widget-dropdown select").first
    menu.focus()
    page.keyboard.press("ArrowDown")  # from "choose …" to the place
    brush = page.locator(".stylewidgets-brush-canvas")
    brush.wait_for()
    brush.focus()
    for key in ("ArrowLeft", "ArrowLeft", " ", "ArrowDown", " ", "ArrowDown", " "):
        page.keyboard.press(key)
    probe.until(lambda: probe.kernel.ask("bool(place().pad.mask.any())"), "the paint")
    wanted = probe.kernel.ask("[bool(place().pad.mask[128, 112]), bool(place().pad.mask[128, 200])]")
    assert wanted == [True, False]
    page.get_by_role("button", name="Find channels").focus()
    page.keyboard.press("Enter")
    probe.until(lambda: probe.kernel.ask("'place' in probe.search.rankings and not probe._work.busy()"), "the search")
    page.locator(".sw-probe .widget-select select").focus()
    page.keyboard.press("ArrowDown")
    probe.until(lambda: probe.kernel.ask("channel()") != "", "the selection from the list")
    probe.rest()
    page.locator(f".sw-probe {SLIDER}").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    probe.until(lambda: probe.kernel.ask("probe.strength(probe.selected) > 0"), "the edit")
    probe.rest()
    probe.until(probe.picture_is_right, "the edited picture")
    assert page.locator(".jp-Cell").count() == 1, "the keys did nothing to the notebook"


def test_a_finger_paints_and_the_page_stays_where_it_is(show: Callable[..., ProbePage]) -> None:
    probe = show(has_touch=True, viewport={"width": 900, "height": 1300})
    probe.way("change one place")
    brush = probe.page.locator(".stylewidgets-brush-canvas")
    brush.wait_for()
    box = brush.bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    swipe(probe.page, at(0.3, 0.5), at(0.7, 0.5))
    probe.until(lambda: probe.kernel.ask("bool(place().pad.mask.any())"), "the paint")
    seen = probe.kernel.ask(
        "[bool(place().pad.mask[128, x]) for x in (80, 128, 176)] + [bool(place().pad.mask[30, 128])]"
    )
    assert seen == [True, True, True, False]
    assert probe.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer')?.scrollTop ?? 0") == 0


WAYS = ("do one thing", "change one place", "pictures share", "move an attribute")
PANELS = ("Edits", "Report", "Save & code")


@pytest.mark.parametrize("width", [1280, 560, 420])
def test_it_fits_wide_and_narrow_screens(show: Callable[..., ProbePage], artifacts: Path, width: int) -> None:
    probe = show("", None, viewport={"width": width, "height": 2000})
    page = probe.page
    page.mouse.click(*probe.at(6, 50))
    probe.rest()
    probe.kernel.ask("probe.set_strength('6_50', 4)")
    if width < 500:
        probe.notebook.command("application:toggle-left-area")  # as on a phone
    problems = {}
    for name in (*WAYS, *PANELS):
        (probe.way if name in WAYS else probe.panel)(name)
        page.wait_for_timeout(1500)
        page.screenshot(path=artifacts / f"probe-{width}-{name.replace(' ', '-').replace('&', 'and').lower()}.png")
        problems[name] = overflow(page)
        if name == "change one place":
            box = page.locator(".stylewidgets-brush-canvas").bounding_box()
            assert abs(box["width"] / box["height"] - 1) < 0.02, "the picture to paint on keeps its shape"
    assert not any(problems.values()), problems


def test_it_reads_in_the_dark(show: Callable[..., ProbePage], artifacts: Path) -> None:
    probe = show(color_scheme="dark")
    assert probe.page.evaluate("() => document.body.dataset.jpThemeLight") == "false"
    probe.page.mouse.click(*probe.at(3, 7))
    probe.rest()
    probe.page.wait_for_timeout(800)
    probe.page.screenshot(path=artifacts / "probe-dark.png")
    assert probe.page.evaluate(CONTRASTS) == []
