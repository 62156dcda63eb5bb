from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageSequence

from stylewidgets.film import mp4, video
from stylewidgets.film.export import export


@dataclass(frozen=True)
class Point:
    """Stands for a latent: one number."""

    value: float


class Session:
    """Pictures whose colours say where the latent is."""

    size = (12, 16)

    def interpolate(self, a, b, t):
        return Point(a.value + (b.value - a.value) * t)

    def image(self, latent):
        height, width = self.size
        y, x = np.mgrid[0:height, 0:width]
        return np.stack([x * 10, y * 12, np.full_like(x, round(latent.value * 100) % 256)], axis=-1).astype(np.uint8)


KEYS = [Point(0.0), Point(1.0), Point(0.5)]
SESSION = Session()


def film(**kwargs):
    return list(video.frames(SESSION, KEYS, **{"fps": 4, "seconds": 1.0, **kwargs}))


def test_an_open_film_starts_at_the_first_keyframe_and_ends_at_the_last():
    shown = film()
    assert len(shown) == 2 * 4 + 1 == video.frame_count(3, 4, 1.0, closed=False)
    for number, key in ((0, 0), (4, 1), (8, 2)):
        np.testing.assert_array_equal(shown[number], SESSION.image(KEYS[key]))


def test_a_closed_film_returns_without_showing_the_first_keyframe_twice():
    shown = film(closed=True)
    assert len(shown) == 3 * 4
    np.testing.assert_array_equal(shown[10], SESSION.image(Point(0.25)))
    np.testing.assert_array_equal(shown[11], SESSION.image(Point(0.5 - 0.5 * video.EASES["smooth"](0.75))))


def test_linear_moves_evenly_and_smooth_rests_at_the_keyframes():
    linear = [frame[0, 0, 2] for frame in film(ease="linear")]
    assert linear[:5] == [0, 25, 50, 75, 100]
    smooth = [video.EASES["smooth"](t) for t in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert smooth[0] == 0 and smooth[2] == 0.5 and smooth[4] == 1
    assert smooth[1] < 0.1 and smooth[3] > 0.9


def test_a_keyframe_itself_is_shown_on_its_time_and_not_an_interpolation_of_it():
    assert video.latent_at(SESSION, KEYS, 1.0) is KEYS[1]
    assert video.latent_at(SESSION, KEYS, 2.0) is KEYS[2]
    assert video.latent_at(SESSION, KEYS, 99.0) is KEYS[2]
    assert video.latent_at(SESSION, KEYS, 3.0, closed=True) is KEYS[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": 0}, "fps"),
        ({"seconds": float("nan")}, "seconds"),
        ({"ease": "bouncy"}, "linear"),
    ],
)
def test_a_film_that_cannot_be_made_is_refused_before_its_first_frame(change, message):
    with pytest.raises(ValueError, match=message):
        video.frames(SESSION, KEYS, **change)


def test_one_keyframe_is_too_few_and_the_message_says_what_to_do():
    with pytest.raises(ValueError, match="at least 2 snapshots, there is 1: take more"):
        video.frames(SESSION, KEYS[:1])


def test_a_gif_read_back_shows_the_rendered_frames_for_their_time(tmp_path):
    shown = film(fps=30)
    path = video.write_gif(tmp_path / "film.gif", shown, fps=30)
    with Image.open(path) as gif:
        assert gif.n_frames == len(shown) and gif.size == (16, 12) and gif.info["loop"] == 0
        total = 0
        for expected, page in zip(shown, ImageSequence.Iterator(gif), strict=True):
            got = np.asarray(page.convert("RGB")).astype(int)
            assert np.abs(got - expected).max() <= 8  # 192 pixels: fewer colours than a frame's table holds
            total += page.info["duration"]
    assert total == round(len(shown) * 100 / 30) * 10


def test_a_gif_of_a_photograph_stays_close_to_it(tmp_path):
    grid = np.linspace(0, 1, 64)
    photo = np.stack(
        np.broadcast_arrays(grid[:, None], grid[None, :], 0.5 + 0.5 * np.sin(9 * grid[:, None] * grid)), -1
    )
    photo = (photo * 255).astype(np.uint8)
    with Image.open(video.write_gif(tmp_path / "a.gif", [photo, photo[::-1]])) as gif:
        gif.seek(1)
        assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - photo[::-1]).mean() < 8


def test_png_frames_in_a_folder_equal_the_rendered_frames_exactly(tmp_path):
    shown = film()
    folder = video.write_png_frames(tmp_path / "frames", shown)
    files = sorted(folder.iterdir())
    assert [f.name for f in files] == [f"frame-{n:05d}.png" for n in range(len(shown))]
    for file, expected in zip(files, shown, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), expected)


def test_png_frames_in_a_zip_equal_the_rendered_frames_exactly(tmp_path):
    shown = film()
    path = video.write_png_frames(tmp_path / "frames.zip", shown)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name, expected in zip(archive.namelist(), shown, strict=True):
            with archive.open(name) as file:
                np.testing.assert_array_equal(np.asarray(Image.open(file)), expected)


def test_a_frame_that_fails_leaves_a_whole_file_of_those_before_it(tmp_path):
    def broken():
        yield from film()[:3]
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        video.write_gif(tmp_path / "film.gif", broken())
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 3


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_a_frame_of_a_wrong_kind_is_refused_with_its_shape(bad, tmp_path):
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        video.write_gif(tmp_path / "film.gif", [bad])
    assert not (tmp_path / "film.gif").exists()


