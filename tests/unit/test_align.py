"""The face crop: its geometry by hand, on avatars whose landmarks are exact, beyond the border, and the way back."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets.avatars import LANDMARKS, AvatarDataset
from stylewidgets.inversion.faces import align as module
from stylewidgets.inversion.faces import mtcnn
from stylewidgets.inversion.faces.align import Alignment, align, paste_back, quad
from stylewidgets.inversion.faces.mtcnn import Face, suppress

NAMES = ("eye_left", "eye_right", "mouth_left", "mouth_right")


@pytest.fixture(scope="module")
def avatar() -> tuple[Image.Image, Any]:
    item = AvatarDataset(seed=8, n=4, resolution=192, outputs=("image", "landmarks"))[1]
    picture = Image.fromarray(item["image"].permute(1, 2, 0).numpy())
    return picture, item["landmarks"].numpy()[[LANDMARKS.index(name) for name in NAMES]].astype(np.float64)


def face(x: float, y: float, size: float) -> Face:
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) * size + [x, y]
    return Face((x, y, x + size, y + size), points, 0.99)


def test_the_quad_of_an_upright_face_is_what_the_formulas_give_by_hand() -> None:
    # eyes 40 apart at y = 100, mouth at y = 150: d_m = (0, 50), half side max(2·40, 1.8·50) = 90, centre (120, 105)
    corners = quad([[100, 100], [140, 100], [110, 150], [130, 150]])
    assert np.allclose(corners, [[30, 15], [30, 195], [210, 195], [210, 15]])
    wide = quad([[80, 100], [160, 100], [110, 150], [130, 150]])  # eyes 80 apart: half side 160
    assert np.allclose(wide[3] - wide[0], [320, 0])


def test_the_quad_turns_and_grows_with_the_face() -> None:
    points = np.array([[100, 100], [140, 104], [108, 150], [133, 152]], float)
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    assert np.allclose(quad(points @ turn.T + [5, 9]), quad(points) @ turn.T + [5, 9])
    alignment = Alignment(quad(points @ turn.T), (400, 400))
    assert alignment.side == pytest.approx(1.7 * Alignment(quad(points), (400, 400)).side)
    assert alignment.angle == pytest.approx(Alignment(quad(points), (400, 400)).angle + np.degrees(0.4))


@pytest.mark.parametrize(
    "points", [[[1, 2], [3, 4]], [[5, 5], [5, 5], [4, 9], [6, 9]], [[0, 0], [1, 0], [np.nan, 1], [1, 1]]]
)
def test_other_than_four_points_of_a_face_are_refused(points: Any) -> None:
    with pytest.raises(ValueError, match="eye_left, eye_right, mouth_left, mouth_right"):
        quad(points)


def test_a_turned_and_scaled_avatar_gives_the_same_crop(avatar: tuple[Image.Image, Any]) -> None:
    picture, points = avatar
    crop, alignment = align(picture, points, 64)
    angle, scale, size = np.radians(20), 1.5, 400
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([size / 2, size / 2]) - turn @ [96, 96]
    back = np.linalg.inv(turn)
    numbers = (*back[0], -(back @ shift)[0], *back[1], -(back @ shift)[1])
    moved = picture.transform((size, size), Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC)
    again, turned = align(moved, points @ turn.T + shift, 64)
    inner = np.s_[14:50, 14:50]  # what lies in both pictures
    difference = np.abs(np.asarray(crop, float)[inner] - np.asarray(again, float)[inner]).mean()
    assert difference < 3 and turned.angle - alignment.angle == pytest.approx(20, abs=1e-6)
    assert np.abs(np.asarray(crop, float)[inner] - np.asarray(again.rotate(20), float)[inner]).mean() > 3 * difference


def test_landmarks_lie_where_the_crop_shows_them(avatar: tuple[Image.Image, Any]) -> None:
    picture, points = avatar
    _, alignment = align(picture, points, 128)
    inside = alignment.to_crop(points, 128)
    assert np.allclose(alignment.to_picture(inside, 128), points)
    assert inside[:2, 1].mean() < inside[2:, 1].mean() and abs(inside[:, 0].mean() - 64) < 12
    marked = np.asarray(picture).copy()
    x, y = points[0].astype(int)
    marked[y - 2 : y + 3, x - 2 : x + 3] = (255, 0, 255)
    crop = np.asarray(align(marked, points, 128)[0]).astype(int)
    magenta = np.argwhere((crop[..., 0] > 180) & (crop[..., 1] < 90) & (crop[..., 2] > 180))[:, ::-1] + 0.5
    assert len(magenta) and np.allclose(
        magenta.mean(axis=0), alignment.to_crop(np.floor(points[:1]) + 0.5, 128)[0], atol=1
    )


def test_the_crop_pasted_back_gives_the_picture(avatar: tuple[Image.Image, Any]) -> None:
    picture, points = avatar
    crop, alignment = align(picture, points, 192)
    again = np.asarray(paste_back(picture, crop, alignment)).astype(int)
    assert np.abs(again - np.asarray(picture).astype(int)).mean() < 1.5
    black = np.asarray(paste_back(picture, Image.new("RGB", (700, 700)), alignment, feather=0.0))
    x, y = points.mean(axis=0).astype(int)
    assert not black[y, x].any()


def test_only_the_crop_changes_and_its_border_is_soft() -> None:
    picture = Image.new("RGB", (200, 160), "white")
    alignment = Alignment(np.array([[50, 40], [50, 120], [130, 120], [130, 40]], float), picture.size)
    made = np.asarray(paste_back(picture, Image.new("RGB", (32, 32)), alignment, feather=0.25))[..., 0]
    assert made[80, 90] == 0 and (made[:, :49] == 255).all() and (made[122:] == 255).all()
    line = made[80, 50:90].astype(int)
    assert (np.diff(line) <= 2).all() and len(np.unique(line)) > 6


def test_what_lies_beyond_the_picture_is_filled_smoothly(avatar: tuple[Image.Image, Any]) -> None:
    picture, points = avatar
    shifted = picture.crop((60, 0, 192, 192))
    crop, alignment = align(shifted, points - [60, 0], 64)
    assert alignment.outside > 0.1
    pixels = np.asarray(crop).astype(int)
    assert pixels[:, 0].std(axis=0).max() < pixels[:, 32].std(axis=0).max()  # plain outside
    whole = np.asarray(align(picture, points, 64)[0]).astype(int)
    assert np.abs(pixels[:, 34:60] - whole[:, 34:60]).mean() < 4  # and the inside as it is


def test_a_large_photograph_is_reduced_without_aliasing() -> None:
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = np.asarray(align(stripes, [[500, 500], [700, 500], [520, 720], [680, 720]], 64)[0]).astype(int)
    assert np.abs(crop - 127.5).max() < 12


def test_no_face_and_several_faces_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.new("RGB", (300, 300), "gray")
    found = [face(40, 40, 150), face(200, 200, 40)]
    monkeypatch.setattr(module, "detect", lambda picture: found)
    _, alignment = align(picture, size=32)
    assert alignment.note == "2 faces were found; the biggest was taken"
    assert np.allclose(alignment.quad, quad(found[0].points[[0, 1, 3, 4]]))
    _, second = align(picture, size=32, face=1)
    assert second.note == "" and second.side < alignment.side
    with pytest.raises(ValueError, match="face 5 was asked for; 2 found"):
        align(picture, size=32, face=5)
    found.clear()
    with pytest.raises(ValueError, match=r"no face was found.*points=\[eye left"):
        align(picture, size=32)


def test_without_the_detector_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"--no-deps facenet-pytorch.*points="):
        align(Image.new("RGB", (64, 64)))


def test_alignments_are_kept_as_plain_values_and_belong_to_their_picture() -> None:
    alignment = Alignment(quad([[100, 100], [140, 100], [110, 150], [130, 150]]), (300, 200), "a note")
    again = Alignment.from_dict(alignment.to_dict())
    assert np.array_equal(again.quad, alignment.quad) and again.picture == (300, 200) and again.note == "a note"
    with pytest.raises(ValueError, match="300 × 200"):
        paste_back(Image.new("RGB", (10, 10)), Image.new("RGB", (8, 8)), alignment)
    with pytest.raises(ValueError, match="square"):
        paste_back(Image.new("RGB", (300, 200)), Image.new("RGB", (8, 9)), alignment)
    with pytest.raises(ValueError, match="no alignment"):
        Alignment.from_dict({"quad": [[1, 2]], "picture": [1, 2]})


def test_of_boxes_that_overlap_the_best_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [2, 2, 6, 6]], float)
    scores = np.array([0.8, 0.9, 0.7, 0.95])
    assert suppress(boxes, scores, 0.5).tolist() == [3, 1, 2]
    assert suppress(boxes, scores, 0.5, smaller=True).tolist() == [3, 2]


def test_the_cascade_runs_from_files_and_finds_nothing_in_a_plain_picture(tmp_path: Path) -> None:
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "pnet": {
            "conv1": (10, 3, 3, 3),
            "conv2": (16, 10, 3, 3),
            "conv3": (32, 16, 3, 3),
            "conv4_1": (2, 32, 1, 1),
            "conv4_2": (4, 32, 1, 1),
        },
        "rnet": {
            "conv1": (28, 3, 3, 3),
            "conv2": (48, 28, 3, 3),
            "conv3": (64, 48, 2, 2),
            "dense4": (128, 576),
            "dense5_1": (2, 128),
            "dense5_2": (4, 128),
        },
        "onet": {
            "conv1": (32, 3, 3, 3),
            "conv2": (64, 32, 3, 3),
            "conv3": (64, 64, 3, 3),
            "conv4": (128, 64, 2, 2),
            "dense5": (256, 1152),
            "dense6_1": (2, 256),
            "dense6_2": (4, 256),
            "dense6_3": (10, 256),
        },
    }
    for name, layers in shapes.items():
        state: dict[str, torch.Tensor] = {}
        for layer, shape in layers.items():
            state |= {f"{layer}.weight": torch.zeros(shape), f"{layer}.bias": torch.zeros(shape[0])}
            if "_" not in layer:
                state[f"prelu{layer[-1]}.weight"] = torch.full((shape[0],), 0.25)
        if name == "pnet":
            state["conv4_1.bias"] = torch.tensor([0.0, 1.0])  # everything may be a face …
        torch.save(state, tmp_path / f"{name}.pt")
    plain = np.full((40, 52, 3), 90, np.uint8)
    assert mtcnn.detect_faces(plain, 24, tmp_path) == []  # … but the second network doubts it
    for name, head in (("rnet", "dense5_1.bias"), ("onet", "dense6_1.bias")):
        state = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        torch.save(state | {head: torch.tensor([0.0, 3.0])}, tmp_path / f"{name}.pt")
    mtcnn._networks.cache_clear()
    faces = mtcnn.detect_faces(plain, 24, tmp_path)
    assert faces and all(a.size >= b.size for a, b in zip(faces, faces[1:], strict=False))
    assert faces[0].points.shape == (5, 2) and faces[0].score == pytest.approx(1 / (1 + np.exp(-3.0)), abs=1e-5)


@pytest.mark.skipif(importlib.util.find_spec("facenet_pytorch") is None, reason="facenet-pytorch is not installed")
def test_the_face_on_a_photograph_is_found() -> None:
    from matplotlib import cbook

    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        faces = module.detect(picture)
        _, alignment = align(picture, size=128)
    assert len(faces) == 1 and faces[0].score > 0.99
    assert np.allclose(faces[0].points, [[218, 192], [311, 189], [269, 245], [223, 277], [309, 277]], atol=6)
    assert abs(alignment.angle) < 4 and alignment.outside == 0
