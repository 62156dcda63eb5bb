"""Every widget on the generator with a scene that ships; its camera by finger, by keys and in a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import ExplorerPage, swipe
from .looks import Stage
from .test_camera import SHOWN

pytestmark = pytest.mark.slow

CELL = """
import hashlib, os, tempfile, torch
os.environ["STYLEWIDGETS_CACHE"] = tempfile.mkdtemp()
import stylewidgets as sw
torch.set_num_threads(1)
session = sw.load("avatar-64-stylenerf")
{make}
"""
WIDGETS = {
    "viewer": """
seen = session.latent(seed=12, view=sw.Camera(yaw=20))
widget = sw.InversionViewer(session, target=session.image(seen), method="projector", steps=6, camera="find")
widget.start()
widget.finish()
widget""",
    "grid": "widget = sw.StyleMixGrid(session, rows=[1, 2], columns=[4, 5, 6])\nwidget",
    "probe": "widget = sw.StyleSpaceProbe(session, samples=100)\nwidget",
}


@pytest.mark.parametrize("name", WIDGETS)
def test_every_widget_opens_on_a_scene(open_notebook: Callable[..., Notebook], artifacts: Path, name: str) -> None:
    stage = Stage(open_notebook(CELL.format(make=WIDGETS[name]), viewport={"width": 1280, "height": 1300}))
    stage.rest()
    stage.page.locator(".sw-explorer").first.screenshot(path=artifacts / f"scene-{name}.png")
    assert stage.cut_off() == [] and stage.notebook.console == []
    assert not stage.page.locator(".jp-OutputArea-output[data-mime-type*=error]").count()


def test_a_finger_walks_round_and_a_film_is_written(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    make = "explorer = sw.LatentExplorer(session, session.latent(seed=7))\nexplorer.open('camera')\nexplorer"
    viewport = {"width": 1000, "height": 1300}
    page = ExplorerPage(open_notebook(CELL.format(make=make), viewport=viewport, has_touch=True))
    box = page.page.locator(".sw-orbit-sheet").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe(page.page, (x, y), (x - 0.25 * box["width"], y))
    page.rest()
    yaw = page.kernel.ask("explorer.value.view.yaw")
    assert -35 < yaw < -15 and page.kernel.ask(SHOWN) == page.wanted()[1]
    page.click("depth")
    page.rest()
    page.page.locator(".sw-explorer").first.screenshot(path=artifacts / "scene-camera-depth.png")
    page.click("export")
    film = "explorer.tools['camera'].export.result"
    page.until(lambda: page.kernel.ask(f"{film} is not None"), "the film is written")
    frames = page.kernel.ask(f"__import__('PIL.Image').Image.open({film}).n_frames")
    assert frames >= 40 and page.kernel.ask(f"{film}.name") == "turntable.gif"
    page.page.locator(".sw-explorer").first.screenshot(path=artifacts / "scene-camera-film.png")
    page.close()
    assert page.notebook.console == []
