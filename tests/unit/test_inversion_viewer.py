"""The inversion viewer without a front end: runs that pause, go on and fork, and what is shown of them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion import METHODS, Result, Target, invert
from stylewidgets.latent.latent import Latent
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.inversion_viewer.curves import curves
from stylewidgets.widgets.inversion_viewer.settings import MethodPanel
from stylewidgets.widgets.inversion_viewer.viewer import InversionViewer
from stylewidgets.widgets.kit import compat as _compat

SETTINGS: dict[str, Any] = {"method": "image2stylegan", "perceptual": 0.0, "steps": 6, "rate": 0.05}


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, w_dim=8, c_dim=0, resolution=16, channels=(6, 6, 4), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), name="toy", device=device)


@pytest.fixture
def viewer(session: GeneratorSession) -> Iterator[InversionViewer]:
    made = InversionViewer(session, **SETTINGS)
    made._work.hello()  # a page is there: nothing is done but by its ticks
    yield made
    made.close()


def shown(viewer: InversionViewer) -> Any:
    return np.asarray(Image.open(io.BytesIO(viewer.view.result)))


def advance(viewer: InversionViewer, steps: int) -> None:
    viewer._work._clock = itertools.count().__next__  # every slice is one step
    while viewer.current.step < steps:
        viewer._work.tick()


def test_the_final_picture_is_that_of_the_pure_call(viewer: InversionViewer, session: GeneratorSession) -> None:
    viewer.start()
    viewer.finish()
    wanted = invert(session, session.latent(seed=1), **SETTINGS)
    assert np.array_equal(viewer.result.code, wanted.code)
    assert np.array_equal(shown(viewer), wanted.images(session)[0])
    assert viewer.value == session.check(wanted.latent())
    assert viewer.view.error == ""


def test_a_paused_run_goes_on_with_the_next_step(viewer: InversionViewer, session: GeneratorSession) -> None:
    viewer.start()
    advance(viewer, 3)
    viewer.pause()
    assert (viewer.current.state, viewer.current.step, viewer.running) == ("paused", 3, False)
    assert np.array_equal(shown(viewer), viewer.result.images(session)[0])
    viewer.toggle()
    viewer.finish()
    assert np.array_equal(viewer.result.code, invert(session, session.latent(seed=1), **SETTINGS).code)


def test_a_stopped_run_keeps_its_result(viewer: InversionViewer) -> None:
    viewer.start()
    advance(viewer, 2)
    viewer.stop()
    assert viewer.current.state == "stopped"
    assert viewer.result.steps == 2
    assert np.isfinite(viewer.current.figures["psnr"])


def test_an_interrupt_leaves_the_result_and_the_run_can_go_on(
    viewer: InversionViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = viewer.start()
    advance(viewer, 2)

    def interrupted() -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(attempt.run, "_advance", interrupted)
        viewer._work.tick()
    assert (attempt.state, viewer.result.steps, viewer.running) == ("paused", 2, False)
    assert "interrupted at step 2" in viewer.view.error
    viewer.resume()
    viewer.finish()
    assert attempt.state == "done"


def test_an_error_is_shown_and_the_result_stays(viewer: InversionViewer, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = viewer.start()
    advance(viewer, 2)

    def broken() -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(attempt.run, "_advance", broken)
    viewer._work.tick()
    assert (attempt.state, viewer.result.steps) == ("failed", 2)
    assert "out of memory" in viewer.view.error


def test_a_fork_goes_on_from_where_the_other_is(viewer: InversionViewer) -> None:
    first = viewer.start()
    viewer.finish()
    second = viewer.fork(steps=9)
    viewer.finish()
    assert (first.step, second.step) == (6, 9)
    assert list(second.run.history[:6]) == list(first.run.history)
    with pytest.raises(ValueError, match="cannot go on"):
        viewer.fork(space="w", steps=12)


def test_a_row_restores_its_run(viewer: InversionViewer) -> None:
    first = viewer.start()
    viewer.finish()
    viewer._panels.method.choose("projector")
    viewer.start(method="image2stylegan", steps=2, perceptual=0.0, space="w")
    viewer.finish()
    table = viewer._panels.runs.table
    assert [row[0] for row in table.rows] == [1, 2]
    table.chosen = 0
    assert viewer.current is first
    assert viewer._panels.method.method == "image2stylegan"
    assert viewer._panels.method.settings["steps"] == 6
    assert viewer.value == first.latent()


def test_the_strip_shows_a_step_on_the_way(viewer: InversionViewer) -> None:
    viewer.start()
    viewer.finish()
    frame = viewer.current.run.frames[0]
    viewer._panels.way.value = 0
    assert np.array_equal(shown(viewer), frame.pictures[0])
    viewer._panels.way.value = viewer._panels.way.max
    assert viewer.value == viewer.current.latent()


def test_the_brush_says_what_counts(viewer: InversionViewer) -> None:
    viewer.mask = np.tri(16) > 0
    panel = viewer._panels.mask
    painted = viewer.mask
    panel.inverted = True
    assert np.array_equal(viewer.mask, 1 - painted)
    attempt = viewer.start()
    assert np.array_equal(attempt.target.mask[0, 0].numpy(), 1 - painted)
    viewer.pause()
    assert "% of the picture counts" in panel._about.value
    viewer.mask = None
    assert viewer.mask is None
    assert "whole picture" in panel._about.value


def test_the_table_follows_a_run_under_way(viewer: InversionViewer) -> None:
    viewer._panels._switcher.selected = "Runs"
    viewer.start()
    advance(viewer, 2)
    viewer._panels._drawn_at = viewer._stage._shown_at = float("-inf")
    advance(viewer, 3)
    assert viewer._panels.runs.table.rows[0][3:5] == ["running", 3]


@pytest.mark.slow
def test_controls_come_from_the_catalogue(session: GeneratorSession) -> None:
    for name, method in METHODS.items():
        panel = MethodPanel(session, name, {})
        assert panel.settings == method.checked({})


def test_settings_of_one_method_wait_while_another_is_chosen(session: GeneratorSession) -> None:
    panel = MethodPanel(session, "projector", {"steps": 7})
    panel._menu.value = "image2stylegan"
    panel._menu.value = "projector"
    assert panel.settings["steps"] == 7


def test_an_upload_is_read_from_both_versions() -> None:
    record = {"name": "a.png", "content": memoryview(b"xyz")}
    assert _compat.uploaded(SimpleNamespace(value=(record,))) == [("a.png", b"xyz")]
    assert _compat.uploaded(SimpleNamespace(value={"a.png": {"content": b"xyz"}})) == [("a.png", b"xyz")]


def test_a_saved_result_comes_back_as_a_row(viewer: InversionViewer, tmp_path: Path) -> None:
    viewer.start()
    viewer.finish()
    path = viewer.save(tmp_path / "found.safetensors")
    assert Result.load(path).report["psnr"] == viewer.current.figures["psnr"]
    picture = shown(viewer)
    loaded = viewer.load(path)
    assert (loaded.state, loaded.run) == ("from a file", None)
    assert np.array_equal(shown(viewer), picture)


def test_code_repeats_a_run_that_was_stopped(viewer: InversionViewer, session: GeneratorSession) -> None:
    viewer.start()
    advance(viewer, 3)
    viewer.stop()
    names: dict[str, Any] = {"session": session}
    exec(viewer.code(), names)  # noqa: S102
    assert np.array_equal(np.asarray(names["image"]), shown(viewer))


def test_a_value_from_outside_is_shown(viewer: InversionViewer, session: GeneratorSession) -> None:
    other = Latent(seed=5)
    viewer.value = other
    assert np.array_equal(shown(viewer), session.image(other))


def test_several_pictures_are_inverted_at_once(session: GeneratorSession) -> None:
    target = Target.of([session.latent(seed=1), session.latent(seed=2)], session)
    viewer = InversionViewer(session, target, **SETTINGS)
    viewer._work.hello()
    viewer.start()
    viewer.finish()
    viewer.show_picture(1)
    assert np.array_equal(shown(viewer), viewer.result.images(session)[1])
    viewer.close()


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(ValueError, match="projector"):
        InversionViewer(None, method="projektor")


def test_curves_leave_out_what_has_no_logarithm() -> None:
    history = [{"loss": 10.0 / (k + 1), "noise": 0.0, "other": float("nan")} for k in range(1000)]
    text = curves(history, 2000)
    assert text.count("<polyline") == 1
    assert text.count(",") < 600
    assert "noise" not in text
