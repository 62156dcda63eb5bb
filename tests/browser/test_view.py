"""The live view in JupyterLab, with a renderer that costs nothing: what is tested is the way to the screen and back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import PICTURE, SLIDER, Browser, Lab, Notebook, measure

SETUP = """
import io
import ipywidgets
import numpy as np
from PIL import Image
from stylewidgets.render.pump import Picture, Pump
from stylewidgets.render.ladder import Ladder
from stylewidgets.widgets.kit.views.view import LiveView

y, x = np.mgrid[0:64, 0:64] / 63.0
frames, heard = [], []

def png(value):
    disc = np.clip((0.35 - np.hypot(x - 0.5, y - 0.5)) * 20, 0, 1)
    array = np.stack([x, y, np.full_like(x, value)], -1) * (1 - disc[..., None]) + disc[..., None] * value
    buffer = io.BytesIO()
    Image.fromarray((array * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()

def draw(value, rung):
    if value > 0.99:
        raise ValueError("the value must be below 0.99: move the slider to the left")
    return Picture(png(value), "image/png", 64, 64)

class Notes:
    def show(self, frame):
        frames.append(frame)
        view.alt = f"value {slider.value:.2f}"
        view.show(frame)
        view.status = f"frame {frame.index} · 64 px"

def failed(error, value):
    from stylewidgets.widgets.kit.errors import report
    report(view, error, f"drawing {value}")

slider = ipywidgets.FloatSlider(value=0.3, min=0, max=1, step=0.01, layout={"width": "420px"})
slider.add_class("stylewidgets-strength")
view = LiveView(label="Test picture")
pump = Pump(draw, Notes(), ladder=Ladder(512), on_error=failed)
view.on_ack, view.on_settle, view.on_hello = pump.acknowledge, pump.settle, lambda *_: pump.hello()
view.on_visible = lambda value: setattr(pump, "visible", value)
slider.observe(lambda change: pump.submit(change["new"]), "value")
pump.submit(slider.value)
"""
SHOW = "ipywidgets.VBox([slider, view])"
SAVED = """
from stylewidgets.widgets.kit.static import SavedPicture, SavesPicture

class Widget(SavesPicture, ipywidgets.VBox):
    pass

saved = SavedPicture()
inner = Notes.show
def show(self, frame):
    inner(self, frame)
    if frame.final:
        saved.update(frame.data, frame.mime, view.alt)
Notes.show = show
pump.submit(slider.value)
widget = Widget([slider, view])
widget.saved = saved
widget
"""


def _press(notebook: Notebook, key: str, times: int = 1) -> None:
    notebook.page.locator(SLIDER).first.focus()
    for _ in range(times):
        notebook.page.keyboard.press(key)


def _wait(notebook: Notebook, condition: str) -> None:
    notebook.page.wait_for_function(f"() => {{ const $ = (s) => document.querySelector(s); return {condition}; }}")


def _wait_settled(notebook: Notebook, alt: str) -> None:
    notebook.page.locator(PICTURE).first.scroll_into_view_if_needed()  # out of sight, nothing is drawn
    label = f"$('{PICTURE}')?.getAttribute('aria-label') === 'Test picture: {alt}'"
    _wait(notebook, f"{label} && $('.stylewidgets-view').dataset.final === 'true'")


def _shoot(page: Any, selector: str, path: Path) -> None:
    page.locator(selector).last.scroll_into_view_if_needed()
    page.screenshot(path=path)


def _colours(notebook: Notebook) -> int:
    """How many different colours the last visible canvas shows: 1 for a blank one."""
    return int(
        notebook.page.evaluate(
            """(selector) => {
              const canvas = [...document.querySelectorAll(selector)].pop();
              const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              return new Set(new Uint32Array(data.buffer)).size; }""",
            PICTURE,
        )
    )


def _kernel(notebook: Notebook, expression: str) -> object:
    """Evaluate an expression in the kernel, in the last cell of the notebook, and return it."""
    page = notebook.page
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(f"import json; print(json.dumps({expression}))")
    before = cell.locator(".jp-InputArea-prompt").inner_text()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        """(before) => { const text = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].pop()
             .textContent.trim(); return text !== before && text !== '[*]:'; }""",
        arg=before.strip(),
    )
    return json.loads(cell.locator(".jp-OutputArea-output").last.inner_text())


OpenNotebook = Callable[..., Notebook]


def test_frames_follow_the_slider_and_settle(open_notebook: OpenNotebook, artifacts: Path) -> None:
    notebook = open_notebook(SETUP, SHOW, "None")
    _wait_settled(notebook, "value 0.30")
    assert _colours(notebook) > 100
    _press(notebook, "ArrowRight", 5)
    _wait_settled(notebook, "value 0.35")
    assert notebook.page.locator(".stylewidgets-status").inner_text().startswith("frame ")
    _shoot(notebook.page, ".stylewidgets-view", artifacts / "view.png")
    finals = _kernel(notebook, "[frame.final for frame in frames]")
    assert isinstance(finals, list)
    assert finals[-1]
    assert not all(finals)
    assert _kernel(notebook, "[pump.in_flight, pump.waiting]") == [0, False]
    assert notebook.console == []


def test_a_drag_shows_many_frames_and_never_a_blank_one(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP, SHOW)
    result = measure(notebook, keys=3, drag_seconds=1.5)
    assert result.keys_missed == 0
    assert result.drag_frames >= 3
    assert result.blank_share == 0
    assert notebook.console == []


def test_a_reloaded_page_shows_the_picture_and_stays_live(open_notebook: OpenNotebook, artifacts: Path) -> None:
    notebook = open_notebook(SETUP, SHOW)
    _press(notebook, "ArrowRight", 2)
    _wait_settled(notebook, "value 0.32")
    notebook.save()
    notebook.reload()
    _wait_settled(notebook, "value 0.32")
    assert _colours(notebook) > 100
    _press(notebook, "ArrowLeft")
    _wait_settled(notebook, "value 0.31")
    _shoot(notebook.page, ".stylewidgets-view", artifacts / "view-reloaded.png")


def test_two_views_of_a_model_show_the_same(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP, SHOW, "view")
    _press(notebook, "ArrowRight")
    _wait(notebook, "document.querySelectorAll('.stylewidgets-view[data-final=true]').length === 2")
    same = """(s) => { const [a, b] = [...document.querySelectorAll(s)].map(c => c.toDataURL()); return a === b; }"""
    assert notebook.page.evaluate(same, PICTURE)


def test_an_error_is_shown_over_the_last_good_picture(open_notebook: OpenNotebook, artifacts: Path) -> None:
    notebook = open_notebook(SETUP, SHOW)
    _press(notebook, "End")
    alert = notebook.page.get_by_role("alert")
    alert.get_by_text("drawing 1.0: the value must be below 0.99").wait_for()
    assert _colours(notebook) > 100
    _shoot(notebook.page, ".stylewidgets-view", artifacts / "view-error.png")
    alert.get_by_role("button", name="Dismiss").click()
    alert.wait_for(state="hidden")


KEYS = """
view.on_key = lambda key: (heard.append(key), setattr(view, "status", key))
view.interactive = True
view.on_pointer = heard.append
view.compare = png(0.9)
"""


def test_keys_reach_the_kernel_and_neither_jupyterlab_nor_a_trap(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP, KEYS, SHOW, "None")
    canvas = notebook.page.locator(PICTURE)
    canvas.focus()
    for key in ("z", "y", "r", "s", "ArrowLeft"):
        notebook.page.keyboard.press(key)
        _wait(notebook, f"$('.stylewidgets-status').textContent === '{key}'")
    notebook.page.keyboard.press("Tab")
    assert canvas.evaluate("node => document.activeElement !== node")
    # r would have made a raw cell and y a code cell of it; s and z would have saved and undone
    assert notebook.page.locator(".jp-CodeCell").count() == 4
    assert _kernel(notebook, "heard") == ["z", "y", "r", "s", "ArrowLeft"]


def test_pointer_and_wheel_are_merged_and_scaled_to_the_picture(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP, KEYS, SHOW, "None")
    canvas = notebook.page.locator(PICTURE)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    mouse = notebook.page.mouse
    mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=40)
    mouse.up()
    mouse.wheel(0, 30)
    notebook.page.wait_for_timeout(500)
    heard = _kernel(notebook, "heard")
    assert isinstance(heard, list)
    names = [event["event"] for event in heard]
    assert names.count("down") == names.count("up") == 1
    assert "wheel" in names
    down, up = heard[names.index("down")], heard[names.index("up")]
    assert (down["x"], down["y"]) == pytest.approx((0.25, 0.5), abs=0.01)
    assert (up["x"], up["y"]) == pytest.approx((0.5, 0.5), abs=0.01)


def test_the_start_is_shown_while_the_button_or_the_space_bar_is_held(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP, KEYS, SHOW)
    page = notebook.page
    _wait_settled(notebook, "value 0.30")
    shot = f"() => document.querySelector('{PICTURE}').toDataURL()"
    now = _still(page, shot)  # at rest it is drawn anew, in the best way
    button = page.get_by_role("button", name="Hold to see the start")
    button.hover()
    page.mouse.down()
    start = page.evaluate(shot)
    assert start != now
    page.mouse.up()
    assert page.evaluate(shot) == now
    page.locator(PICTURE).focus()
    page.keyboard.down("Space")
    assert page.evaluate(shot) == start
    page.keyboard.up("Space")
    assert page.evaluate(shot) == now


def _still(page: Any, expression: str) -> str:
    """The value of an expression once it stays the same."""
    value = page.evaluate(expression)
    for _ in range(50):
        page.wait_for_timeout(400)
        before, value = value, page.evaluate(expression)
        if value == before:
            return str(value)
    return pytest.fail("it never came to rest")


@pytest.mark.parametrize("look", ["narrow", "dark", "sharp"])
def test_it_fits_narrow_dark_and_dense_screens(open_notebook: OpenNotebook, artifacts: Path, look: str) -> None:
    options: dict[str, object] = {
        "narrow": {"viewport": {"width": 620, "height": 900}},
        "dark": {"color_scheme": "dark"},
        "sharp": {"device_scale_factor": 2},
    }[look]
    notebook = open_notebook(SETUP, KEYS, SHOW, **options)
    page = notebook.page
    _wait_settled(notebook, "value 0.30")
    _shoot(page, ".stylewidgets-view", artifacts / f"view-{look}.png")
    sizes = "node => [node.width, node.clientWidth, node.clientHeight, node.closest('.jp-OutputArea').clientWidth]"
    backing, width, height, room = page.locator(PICTURE).evaluate(sizes)
    assert width == height
    assert width <= room
    assert backing == width * (2 if look == "sharp" else 1)
    assert page.locator("body").get_attribute("data-jp-theme-light") == str(look != "dark").lower()


def test_the_saved_picture_is_hidden_while_live_and_shown_without_a_kernel(
    open_notebook: OpenNotebook, lab: Lab, browser: Browser, artifacts: Path
) -> None:
    notebook = open_notebook(SETUP, SAVED)
    _press(notebook, "ArrowRight", 2)
    _wait_settled(notebook, "value 0.32")
    page = notebook.page
    saved = page.locator(".stylewidgets-static img")
    page.wait_for_function("() => document.querySelector('.stylewidgets-static img')?.alt === 'value 0.32'")
    assert not saved.is_visible()
    _shoot(page, ".stylewidgets-view", artifacts / "saved-live.png")
    notebook.save()
    file = lab.root / notebook.name
    outputs = json.loads(file.read_text())["cells"][1]["outputs"]
    assert any("image/png" in output.get("data", {}) for output in outputs)

    notebook.reload()
    _wait_settled(notebook, "value 0.32")
    assert not saved.is_visible()

    lab.shutdown_kernels()
    reopened = browser.notebook(lab, notebook.name, run=False)
    reopened.page.locator(".stylewidgets-static img").wait_for(state="visible")
    _shoot(reopened.page, ".stylewidgets-static", artifacts / "saved-reopened.png")
    reopened.close()

    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(file), "--output-dir", str(lab.root)]
    subprocess.run(command, check=True, capture_output=True)
    page = browser.page(java_script_enabled=False, offline=True)
    page.goto(file.with_suffix(".html").as_uri())
    picture = page.locator(".stylewidgets-static img")
    assert picture.is_visible()
    assert picture.bounding_box()["width"] > 300
    _shoot(page, ".stylewidgets-static", artifacts / "saved-exported.png")
    page.context.close()
