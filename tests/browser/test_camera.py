"""Walking round a scene in JupyterLab: the picture is dragged, the globe follows, and depth lies over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.slow

CELL = """
import hashlib, math, torch
import stylewidgets as sw
from stylewidgets.generators.stylenerf.config import StyleNeRFConfig
from stylewidgets.generators.stylenerf.generator import StyleNeRF
torch.set_num_threads(1)
torch.manual_seed(5)
# random weights round a ball: the geometry is there without training
generator = StyleNeRF(StyleNeRFConfig(
    z_dim=32, w_dim=32, mapping_layers=2, rays=16, channels=(24, 16), hidden=32, field_layers=4, features=24, frequencies=4,
    samples=8, density="softplus", scale=1 / 1.75, ball=(12.0, 0.85, 0.6), background="colour", projection="orthographic",
    fov=2 * math.degrees(math.atan(1.613 / 4)), radius=4.0, depth=(2.6, 5.4), middle=(0.0, -0.55, -0.1, -0.13),
    yaw=(-35.0, 35.0), pitch=(-15.0, 15.0), normal=False,
)).eval()
session = sw.GeneratorSession(generator, name="ball", device="cpu")
explorer = sw.LatentExplorer(session)
explorer.open("camera")
explorer
"""
SHEET = ".sw-orbit-sheet"
SHOWN = "hashlib.sha256(explorer.picture.render(explorer.picture.latent).convert('RGB').tobytes()).hexdigest()"
"""The digest of the frame that the page was given last."""


@pytest.fixture
def explorer(open_notebook: Callable[..., Notebook]) -> Iterator[ExplorerPage]:
    page = ExplorerPage(open_notebook(CELL, viewport={"width": 1280, "height": 1100}))
    yield page
    page.close()


def view(explorer: ExplorerPage) -> dict[str, float]:
    found: dict[str, float] = explorer.kernel.ask("explorer.value.view.to_dict()")
    return found


def dot(explorer: ExplorerPage) -> list[float]:
    found: list[float] = explorer.page.evaluate(
        "() => ['cx', 'cy'].map((name) => Number(document.querySelector('.sw-orbit-dot').getAttribute(name)))"
    )
    return found


def drag(explorer: ExplorerPage, dx: float, dy: float) -> None:
    box = explorer.page.locator(SHEET).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = explorer.page.mouse
    mouse.move(x, y)
    mouse.down()
    for k in range(1, 9):
        mouse.move(x + dx * box["width"] * k / 8, y + dy * box["height"] * k / 8)
        explorer.page.wait_for_timeout(30)
    mouse.up()


def shoot(page: Any, path: Path) -> None:
    page.locator(".sw-explorer").first.screenshot(path=path)


def test_the_picture_is_dragged_and_what_rests_is_the_sessions_picture(explorer: ExplorerPage, artifacts: Path) -> None:
    start = explorer.shot()
    drag(explorer, 0.2, -0.1)
    explorer.rest()
    seen = view(explorer)
    assert seen["yaw"] == pytest.approx(20, abs=1.5) and seen["pitch"] == pytest.approx(10, abs=1.5)
    assert explorer.shot() != start
    assert explorer.kernel.ask(SHOWN) == explorer.wanted()[1]
    x, y = dot(explorer)
    assert x > 5 and y < -2  # right and up on the globe
    assert "not trained" not in explorer.page.locator(".sw-orbit-words").inner_text()
    shoot(explorer.page, artifacts / "camera.png")

    explorer.click("undo")
    explorer.rest()
    assert view(explorer).get("yaw", 0) == 0 and explorer.shot() == start and abs(dot(explorer)[0]) < 0.1


def test_keys_wheel_and_home(explorer: ExplorerPage) -> None:
    page = explorer.page
    page.locator(SHEET).focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp", "+"):
        page.keyboard.press(key)
    explorer.rest()
    usual = explorer.kernel.ask("session.field_of_view")
    seen = view(explorer)
    assert (seen["yaw"], seen["pitch"]) == (4, 10) and seen["fov"] < usual
    box = page.locator(SHEET).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.wheel(0, 100)
    explorer.rest()
    assert view(explorer)["fov"] > seen["fov"]
    page.keyboard.press("Home")
    explorer.rest()
    assert view(explorer).get("yaw", 0) == 0 and view(explorer).get("fov") is None


def test_depth_lies_over_the_picture_and_follows(explorer: ExplorerPage, artifacts: Path) -> None:
    page = explorer.page
    image = page.locator(".sw-orbit-picture")
    assert not image.is_visible()
    explorer.click("depth")
    explorer.until(image.is_visible, "the depth is shown")
    before = explorer.kernel.ask("hashlib.sha256(explorer.tools['camera'].sheet.picture).hexdigest()")
    drag(explorer, 0.45, 0.0)
    explorer.rest()
    after = explorer.kernel.ask("hashlib.sha256(explorer.tools['camera'].sheet.picture).hexdigest()")
    assert after != before and "not trained" in page.locator(".sw-orbit-words").inner_text()
    assert image.evaluate("(node) => node.naturalWidth") == 128
    shoot(page, artifacts / "camera-depth.png")
    explorer.click("normals")
    explorer.rest()
    shoot(page, artifacts / "camera-normals.png")
    explorer.click("picture")
    explorer.until(lambda: not image.is_visible(), "the picture is shown again")
