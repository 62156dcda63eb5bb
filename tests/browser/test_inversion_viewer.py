"""InversionViewer in JupyterLab, used as a person uses it: upload, start, pause, stop, brush, compare, photograph, interrupt."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylewidgets.bench.browser import Notebook

from .explorer_page import PATIENCE, Kernel
from .test_explorer import CONTRASTS, overflow

pytestmark = pytest.mark.slow

CELL = """
import hashlib, torch
import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.widgets.inversion_viewer import attempt as inversion_attempt
torch.set_num_threads(1)
session = sw.load('avatar-64')
viewer = sw.InversionViewer(session, {options})

def digest(picture):
    return hashlib.sha256(picture.tobytes()).hexdigest()

def pure():
    run = viewer.current
    result = inversion.invert(session, run.target, run.method, **run.settings)
    return digest(result.session(session).image(result.latent()))

viewer
"""

PIXELS = """(name) => { const c = document.querySelector(`.stylewidgets-pair-${name}`);
  return [c.width, c.height, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]; }"""
SEEN = (
    """(name) => getComputedStyle(document.querySelector(`.stylewidgets-pair-${name}`).closest('figure')).visibility"""
)
PANELS = ("Curve", "Edit all results", "Part that counts", "Save & code", "Runs")


class ViewerPage:
    """What a person does with a viewer, and what they see."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.locator(".stylewidgets-pair-root").wait_for()
        self.kernel = Kernel(notebook.lab, notebook.name)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Return the first true value of `condition()`."""
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < end, f"waited in vain for {what}: {self.kernel.ask('viewer.view.error')}"
            self.page.wait_for_timeout(200)
        return value

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def panel(self, name: str) -> None:
        self.page.locator(".sw-inversion .sw-tab", has_text=name).first.click()

    def step(self) -> int:
        return int(self.kernel.ask("viewer.current.step if viewer.current else 0"))

    def state(self) -> str:
        return str(self.kernel.ask("viewer.current.state if viewer.current else ''"))

    def digest(self, name: str) -> str:
        """Of what the page shows as "target" or "result"."""
        width, height, rgba = self.page.evaluate(PIXELS, name)
        return hashlib.sha256(np.array(rgba, np.uint8).reshape(height, width, 4)[..., :3].tobytes()).hexdigest()

    def close(self) -> None:
        self.kernel.close()


@pytest.fixture
def show(open_notebook: Callable[..., Notebook]) -> Iterator[Callable[..., ViewerPage]]:
    """`show(options, **page options)`: a viewer that was just made. In the end the console must be empty."""
    opened: list[ViewerPage] = []

    def show_one(options: str = "method='projector', steps=30", **page: Any) -> ViewerPage:
        opened.append(ViewerPage(open_notebook(CELL.format(options=options), **page)))
        return opened[-1]

    yield show_one
    for page in opened:
        page.close()
        assert page.notebook.console == []


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture that no generator made."""
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    pixels = np.stack(
        [np.tile(ramp, (96, 1)), np.tile(ramp[:, None], (1, 96)), np.full((96, 96), 90, np.uint8)], axis=2
    )
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_picture_is_uploaded_inverted_paused_masked_and_compared(
    show: Callable[..., ViewerPage], photo: Path, artifacts: Path
) -> None:
    viewer = show(viewport={"width": 1280, "height": 1700})
    page = viewer.page
    with page.expect_file_chooser() as chooser:
        page.locator(".stylewidgets-pair-open").click()
    chooser.value.set_files(photo)
    viewer.until(lambda: viewer.kernel.ask("viewer._target_code") == "'photo.png'", "the upload")
    wanted = viewer.kernel.ask("digest(viewer.target.pixels(0))")
    viewer.until(lambda: viewer.digest("target") == wanted, "the uploaded picture")
    assert page.locator(".stylewidgets-static:visible").count() == 0, (
        "the saved picture is out of sight beside a live one"
    )

    viewer.press("Start")
    viewer.until(lambda: viewer.step() >= 3, "some steps")
    viewer.press("pause")
    viewer.until(lambda: viewer.state() == "paused", "the pause")
    paused = viewer.step()
    wanted = viewer.kernel.ask("digest(viewer.current.image())")
    viewer.until(lambda: viewer.digest("result") == wanted, "the picture of what was found")
    page.wait_for_timeout(500)
    assert viewer.step() == paused < 30 and viewer.digest("result") == wanted, "a pause is a pause"
    viewer.press("go on")
    viewer.until(lambda: viewer.step() > paused, "more steps")
    viewer.press("stop")
    viewer.until(lambda: viewer.state() == "stopped", "the stop")

    viewer.panel("Part that counts")
    canvas = page.locator(".stylewidgets-brush-canvas")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 90)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(box["x"] + 80 + 8 * step, box["y"] + 90 + 6 * step)
        page.wait_for_timeout(30)
    page.mouse.up()
    viewer.until(lambda: viewer.kernel.ask("viewer.mask is not None"), "the paint")
    viewer.kernel.ask("setattr(viewer._panels.method.form.controls['steps'], 'value', 8)")
    viewer.press("Start")
    viewer.until(lambda: viewer.state() == "done", "the second run")
    assert viewer.kernel.ask("[viewer.current.step, viewer.current.target.mask is not None, len(viewer.runs)]") == [
        8,
        True,
        2,
    ]
    wanted = viewer.kernel.ask("pure()")
    viewer.until(lambda: viewer.digest("result") == wanted, "the picture of the pure call")

    for mode in ("swipe", "difference", "blink"):
        page.locator(f"[data-mode={mode}]").first.click()
        viewer.until(lambda mode=mode: viewer.kernel.ask("viewer.view.mode") == mode, mode)
        page.screenshot(path=artifacts / f"inversion-{mode}.png")
    page.wait_for_function("() => document.querySelector('.stylewidgets-pair-root').dataset.blink === 'result'")
    assert page.evaluate(SEEN, "target") == "hidden" and page.evaluate(SEEN, "result") == "visible"
    page.locator("[data-mode=side]").first.click()

    viewer.panel("Runs")
    page.wait_for_timeout(800)
    page.screenshot(path=artifacts / "inversion-runs.png")
    viewer.notebook.save()
    viewer.notebook.reload()
    page.locator(".stylewidgets-pair-root").wait_for()
    viewer.until(lambda: viewer.digest("result") == wanted, "the picture after a reload")