def test_a_frame_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="one size"):
        video.write_gif(tmp_path / "film.gif", [np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)])


def test_a_free_path_never_overwrites(tmp_path):
    path = tmp_path / "film.gif"
    assert video.free_path(path) == path
    path.touch()
    (tmp_path / "film-2.gif").touch()
    assert video.free_path(path) == tmp_path / "film-3.gif"


def test_without_a_codec_the_reason_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "pip install imageio-ffmpeg" in mp4.why_not()
    with pytest.raises(RuntimeError, match="pip install imageio-ffmpeg"):
        mp4.write_mp4(tmp_path / "film.mp4", film())


def fake_ffmpeg(folder, script):
    program = folder / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport sys\n{script}")
    program.chmod(0o755)
    return str(program)


def test_an_ffmpeg_program_is_given_every_frame_with_even_sides(tmp_path):
    program = fake_ffmpeg(
        tmp_path,
        "if '-encoders' in sys.argv: print(' V..... mpeg4 MPEG-4'); sys.exit()\n"
        "open(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n"
        "open(sys.argv[-1] + '.txt', 'w').write(' '.join(sys.argv))\n",
    )
    frames = [np.full((5, 7, 3), n, np.uint8) for n in range(3)]
    path = video.write(mp4.FfmpegWriter(tmp_path / "film.mp4", 25, program), frames)
    assert len(path.read_bytes()) == 3 * 6 * 8 * 3
    told = (tmp_path / "film.mp4.txt").read_text()
    assert "-s 8x6" in told and "-r 25" in told and "-c:v mpeg4" in told


def test_a_failing_ffmpeg_program_is_quoted(tmp_path):
    program = fake_ffmpeg(tmp_path, "sys.stdin.buffer.read(); sys.stderr.write('no space left'); sys.exit(1)\n")
    with pytest.raises(RuntimeError, match="no space left"):
        video.write(mp4.FfmpegWriter(tmp_path / "film.mp4", 25, program), film())


@pytest.mark.skipif(bool(mp4.why_not()), reason="no video codec here")
def test_an_mp4_is_written_with_the_codec_of_this_machine(tmp_path):
    shown = [np.repeat(np.repeat(frame, 8, 0), 8, 1) for frame in film()]
    path = mp4.write_mp4(tmp_path / "film.mp4", shown, fps=4)
    assert path.read_bytes()[4:8] == b"ftyp"


def test_a_stopped_export_leaves_a_whole_file_of_the_frames_so_far(tmp_path):
    run = export.start(SESSION, KEYS, tmp_path / "film.gif", fps=4)
    for _ in range(4):
        run.advance()
    run.stop()
    assert (run.status, run.progress.done, run.result()) == ("stopped", 4, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 4


def test_a_paused_export_goes_on_with_the_next_frame(tmp_path):
    run = export.start(SESSION, KEYS, tmp_path / "film.zip", fps=4)
    for progress in run:
        if progress.done == 2:
            run.pause()
    assert run.status == "paused"
    run.resume()
    assert next(run).done == 3 and list(run) and run.status == "done"
    whole = video.write_png_frames(tmp_path / "whole.zip", video.frames(SESSION, KEYS, fps=4))
    assert (tmp_path / "film.zip").stat().st_size == whole.stat().st_size


def test_a_failing_export_keeps_its_frames_and_its_reason(tmp_path):
    def broken():
        yield from film()[:2]
        raise RuntimeError("out of memory")

    run = video.write.start(video.GifWriter(tmp_path / "film.gif", 4), broken(), 9)
    with pytest.raises(RuntimeError, match="out of memory"):
        for _ in run:
            pass
    assert (run.status, run.progress.done) == ("failed", 2)
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 2


def test_an_export_that_is_stopped_before_its_first_frame_leaves_nothing(tmp_path):
    run = export.start(SESSION, KEYS, tmp_path / "film.gif")
    run.stop()
    assert list(run) == [] and list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match=r"\.gif, \.zip or \.mp4"):
        export(SESSION, KEYS, tmp_path / "film.avi")


def test_frames_of_a_real_generator_are_those_that_the_session_renders(tmp_path):
    torch = pytest.importorskip("torch")
    from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
    from stylewidgets.session.session import GeneratorSession

    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, w_dim=8, resolution=16, channels=(8, 8, 8), mapping_layers=2)
    session = GeneratorSession(StyleGAN2(config).eval(), device="cpu")
    keyframes = [session.latent(seed=1), session.latent(seed=2, psi=0.5)]
    path = video.write_png_frames(tmp_path / "film", video.frames(session, keyframes, fps=4, seconds=1, ease="linear"))
    shown = [np.asarray(Image.open(file)) for file in sorted(path.iterdir())]
    assert len(shown) == 5
    for number, frame in enumerate(shown):
        latent = (
            keyframes[0]
            if number == 0
            else keyframes[1]
            if number == 4
            else session.interpolate(keyframes[0], keyframes[1], number / 4)
        )
        np.testing.assert_array_equal(frame, np.asarray(session.render(latent)))
    assert not np.array_equal(shown[0], shown[4])
