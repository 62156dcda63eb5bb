from __future__ import annotations

import zipfile
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from stylewidgets.film import mp4, video
from stylewidgets.latent.latent import Latent
from stylewidgets.widgets.kit.compat import is_playing
from stylewidgets.widgets.latent_explorer.tools.animation import Animator


@dataclass(frozen=True)
class Point:
    """Stands for a latent: one number."""

    value: float


class Session:
    def interpolate(self, a, b, t):
        return Point(a.value + (b.value - a.value) * t)

    def image(self, latent):
        if latent.value < 0:
            raise RuntimeError("cannot be drawn")
        return np.full((8, 8, 3), round(latent.value), np.uint8)


def make(keys=(0, 100, 50), tmp_path="."):
    snapshots, shown = [Point(float(k)) for k in keys], []
    animator = Animator(Session(), lambda: snapshots, lambda: Point(10.0), shown.append, folder=tmp_path)
    animator._ease.value = "linear"
    return animator, snapshots, shown


def tick(animator, seconds):
    """What the browser's clock sends, so long after the last tick."""
    animator.playing = True
    now = animator._last_tick + seconds
    animator._now = lambda: now
    animator._play.value += 1


def text(animator):
    return animator._note.value


def test_each_tick_shows_one_frame_at_the_time_that_has_passed():
    animator, _, shown = make()
    for _ in range(3):
        tick(animator, 0.5)
    assert shown == [Point(25.0), Point(50.0), Point(75.0)]


def test_the_line_follows_the_clock():
    animator, _, _ = make()
    tick(animator, 1.0)
    assert (animator._line.at, animator._line.length, animator._line.playing) == (1.0, 4.0, True)


def test_the_film_goes_on_where_it_was_after_a_long_silence():
    animator, _, shown = make()
    tick(animator, 500.0)
    assert shown == [Point(50.0)]


def test_at_its_end_the_film_starts_again_or_stops_there():
    animator, _, shown = make()
    animator.seek(3.9)
    tick(animator, 0.5)
    assert shown[-1].value == pytest.approx(20.0) and animator.playing
    animator._end.value = "once"
    animator.seek(3.9)
    tick(animator, 0.5)
    assert shown[-1] == Point(50.0) and not animator.playing


def test_the_button_at_the_left_goes_back_to_the_start():
    animator, _, shown = make()
    tick(animator, 0.5)
    animator._line.on_first()
    assert shown[-1] == Point(0.0) and animator._line.at == 0 and not animator.playing


def test_a_hand_on_the_line_shows_that_time_and_pauses_the_clock():
    animator, _, shown = make()
    tick(animator, 1.0)
    animator._line.on_seek(2.0)
    assert shown[-1] == Point(100.0) and not animator.playing


def test_seconds_and_loop_change_the_length():
    animator, _, _ = make()
    animator._seconds.value = 3.0
    assert animator._line.length == 6.0
    animator._end.value = "round"
    assert animator._line.length == 9.0


def test_speed_changes_how_far_a_tick_goes():
    animator, _, shown = make()
    animator._speed.value = 4.0
    tick(animator, 0.25)
    assert shown == [Point(50.0)]


def test_a_closed_loop_returns_to_the_first_snapshot():
    animator, _, shown = make()
    animator._end.value = "round"
    animator.seek(5.0)
    tick(animator, 1.0)
    assert shown == [Point(25.0), Point(0.0)]


def test_smooth_motion_rests_at_the_snapshots():
    animator, _, shown = make()
    animator._ease.value = "smooth"
    tick(animator, 0.2)
    assert shown[-1].value == pytest.approx(100 * video.EASES["smooth"](0.1))


def test_snapshots_taken_later_join_the_film():
    animator, snapshots, shown = make()
    snapshots.append(Point(0.0))
    animator.seek(5.0)
    assert animator._line.length == 6.0 and shown == [Point(25.0)]


def test_one_snapshot_plays_to_the_present_picture():
    animator, _, shown = make(keys=(0,))
    tick(animator, 1.0)
    assert shown == [Point(5.0)]


def test_without_snapshots_playing_stops_and_says_what_to_do():
    animator, _, shown = make(keys=())
    animator.playing = True
    assert shown == [] and not animator.playing
    assert "Keep two faces" in animator._empty.children[0].value and "sw-away" not in animator._empty._dom_classes
    assert "sw-away" in animator._line._dom_classes


def test_the_line_has_a_picture_of_each_snapshot_and_a_loop_ends_with_the_first() -> None:
    latents = [Latent(seed=seed) for seed in (1, 2)]
    animator = Animator(
        Session(),
        lambda: latents,
        lambda: latents[0],
        lambda _: None,
        thumbnail=lambda latent: bytes([latent.seed or 0]),
    )
    animator.refresh()
    assert animator._line.pictures == [b"\1", b"\2"] and animator._line.cards == ["seed 1", "seed 2"]
    animator._end.value = "round"
    assert animator._line.pictures == [b"\1", b"\2", b"\1"]


