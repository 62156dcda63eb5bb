"""What a person sees: notebooks made on the fly, measured in JupyterLab and headless Chromium.

All pages in one run. The first is what people write today. In the next four the pictures are ready and cost nothing, so
that what differs is what shows them: the core Image, the least that a canvas of our own could be, our view, and our
explorer around it. The sixth has the model behind it, too; in the last two the picture itself is dragged round a scene in
space, and a person is pulled by the wrist.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from .browser import PICTURE, SLIDER, Browser, BrowserMissing, Lab, Measurement, find_browser, measure

INTERACT = "interact + imshow, drawing noise"
IMAGE = "slider + Image, costless renderer"
TINY = "slider + bare canvas, costless renderer"
VIEW = "slider + live view, costless renderer"
COSTLESS = "explorer, costless renderer"
MODEL = "explorer, model"
ORBIT = "camera dragged round avatar-64-stylenerf"
POSE = "wrist of avatar-posed pulled"
PAGES = {
    "interact": INTERACT,
    "image": IMAGE,
    "tiny": TINY,
    "view": VIEW,
    "costless": COSTLESS,
    "explorer": MODEL,
    "orbit": ORBIT,
    "pose": POSE,
}
"""Names for the command line, and titles."""
USUAL = "interact,view,costless,explorer"

_SLIDER = """
import ipywidgets as W
slider = W.FloatSlider(min=-5, max=5, step=0.05, continuous_update=True, layout=W.Layout(width="460px"))
slider.add_class("stylewidgets-strength")
"""

_INTERACT = """
%matplotlib inline
import matplotlib.pyplot as plt, numpy as np
def show(value):
    picture = np.random.RandomState(int(value * 1000) % 2**31).randint(0, 256, (64, 64, 3), np.uint8)
    plt.figure(figsize=(5, 5)); plt.imshow(picture); plt.axis("off"); plt.show()
W.interact(show, value=slider);
"""

_FRAMES = """
import itertools, numpy as np
from PIL import Image
from stylewidgets.render.encode import encode
from stylewidgets.render.ladder import Ladder, Rung
from stylewidgets.render.pump import Picture, Pump
side = {resolution}
random = np.random.RandomState(0)
blots = [Image.fromarray(random.randint(0, 256, (8, 8, 3), np.uint8)) for _ in range(32)]
drag = Rung(None, "jpeg", 60, "drag")
turn = itertools.cycle([encode(np.asarray(blot.resize((side, side), Image.BICUBIC)), drag) for blot in blots])
def ready(latent, rung):
    return Picture(next(turn), "image/jpeg", side, side)
"""

_IMAGE = """
image = W.Image(format="jpeg", value=next(turn), width=384, height=384)
slider.observe(lambda change: setattr(image, "value", next(turn)), "value")
W.VBox([slider, image])
"""

_TINY = """
import anywidget
class Bare(anywidget.AnyWidget):
    _esm = '''
    export default { render({ model, el }) {
      const canvas = document.createElement("canvas");
      canvas.className = "stylewidgets-canvas";
      canvas.width = canvas.height = 384;
      el.append(canvas);
      let newest = null;
      model.on("msg:custom", async (message, [data]) => {
        const bitmap = await createImageBitmap(new Blob([newest = data], { type: "image/jpeg" }));
        if (newest === data) canvas.getContext("2d").drawImage(bitmap, 0, 0, 384, 384);
        bitmap.close();
      });
      model.send({});
    } };'''
bare = Bare()
draw = lambda *_: bare.send({}, [next(turn)])
bare.on_msg(draw)
slider.observe(draw, "value")
W.VBox([slider, bare])
"""

_VIEW = """
import ipywidgets as W
from stylewidgets.widgets.kit.views.view import LiveView
view = LiveView(size=384)
pump = Pump(ready, view, ladder=Ladder(side))
view.on_ack, view.on_settle, view.on_hello = pump.acknowledge, pump.settle, lambda *_: pump.hello()
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

_ORBIT = """
import stylewidgets as sw
session = sw.load("avatar-64-stylenerf")
explorer = sw.LatentExplorer(session, session.latent(seed=0, view=sw.Camera(yaw=-40)))
explorer.open("camera")
explorer
"""
_POSE = """
import stylewidgets as sw
from stylewidgets import avatars
session = sw.load("avatar-posed")
explorer = sw.LatentExplorer(session, session.latent(seed=0, view=avatars.posture("arms down")))
explorer
"""
HANDLES = {ORBIT: ".sw-orbit-sheet", POSE: "[data-joint=wrist_left]"}
"""What is dragged, where it is no slider."""


def notebooks(resolution: int, load: str) -> dict[str, list[str]]:
    """Cells of every page. ``load``: the arguments of ``sw.load`` as code."""
    frames = _FRAMES.format(resolution=resolution)
    explorer = _EXPLORER.format(load=load)
    return {
        INTERACT: [_SLIDER + _INTERACT],
        IMAGE: [frames, _SLIDER + _IMAGE],
        TINY: [frames, _SLIDER + _TINY],
        VIEW: [frames, _SLIDER + _VIEW],
        COSTLESS: [frames, explorer + "explorer.picture._pump._render = ready\nexplorer"],
        MODEL: [explorer + "explorer"],
        ORBIT: [_ORBIT],
        POSE: [_POSE],
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
    pages: Sequence[str],
    rounds: int = 3,
    keys: int = 15,
    drag_seconds: float = 3.0,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Measurement]]:
    """Measure pages, named by their titles, ``rounds`` times, in turns, each in a new page of one browser and one JupyterLab."""
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
        picture = ".widget-output img, .jp-OutputArea-output img" if name in (INTERACT, IMAGE) else PICTURE
        handle = HANDLES.get(name, SLIDER)
        return measure(notebook, picture=picture, slider=handle, keys=keys, drag_seconds=drag_seconds)
    finally:
        notebook.close()


def write(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(cell.strip()) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
