"""Every widget and every panel, narrow and wide, in light, dark and high contrast: kept as pictures, and free of faults.

The release tier takes every combination. Otherwise every panel is seen once, and every width in every theme once a widget.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stylewidgets.bench.browser import Browser, Lab, Notebook

from .conftest import python_path
from .looks import AXE, ROOT, Stage, looks

pytestmark = pytest.mark.slow

RELEASE = os.environ.get("STYLEWIDGETS_TESTS") == "release"

WIDGETS = {
    "explorer": """
start = session.latent(seed=4)
start = start.with_edit(session.directions["smile"], 1.5).with_edit(session.directions["yaw"], 1.0)
widget = sw.LatentExplorer(session, value=start)
widget.snapshot()
""",
    "parts": """
session = sw.load("avatar-128")
start = session.latent(seed=4)
widget = sw.LatentExplorer(session, value=start, tools=["parts"])
tool = widget.tools["parts"]
tool.work.finish()
tool.part = "eyes"
tool.work.finish()
tool.faces.nearest.chosen = 2
tool.part = "hair"
tool.work.finish()
tool.faces.random.chosen = 1
""",
    "drag": """
import numpy as np
session = sw.load("avatar-128")
widget = sw.LatentExplorer(session, value=session.latent(seed=4), tools=["drag"])
tool = widget.tools["drag"]
tool.sheet.show([(64, 40), (64, 88), (90, 64)], [(58, 40), (70, 88), (96, 64)])
tool.form.controls["steps"].value = 3
tool.play()
tool.work.finish()
tool.brush.mask = np.linspace(0, 1, 128)[:, None].repeat(128, 1) > 0.7
tool.points.tell()
""",
    "camera": """
session = sw.load("avatar-64-stylenerf")
widget = sw.LatentExplorer(session, value=session.latent(seed=7, view=sw.Camera(yaw=25, pitch=5)), tools=["camera"])
widget.open("camera")
""",
    "rig": """
session = sw.load("avatar-128")
widget = sw.LatentExplorer(session, value=session.latent(seed=7), tools=["rig"])
tool = widget.tools["rig"]
tool.take("expression")
widget.open("rig")
""",
    "grid": "widget = sw.StyleMixGrid(session, rows=[1, 2, 3], columns=[4, 5, 6, 7])",
    "probe": "widget = sw.StyleSpaceProbe(session, samples=300)",
    "viewer": """
from stylewidgets import inversion
widget = sw.InversionViewer(session, target=session.image(session.latent(seed=12)), method="fast", steps=20)
widget.start()
widget.finish()
""",
}
MENUS = {"probe": "change one place"}
"""An entry of the menu that shows several panels in the place of one."""

CELL = """
import os, tempfile, torch
os.environ["STYLEWIDGETS_CACHE"] = tempfile.mkdtemp()
import stylewidgets as sw
torch.set_num_threads(1)
session = sw.load("avatar-64")
{make}
widget
"""


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab that keeps the theme it is given, whatever the browser prefers."""
    settings = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": False}}
    environment = {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}
    with Lab(tmp_path_factory.mktemp("looks"), settings=settings, environment=environment) as lab:
        yield lab


def test_the_accessibility_checker_is_there() -> None:
    if not AXE.exists():
        if os.environ.get("CI"):
            pytest.fail("axe-core is not installed: bash tests/run.sh js installs it")
        pytest.skip("axe-core is not installed (bash tests/run.sh js installs it): widgets are looked at without it")


@pytest.mark.parametrize("name", WIDGETS)
def test_every_panel_fits_every_screen_and_everyone_can_use_it(
    open_notebook: Callable[..., Notebook], artifacts: Path, name: str
) -> None:
    stage = Stage(open_notebook(CELL.format(make=WIDGETS[name])))
    folder = artifacts / "looks"
    folder.mkdir(exist_ok=True)
    problems: dict[str, list[str]] = {}
    for look in looks(stage.panels(MENUS.get(name, "")), all_of_them=RELEASE):
        stage.show(look)
        title = f"{name}-{re.sub('[^a-z0-9]+', '-', look.panel.lower()).strip('-')}-{look.width}-{look.theme}"
        stage.page.locator(ROOT).first.screenshot(path=folder / f"{title}.png")
        for problem in stage.faults() + stage.cut_off():
            problems.setdefault(problem, []).append(title)
    assert stage.notebook.console == []
    told = [f"{problem}\n    in {', '.join(where)}" for problem, where in problems.items()]
    assert not told, "\n".join(told)
