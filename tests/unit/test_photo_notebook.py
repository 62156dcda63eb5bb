"""Notebook 05 with a photograph: behind an address, without a detector. Its cells are found by their tags."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylewidgets.inversion.faces import align
from stylewidgets.inversion.faces.mtcnn import REMEDY

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_edit_a_photo.ipynb"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))
    pixels = np.random.RandomState(0).randint(0, 255, (120, 160, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "me.png")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/me.png"
        server.shutdown()


def cell(tag: str) -> str:
    (found,) = [c for c in json.loads(NOTEBOOK.read_text())["cells"] if tag in c["metadata"].get("tags", ())]
    return "".join(found["source"]).replace("%matplotlib inline", "import matplotlib; matplotlib.use('Agg')")


def run(photo: str, points: object = None) -> dict[str, Any]:
    names: dict[str, Any] = {}
    chosen = (
        cell("photo").replace("PHOTO = None", f"PHOTO = {photo!r}").replace("POINTS = None", f"POINTS = {points!r}")
    )
    for source in (chosen, cell("imports"), cell("align")):
        exec(source, names)  # noqa: S102  the notebook is ours
    names["plt"].close("all")
    return names


def test_an_address_is_opened_and_the_middle_stands_in_for_a_face(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> list[object]:
        raise ImportError(REMEDY)

    monkeypatch.setattr(align, "detect_faces", missing)
    names = run(address)
    said = capsys.readouterr().out
    assert names["crop"].size == (names["session"].resolution,) * 2
    assert "draws avatars" in said and "pip install --no-deps facenet-pytorch" in said and "the middle" in said


def test_points_need_no_detector(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    points = [[60, 50], [90, 52], [63, 80], [86, 82]]
    names = run(address, points)
    assert "facenet" not in capsys.readouterr().out
    wanted, _ = align.align(names["picture"], points, names["session"].resolution)
    assert np.array_equal(np.asarray(names["crop"]), np.asarray(wanted))