def test_one_whole_inversion_is_made_with_the_keys_alone(show: Callable[..., ViewerPage]) -> None:
    viewer = show("method='projector', steps=30", viewport={"width": 1280, "height": 1400})
    page = viewer.page
    page.locator(".stylewidgets-card").first.focus()
    page.keyboard.press("Enter")
    viewer.until(lambda: viewer.kernel.ask("viewer._panels.method.method") == "e4e", "the fast method")
    page.get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    viewer.until(lambda: viewer.state() == "done", "the run")
    viewer.until(lambda: viewer.kernel.ask("viewer.view.mode") == "swipe", "the comparison after the run")
    root = page.locator(".stylewidgets-pair-root")
    swiped = lambda: page.evaluate("() => document.querySelector('.stylewidgets-pair-swipe').value")  # noqa: E731
    root.focus()
    before = swiped()
    page.keyboard.press("ArrowRight")
    assert swiped() == str(int(before) + 5)
    page.keyboard.press("4")
    page.locator(".stylewidgets-scale").wait_for()
    for _ in range(16):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.dataset.name") == "start":
            break
    page.keyboard.press("End")
    page.keyboard.press("Enter")  # explore
    page.locator(".sw-guest .stylewidgets-canvas").wait_for()
    assert page.locator(".jp-Cell").count() == 1, "the keys did nothing to the notebook"


def test_a_file_is_dropped_on_the_target(show: Callable[..., ViewerPage], photo: Path) -> None:
    viewer = show("method='psp'")
    data = list(photo.read_bytes())
    viewer.page.evaluate(
        """(data) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(data)], 'dropped.png', { type: 'image/png' }));
          const target = document.querySelector('.stylewidgets-pair-target');
          for (const type of ['dragenter', 'dragover', 'drop'])
            target.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    viewer.until(lambda: viewer.kernel.ask("viewer._target_code") == "'dropped.png'", "the file")
    wanted = viewer.kernel.ask("digest(viewer.target.pixels(0))")
    viewer.until(lambda: viewer.digest("target") == wanted, "the picture")


def test_a_kernel_interrupt_leaves_the_result_and_the_run_goes_on(show: Callable[..., ViewerPage]) -> None:
    viewer = show("method='projector', steps=1000")
    viewer.press("Start")
    viewer.until(lambda: viewer.step() >= 2, "some steps")
    for _ in range(
        3
    ):  # it may fall between two slices; where comms have a thread of their own, it never reaches the run
        viewer.notebook.command("notebook:interrupt-kernel")
        viewer.page.wait_for_timeout(200)
    if viewer.state() == "running":
        viewer.press("pause")
    viewer.until(lambda: viewer.state() == "paused", "the pause")
    step = viewer.step()
    assert viewer.kernel.ask("list(viewer.result.code.shape)[0]") == 1
    wanted = viewer.kernel.ask("digest(viewer.current.image())")
    viewer.until(lambda: viewer.digest("result") == wanted, "the picture of what was found")
    viewer.press("go on")
    viewer.until(lambda: viewer.step() > step, "more steps")


def test_the_camera_gives_a_target_and_says_when_it_may_not(show: Callable[..., ViewerPage], artifacts: Path) -> None:
    viewer = show("method='psp'", permissions=["camera"])
    page = viewer.page
    before = viewer.digest("target")
    viewer.press("camera …")
    page.locator(".stylewidgets-camera-video").wait_for()
    page.screenshot(path=artifacts / "inversion-camera.png")
    viewer.press("take the picture")
    viewer.until(lambda: viewer.digest("target") != before, "the photograph")
    assert not page.locator(".stylewidgets-camera-video").is_visible(), "the camera is off again"
    refuse = "Promise.reject(new DOMException('', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = () => {refuse}; }}")
    viewer.press("camera …")
    page.locator(".stylewidgets-camera .stylewidgets-status", has_text="not allowed").wait_for()


@pytest.mark.parametrize("width", [1280, 620, 420])
def test_it_fits_wide_and_narrow_screens_and_reads_in_the_dark(
    show: Callable[..., ViewerPage], artifacts: Path, width: int
) -> None:
    dark = {"color_scheme": "dark"} if width == 620 else {}
    viewer = show("method='psp'", viewport={"width": width, "height": 1700}, **dark)
    page = viewer.page
    viewer.press("Start")
    viewer.until(lambda: viewer.state() == "done", "the run")
    if width < 500:
        viewer.notebook.command("application:toggle-left-area")  # as on a phone
    problems = {}
    for name in PANELS:
        viewer.panel(name)
        page.wait_for_timeout(1200)
        page.screenshot(path=artifacts / f"inversion-{width}-{name.split()[0].strip(',').lower()}.png")
        problems[name] = overflow(page) + (page.evaluate(CONTRASTS) if dark else [])
    assert not any(problems.values()), problems
