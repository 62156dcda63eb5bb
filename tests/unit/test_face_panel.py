"""A photograph in InversionViewer: four points on it, faces to choose from, and what is said before it is inverted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

import stylewidgets as sw
from stylewidgets.inversion.faces import align
from stylewidgets.inversion.faces.mtcnn import REMEDY, Face
from stylewidgets.widgets.inversion_viewer.face_points import USUAL
from stylewidgets.widgets.inversion_viewer.realism import light, sentence

POINTS = np.array([[60.0, 50.0], [90.0, 52.0], [63.0, 80.0], [86.0, 82.0]])


def noise(width: int = 160, height: int = 120) -> Image.Image:
    return Image.fromarray(np.random.RandomState(0).randint(0, 255, (height, width, 3)).astype(np.uint8))


def as_file(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def viewer() -> Iterator[Any]:
    made = sw.InversionViewer(sw.load("avatar-64", device="cpu"), size=64)
    yield made
    made.close()


def find(monkeypatch: pytest.MonkeyPatch, *faces: Face) -> None:
    monkeypatch.setattr(align, "detect_faces", lambda *given: sorted(faces, key=lambda face: -face.size))


def face(left: float, side: float) -> Face:
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) * side + [left, 10]
    return Face((left, 10.0, left + side, 10.0 + side), points, 0.99)


def test_without_a_detector_four_points_crop_the_photograph(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> list[Face]:
        raise ImportError(REMEDY)

    monkeypatch.setattr(align, "detect_faces", missing)
    panel, picture = viewer._panels.target, noise()
    viewer.view.on_file("me.png", as_file(picture))
    panel._unfold()
    panel.face.find()
    assert "facenet-pytorch" in panel.face.said.value and viewer.view.error == ""
    panel.face.sheet.points = (POINTS / picture.size).tolist()  # as a page sends them
    assert "[60.0, 50.0]" in panel.face._numbers.value
    panel.face.take()
    crop, _ = align.align(picture, POINTS, 64)
    assert np.array_equal(viewer.target.images, sw.inversion.Target.of(crop, viewer.session).images)
    found = {"sw": sw, "session": viewer.session}
    code = viewer._target_code.replace("'me.png'", "picture")
    made = sw.inversion.Target.of(eval(code, found | {"picture": picture}), viewer.session)
    assert np.array_equal(made.images, viewer.target.images), "the line of code makes the same crop"


def test_points_that_are_no_faces_are_told_while_they_are_dragged(viewer: Any) -> None:
    viewer.view.on_file("me.png", as_file(noise()))
    viewer._panels.target._unfold()
    panel = viewer._panels.target.face
    assert len(panel.sheet.crop) == 4
    panel.sheet.points = [[0.5, 0.5]] * 4
    assert panel.sheet.crop == [] and "do not lie like a face" in panel._numbers.value


def test_of_several_faces_one_is_chosen_by_its_number(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, face(10, 40), face(60, 80))
    viewer.view.on_file("we.png", as_file(noise()))
    viewer._panels.target._unfold()
    panel = viewer._panels.target.face
    panel.find()
    assert len(panel.sheet.boxes) == 2 and panel.sheet.box == 0 and "2 faces" in panel.said.value
    assert np.allclose(panel.sheet.pixels, face(60, 80).points[[0, 1, 3, 4]], atol=0.1), "the biggest first"
    panel.sheet.box = 1  # as a page says it
    assert np.allclose(panel.sheet.pixels, face(10, 40).points[[0, 1, 3, 4]], atol=0.1)


def test_one_face_needs_no_choice_and_none_leaves_the_points(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer.view.on_file("me.png", as_file(noise(120, 120)))
    viewer._panels.target._unfold()
    panel = viewer._panels.target.face
    find(monkeypatch)
    panel.find()
    assert "No face was found" in panel.said.value and "Drag the four points" in panel.said.value
    assert np.allclose(panel.sheet.points, USUAL)
    find(monkeypatch, face(20, 60))
    panel.find()
    assert panel.sheet.boxes == [] and np.allclose(panel.sheet.pixels, face(20, 60).points[[0, 1, 3, 4]], atol=0.1)


def test_a_photograph_is_told_what_this_generator_draws_before_it_is_inverted(viewer: Any) -> None:
    told = viewer._panels.target.told
    assert told.value == "" or "avatars" not in told.value, "its own picture is at home"
    viewer.view.on_file("me.png", as_file(noise()))
    assert "draws avatars" in told.value and "ffhq-1024" in told.value
    viewer._panels.target.example()
    assert "draws avatars" not in told.value
    assert viewer._panels.target._place.layout.display == "none", "a render needs no points"


def test_a_broken_file_is_told_and_changes_nothing(viewer: Any) -> None:
    before = viewer.target
    viewer.view.on_file("broken.png", as_file(noise())[:200])
    assert "'broken.png' cannot be read" in viewer.view.error and viewer.target is before


def test_a_sixteen_bit_picture_is_scaled_and_not_cut_off(viewer: Any) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    viewer.view.on_file("deep.png", as_file(Image.fromarray(ramp)))
    seen = viewer.target.images[0, 0, 0]
    assert seen[0] == -1 and seen[-1] == 1 and abs(float(seen[32])) < 0.05


def test_realism_past_three_is_a_warning() -> None:
    assert "Warning" in sentence({"realism": 3.1, "usual_realism": 1.3}) and light({"realism": 3.1}) == "poor"
    assert "Warning" not in sentence({"realism": 2.9, "usual_realism": 1.3})
