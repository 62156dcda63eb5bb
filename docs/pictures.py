"""Makes the moving pictures of README, gallery and notebook index: ``python docs/pictures.py [SCENE...]``.

Each is a widget in JupyterLab in headless Chromium, moved by its kernel, seen after every step. So they show what a reader
gets, and are made anew when that changes. Needs what the browser tests need: ``pip install -e '.[test]'`` and Chromium. The
sheets of docs/avatars.md are made by ``world_pictures.py``.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from stylewidgets.bench.browser import Browser, Lab, Notebook
from stylewidgets.bench.pages import write

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
INDEX = ROOT / "notebooks" / "index.ipynb"

BEGIN = """
import math, os, tempfile
os.environ["STYLEWIDGETS_CACHE"] = tempfile.mkdtemp()
import stylewidgets as sw
session = sw.load()
def wave(t, turns=1.0):
    return math.sin(2 * math.pi * turns * t)
"""


FINAL = "() => document.querySelector('.stylewidgets-live')?.dataset.final !== 'false'"
"""Whether a live picture has come to rest; there may be none."""


@dataclass(frozen=True)
class Scene:
    """A widget and how it moves.

    Attributes:
        make: defines ``widget``, and ``step(t)`` for t from 0 to 1, which moves it; the last step leads back to the first.
        width, height: of the page, and how much of the widget is kept.
        steps: pictures in a film; 1 is a still.
        still: the step whose picture stands for it in the index.
        frame_ms: how long each is shown.
        quality: of the film, 0 to 100.
    """

    make: str
    width: int = 1100
    height: int = 760
    steps: int = 30
    still: int = 8
    frame_ms: int = 90
    quality: int = 70


SCENES = {
    "explorer": Scene(
        """
smile, yaw = session.directions["smile"], session.directions["yaw"]
start = session.latent(seed=4, psi=0.9).with_edit(smile, 0.0).with_edit(yaw, 0.0)
widget = sw.LatentExplorer(session, value=start)
def step(t):
    widget.value = start.with_edit(smile, 2.5 * wave(t)).with_edit(yaw, 1.5 * wave(t, 2))
""",
        steps=32,
    ),
    "grid": Scene(
        """
widget = sw.StyleMixGrid(session, rows=[1, 2, 3], columns=[4, 5, 6, 7])
names = list(sw.directions.named_ranges(session.num_ws).values())
def step(t):
    first, last = names[min(int(3 * t), 2)]
    widget.value = widget.value.replace(mask=[first <= i < last for i in range(session.num_ws)])
""",
        steps=3,
        still=0,
        frame_ms=1400,
    ),
    "probe": Scene(
        """
best = sw.stylespace.Channel(2, 121)  # the jaw, by the report that ships
widget = sw.StyleSpaceProbe(session, samples=500)
widget.select(best)
widget.finish()  # the map and its tiles have been measured
def step(t):
    widget.set_strength(best, 8 * wave(t))
""",
        height=1000,
        steps=12,
        still=3,
        frame_ms=180,
        quality=50,
    ),
    "viewer": Scene(
        """
from stylewidgets import avatars
photo = sw.AvatarDataset(seed=11, n=3, resolution=128)[2]["image"]
widget = sw.InversionViewer(session, target=photo, method="fast", steps=60)
run = []
def step(t):
    if not run:
        run.append(widget.start())
