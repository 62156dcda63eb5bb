"""`stylewidgets render` writes what it is asked for, and says what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import stylewidgets as sw
from stylewidgets.__main__ import main
from stylewidgets.cli.render import camera


def test_a_picture_is_the_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "face.png"
    assert main(["render", "avatar-64", "--seed", "7", "--psi", "0.7", "--out", str(out)]) == 0
    session = sw.load("avatar-64")
    assert np.array_equal(np.asarray(Image.open(out)), session.image(session.latent(seed=7, psi=0.7)))
    assert "64 x 64 pixels" in capsys.readouterr().out


def test_a_camera_is_read_from_words() -> None:
    assert camera("yaw=20,pitch=-5") == sw.Camera(yaw=20, pitch=-5)
    assert camera(" roll = 3 , fov=12.5,radius=2") == sw.Camera(roll=3, fov=12.5, radius=2)
    for text, words in (
        ("yaw", "'yaw' has no value"),
        ("yow=3", "did you mean 'yaw'"),
        ("yaw=left", "yaw of a camera is a number; 'left' was given"),
        ("pitch=120", "pitch of a camera"),
    ):
        with pytest.raises(ValueError, match=words):
            camera(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--camera", "yaw=20"], "has no camera"),
        (["--what", "depth"], "draws flat pictures and has no scene in space"),
        (["--what", "points", "--out", "face.png"], "a file of points ends in .ply or .obj"),
        (["--out", "face.ply"], "a file of picture ends in .png or .jpg"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "avatar-64", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_camera_that_is_none_is_a_mistake_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["render", "avatar-64", "--camera", "yaw=400"])
    assert "yaw of a camera" in capsys.readouterr().err