def test_a_failure_while_playing_is_shown_and_stops_the_clock():
    animator, _, _ = make()

    def fails(latent):
        raise ValueError("does not <fit>")

    animator._show = fails
    tick(animator, 1.0)
    assert "does not &lt;fit&gt;" in text(animator) and not animator.playing


def test_all_controls_are_labelled():
    animator, _, _ = make()
    controls = []

    def walk(widget):
        for child in getattr(widget, "children", ()):
            controls.append(child)
            walk(child)

    walk(animator)
    named = (widgets.Dropdown, widgets.IntSlider, widgets.Text)
    assert all(c.description for c in controls if isinstance(c, (*named, widgets.Button, widgets.Checkbox)))


# -- export -------------------------------------------------------------------------------------------------------------


def exported(animator, kind="GIF", fps=5):
    panel = animator.export_panel
    panel._kind.value, panel._fps.value = kind, fps
    panel._start.click()
    panel.finish()
    return panel


def film(animator, fps=5):
    return list(
        video.frames(animator.session, animator.keyframes, fps, animator.seconds, animator.ease, animator.closed)
    )


def test_an_exported_gif_holds_the_frames_of_the_film(tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    panel = exported(animator)
    assert panel.result == tmp_path / "animation.gif"
    with Image.open(panel.result) as gif:
        assert gif.n_frames == 21
        for number, expected in enumerate(film(animator)):
            gif.seek(number)
            np.testing.assert_array_equal(np.asarray(gif.convert("RGB")), expected)


def test_exported_png_frames_equal_the_rendered_frames(tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    panel = exported(animator, "PNG frames (zip)")
    with zipfile.ZipFile(panel.result) as archive:
        for name, expected in zip(archive.namelist(), film(animator), strict=True):
            with archive.open(name) as file:
                np.testing.assert_array_equal(np.asarray(Image.open(file)), expected)


def test_a_second_export_does_not_overwrite_the_first(tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    first, second = exported(animator).result, exported(animator).result
    assert first != second and first.exists() and second.exists()


def test_progress_and_result_are_shown_by_the_clock(tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    panel = exported(animator)
    assert "wrote 21 of 21 frames" in panel._note.value and panel._work._line.layout.visibility == "hidden"
    assert panel._preview.value[:6] == b"GIF89a"
    assert not is_playing(panel._work._clock_widget)


def test_an_export_can_be_paused_continued_and_stopped_and_keeps_its_frames(tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    animator._seconds.value = 600
    panel = animator.export_panel
    panel._work.hello()  # a page is there: nothing is done but by its ticks
    panel._start.click()
    panel._work.tick()
    panel._work._pause.click()
    done = panel.export.progress.done
    assert panel.export.status == "paused" and panel._work._pause.description == "go on" and done > 0
    panel._work.tick()
    assert panel.export.progress.done == done
    panel._work._pause.click()
    while panel.export.progress.done < done + 3:
        panel._work.tick()
    panel._work._stop.click()
    assert panel.export.status == "stopped" and "stopped; wrote" in panel._note.value
    with Image.open(panel.result) as gif:
        assert gif.n_frames >= 3


def test_closing_the_widget_ends_the_export(tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    animator._seconds.value = 600
    panel = animator.export_panel
    panel._work.hello()
    panel._start.click()
    panel._work.tick()
    panel.close()
    assert panel.export.status == "stopped"


def test_a_frame_that_fails_is_reported_with_what_was_written(tmp_path):
    animator, _, _ = make(keys=(2, -2), tmp_path=tmp_path)
    panel = exported(animator)
    assert panel.export.status == "failed"
    assert "cannot be drawn" in panel._note.value and panel.result.exists()


def test_an_export_without_snapshots_says_what_to_do(tmp_path):
    animator, _, _ = make(keys=(), tmp_path=tmp_path)
    animator.export_panel._start.click()
    assert "at least 2 snapshots" in animator.export_panel._note.value and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a/b", "../x"])
def test_a_name_with_folders_is_refused(name, tmp_path):
    animator, _, _ = make(tmp_path=tmp_path)
    animator.export_panel._name.value = name
    animator.export_panel._start.click()
    assert "plain file name" in animator.export_panel._note.value and list(tmp_path.iterdir()) == []


def test_mp4_without_a_codec_disables_the_button_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr(mp4, "find_ffmpeg", lambda: None)
    monkeypatch.setattr(mp4, "find_pyav", lambda: None)
    animator, _, _ = make()
    panel = animator.export_panel
    panel._kind.value = "MP4"
    assert panel._start.disabled and "pip install imageio-ffmpeg" in panel._note.value
    panel._kind.value = "GIF"
    assert not panel._start.disabled and panel._note.value == ""