""",
        height=900,
        steps=14,
        still=13,
        frame_ms=300,
        quality=55,
    ),
}


def film(scene: Scene, notebook: Notebook) -> Iterator[Image.Image]:
    """Move the widget and yield what is seen after every step."""
    page = notebook.page
    root = page.locator(".sw-explorer").first
    root.wait_for()
    page.wait_for_timeout(1500)
    for number in range(scene.steps):
        run(notebook, f"step({number / scene.steps})")
        page.wait_for_timeout(350)
        page.wait_for_function(FINAL)
        yield Image.open(io.BytesIO(root.screenshot())).convert("RGB")


def run(notebook: Notebook, code: str) -> None:
    """Have the kernel do something, without a cell, and wait until it is done."""
    notebook.page.evaluate(
        """async (code) => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const reply = (await kernel.requestExecute({ code, store_history: false }).done).content;
          if (reply.status !== 'ok') throw new Error(reply.evalue); }""",
        code,
    )


def shoot(name: str, browser: Browser, lab: Lab) -> None:
    """Make the film or the still of a scene, and its small picture for the index."""
    scene = SCENES[name]
    write(lab.root / f"{name}.ipynb", [BEGIN + scene.make, "widget"])
    notebook = browser.notebook(lab, f"{name}.ipynb", viewport={"width": scene.width, "height": 1700})
    notebook.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    frames = [frame.crop((0, 0, frame.width, min(frame.height, scene.height))) for frame in film(scene, notebook)]
    notebook.close()
    size = max(frame.width for frame in frames), max(frame.height for frame in frames)
    frames = [paste(frame, size) for frame in frames]
    first, *others = frames
    path = FOLDER / f"{name}.webp"
    made = io.BytesIO()  # whole or not at all
    options = {"save_all": True, "append_images": others, "duration": scene.frame_ms, "loop": 0, "minimize_size": True}
    first.save(made, "webp", quality=scene.quality, method=6, **options)
    path.write_bytes(made.getvalue())
    thumbnail(frames[scene.still]).save(FOLDER / f"{name}-small.jpg", quality=82)
    print(
        f"{path.relative_to(ROOT)}: {len(frames)} pictures of {size[0]} × {size[1]}, {path.stat().st_size / 1024:.0f} KiB"
    )


def paste(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The frame on a white ground of that size."""
    ground = Image.new("RGB", size, "white")
    ground.paste(frame)
    return ground


def thumbnail(frame: Image.Image) -> Image.Image:
    """The upper part of a widget, 320 × 200."""
    width = min(frame.width, int(frame.height * 1.6))
    return frame.crop((0, 0, width, int(width / 1.6))).resize((320, 200), Image.Resampling.LANCZOS)


def pairs() -> None:
    """The small pictures of the notebooks without a scene, about photos, words, parts and cameras: before, and after an edit."""
    import stylewidgets as sw
    from stylewidgets.editing import Parts, Words

    session = sw.load()
    photo, said = session.latent(seed=28, psi=0.8), session.latent(seed=21, psi=0.8)
    red = Words.load(session).direction("a face with hair", "a face with red hair")
    borrowed = Parts.load(session).transfer(photo, session.latent(seed=13), "hair")
    edited = {
        "photo": (photo, photo.with_edit(session.directions["smile"], 3.0)),
        "words": (said, said.with_edit(red, 1.0)),
        "parts": (photo, borrowed),
    }
    pictures = {name: [session.render(latent) for latent in faces] for name, faces in edited.items()}
    scene = sw.load("avatar-64-stylenerf")
    seen = scene.latent(seed=7, view=sw.Camera(yaw=25, pitch=5))
    pictures["cameras"] = [scene.render(seen), Image.fromarray(scene.normals(seen, 156))]
    for name, shown in pictures.items():
        pair = Image.new("RGB", (320, 200), "white")
        for place, picture in enumerate(shown):
            pair.paste(picture.resize((156, 156), Image.Resampling.LANCZOS), (164 * place, 22))
        pair.save(FOLDER / f"{name}-small.jpg", quality=85)


def fill_index() -> None:
    """Put the small pictures into the index of notebooks, as attachments of its cells."""
    notebook = json.loads(INDEX.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for name in cell.get("attachments", {}):
            data = base64.b64encode((FOLDER / name).read_bytes()).decode()
            cell["attachments"][name] = {"image/jpeg": data}
    INDEX.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Make the scenes that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"of {', '.join(SCENES)} (default: all)")
    scenes = parser.parse_args().scenes or list(SCENES)
    FOLDER.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    with (
        tempfile.TemporaryDirectory() as folder,
        Lab(folder, environment={"PYTHONPATH": path}) as lab,
        Browser() as browser,
    ):
        for name in scenes:
            shoot(name, browser, lab)
    pairs()
    fill_index()


if __name__ == "__main__":
    main()
