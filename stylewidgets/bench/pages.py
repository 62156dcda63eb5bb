"""What a person sees: notebooks made on the fly, measured in JupyterLab and headless Chromium.

Four pages in one run. The first is what people write today; the others share view, slider and protocol, so that what
differs is the explorer around them and the model behind them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from .browser import PICTURE, SLIDER, Browser, BrowserMissing, Lab, Measurement, find_browser, measure

INTERACT = "interact + imshow, drawing noise"
VIEW = "slider + live view, costless renderer"
COSTLESS = "explorer, costless renderer"
MODEL = "explorer, model"
PAGES = (INTERACT, VIEW, COSTLESS, MODEL)

_SLIDER = "W.FloatSlider(min=-5, max=5, step=0.05, continuous_update=True, layout=W.Layout(width='460px'))"

_INTERACT = f"""
%matplotlib inline
import ipywidgets as W, matplotlib.pyplot as plt, numpy as np
def show(value):
    picture = np.random.RandomState(int(value * 1000) % 2**31).randint(0, 256, (64, 64, 3), np.uint8)
    plt.figure(figsize=(5, 5)); plt.imshow(picture); plt.axis("off"); plt.show()
W.interact(show, value={_SLIDER});
"""

_FRAMES = """
import itertools, numpy as np
from stylewidgets.render.encode import encode
from stylewidgets.render.ladder import Ladder, STILL
from stylewidgets.render.pump import Picture, Pump
side = {resolution}
random = np.random.RandomState(0)
pictures = [encode(random.randint(0, 256, (side, side, 3), np.uint8), STILL) for _ in range(32)]
turn = itertools.cycle(pictures)
def ready(latent, rung):
    return Picture(next(turn), "image/png", side, side)
"""

_VIEW = """
import ipywidgets as W
from stylewidgets.widgets.kit.views.view import LiveView
view = LiveView(size=384)
pump = Pump(ready, view, ladder=Ladder(side))
view.on_ack, view.on_settle, view.on_hello = pump.acknowledge, pump.settle, lambda *_: pump.hello()
slider = {slider}
slider.observe(lambda change: pump.submit(change.new), "value")
pump.submit(0.0)
W.VBox([slider, view])
"""

_EXPLORER = """
import torch
import stylewidgets as sw
from stylewidgets.bench.compute import some_direction
session = sw.load({load})
explorer = sw.LatentExplorer(session, session.latent(seed=0).with_edit(some_direction(session), 0.0))
"""


def notebooks(resolution: int, load: str) -> dict[str, list[str]]:
    """Cells of every page. ``load``: the arguments of ``sw.load`` as code."""
    frames = _FRAMES.format(resolution=resolution)
    explorer = _EXPLORER.format(load=load)
    return {
        INTERACT: [_INTERACT],
        VIEW: [frames, _VIEW.format(slider=_SLIDER)],
        COSTLESS: [frames, explorer + "explorer.picture._renderer.picture = ready\nexplorer"],
        MODEL: [explorer + "explorer"],
    }


def why_not() -> str:
    """Why the browser part cannot run here; empty when it can."""
    import importlib.util

    for module, name in (("jupyterlab", "JupyterLab"), ("playwright", "playwright"), ("nbformat", "nbformat")):
        if importlib.util.find_spec(module) is None:
            return f"{name} is not installed: pip install {module}"
    try:
        find_browser()
    except BrowserMissing as error:
        return str(error)
    return ""


def run(
    resolution: int,
    load: str,
    *,
    pages: Sequence[str] = PAGES,
    rounds: int = 3,
    keys: int = 15,
    drag_seconds: float = 3.0,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Measurement]]:
    """Measure every page ``rounds`` times, in turns, each in a new page of one browser and one JupyterLab."""
    cells = notebooks(resolution, load)
    results: dict[str, list[Measurement]] = {name: [] for name in pages}
    with tempfile.TemporaryDirectory(prefix="stylewidgets-bench-") as folder:
        files = {name: f"page{number}.ipynb" for number, name in enumerate(pages)}
        with Lab(folder) as lab, Browser(1500, 1300) as browser:
            for turn in range(rounds):
                for name in pages if turn % 2 == 0 else tuple(reversed(pages)):
                    progress(f"browser, round {turn + 1} of {rounds}: {name}")
                    write(Path(folder) / files[name], cells[name])  # JupyterLab may have saved outputs into it
                    results[name].append(_measure(browser, lab, files[name], name, keys, drag_seconds))
                    lab.shutdown_kernels()
    return results


def _measure(browser: Browser, lab: Lab, file: str, name: str, keys: int, drag_seconds: float) -> Measurement:
    notebook = browser.notebook(lab, file)
    try:
        picture = ".widget-output img, .jp-OutputArea-output img" if name == INTERACT else PICTURE
        return measure(notebook, picture=picture, slider=SLIDER, keys=keys, drag_seconds=drag_seconds)
    finally:
        notebook.close()


def write(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(cell.strip()) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
