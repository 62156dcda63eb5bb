"""Photographs given to the inversion viewer in the browser: 16 bits, four points without a detector, a broken file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylewidgets import load
from stylewidgets.bench.browser import Notebook

from .test_inversion_viewer import CELL, ViewerPage

pytestmark = pytest.mark.slow

NO_DETECTOR = """
from stylewidgets.inversion.faces import align as face_align
def missing(*_):
    raise ImportError("no detector")
face_align.detect_faces = missing
"""
LARGE = """() => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(9 * 2 ** 20)], "large.png", { type: "image/png" }));
  const input = document.querySelector(".stylewidgets-pair-root input[type=file]");
  input.files = data.files;
  input.dispatchEvent(new Event("change"));
}"""


def test_a_deep_picture_four_points_and_a_broken_file_do_what_is_said(
    open_notebook: Callable[..., Notebook], tmp_path: Path, artifacts: Path
) -> None:
    session = load("avatar-64", device="cpu")
    ramp = np.tile(np.linspace(0, 65535, 96).astype(np.uint16), (96, 1))
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    photo = Image.new("RGB", (480, 320), "#7a9")
    photo.paste(session.render(session.latent(seed=8)).resize((200, 200)), (30, 90))
    photo.save(tmp_path / "photo.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "photo.png").read_bytes()[:900])

    cell = CELL.format(options="method='projector', steps=30").replace("\nviewer\n", f"{NO_DETECTOR}\nviewer\n")
    viewer = ViewerPage(open_notebook(cell, viewport={"width": 1280, "height": 1900}))
    page = viewer.page

    def give(name: str) -> None:
        with page.expect_file_chooser() as chooser:
            page.locator(".stylewidgets-pair-open").click()
        chooser.value.set_files(tmp_path / name)

    give("deep.png")
    viewer.until(lambda: viewer.kernel.ask("viewer._target_code") == "'deep.png'", "the 16 bits")
    low, middle, high = viewer.kernel.ask("viewer.target.images[0, 0, 0, [0, 32, 63]].tolist()")
    assert low < -0.95 and high > 0.95 and abs(middle) < 0.05, "scaled and not cut off"
    page.screenshot(path=artifacts / "photos-deep.png")

    give("photo.png")
    viewer.until(lambda: viewer.kernel.ask("viewer._target_code") == "'photo.png'", "the photograph")
    page.get_by_text("This generator draws avatars").wait_for()
    viewer.press("place the face …")
    viewer.press("find faces")
    page.get_by_text("Faces are found where the weights of facenet-pytorch are:").wait_for()
    sheet = page.locator(".stylewidgets-face-sheet")
    box = sheet.bounding_box()
    assert box is not None
    wanted = [(108, 185), (152, 185), (113, 215), (147, 215)]  # on the avatar, in pixels of the photograph
    for k, (x, y) in enumerate(wanted):
        handle = page.locator(f"[data-point='{k}'] .stylewidgets-face-reach").bounding_box()
        assert handle is not None
        page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + x / 480 * box["width"], box["y"] + y / 320 * box["height"], steps=4)
        page.mouse.up()
    found = "viewer._panels.target.face.sheet.pixels.tolist()"
    viewer.until(lambda: np.abs(np.array(viewer.kernel.ask(found)) - wanted).max() < 3, "the four points")
    page.wait_for_timeout(300)
    page.screenshot(path=artifacts / "photos-points.png")
    viewer.press("use this face")
    viewer.until(lambda: "align" in viewer.kernel.ask("viewer._target_code"), "the crop")
    page.wait_for_timeout(500)
    page.screenshot(path=artifacts / "photos-crop.png")

    before = viewer.kernel.ask("viewer.target.digest()")
    give("broken.png")
    page.get_by_text("'broken.png' cannot be read as a picture").wait_for()
    assert viewer.kernel.ask("viewer.target.digest()") == before
    page.screenshot(path=artifacts / "photos-broken.png")

    page.evaluate(LARGE)
    page.get_by_text("large.png has 9.0 MB; 8.0 MB go through").wait_for()
    viewer.close()
    assert viewer.notebook.console == []
