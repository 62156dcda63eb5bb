"""The inversion viewer without a front end: runs that pause, go on and fork, and what is shown of them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets.directions import sample_w
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion import METHODS, Result, Target, invert
from stylewidgets.inversion.evaluation import scales
from stylewidgets.inversion.evaluation.realism import code_statistics, flat_styles
from stylewidgets.latent.latent import Latent
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.inversion_viewer.curves import curves
from stylewidgets.widgets.inversion_viewer.panels import RUNS
from stylewidgets.widgets.inversion_viewer.realism import light, scale, sentence
from stylewidgets.widgets.inversion_viewer.settings import MethodPanel
from stylewidgets.widgets.inversion_viewer.viewer import InversionViewer

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
    viewer._panels._switcher.selected = RUNS
    assert viewer._panels.runs.table.rows == []
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


def test_the_three_cards_choose_a_method_each_and_all_are_behind_them(session: GeneratorSession) -> None:
    panel = MethodPanel(session, "projector", {"steps": 7})
    assert [card["title"] for card in panel.cards.cards] == ["Fast", "Balanced", "Exact"]
    assert panel._form is None and panel.settings["steps"] == 7, "the settings are there before their controls"
    panel.cards.set_state({"chosen": 2})
    assert panel.method == "pti" and panel.settings == METHODS["pti"].checked({})
    panel._all.click()
    assert panel._menu in panel.children and panel.form in panel.children and panel._menu.value == "pti"
    panel._menu.value = "image2stylegan"
    assert panel.cards.chosen == -1 and panel.method == "image2stylegan"
    panel.choose("projector", {"steps": 9})
    assert panel.settings["steps"] == 9 and panel.form.controls["steps"].value == 9
    panel._all.click()
    assert panel.form not in panel.children and panel.settings["steps"] == 9


@pytest.mark.parametrize("method", ["projector", "pti", "fast", "psp"])
def test_only_methods_from_a_paper_offer_the_values_of_the_paper(session: GeneratorSession, method: str) -> None:
    panel = MethodPanel(session, method, {})
    words = [each.description for each in panel.form.children[-1].children if hasattr(each, "description")]
    assert ("the paper's values" in words) == (method in ("projector", "pti"))


def test_a_file_that_is_dropped_becomes_the_target_and_nonsense_is_shown(viewer: InversionViewer) -> None:
    ramp = np.linspace(0, 255, 16).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (16, 1))] * 3, axis=2)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    viewer.view._handle_custom_msg({"type": "file", "name": "a.png"}, [memoryview(data.getvalue())])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(viewer.view.target))), picture)
    assert "'a.png'" in viewer.code() and viewer.view.error == ""
    viewer.view._handle_custom_msg({"type": "file", "name": "b.png"}, [memoryview(b"no picture")])
    assert "b.png" in viewer.view.error
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(viewer.view.target))), picture), "the target stays"


def test_the_seed_of_the_target_is_shown(session: GeneratorSession) -> None:
    viewer = InversionViewer(session, session.latent(seed=5), **SETTINGS)
    assert viewer._panels.target.seed.value == 5
    viewer.set_target(session.latent(seed=8))
    assert viewer._panels.target.seed.value == 8
    viewer.close()


def test_after_a_run_the_result_lies_over_the_target_unless_a_comparison_was_chosen(viewer: InversionViewer) -> None:
    assert viewer.view.mode == "side"
    viewer.start()
    viewer.finish()
    assert viewer.view.mode == "swipe"
    viewer.view.set_state({"mode": "side"})
    viewer.start()
    viewer.finish()
    assert viewer.view.mode == "side"


def test_a_run_has_a_card_with_its_picture_and_a_light(viewer: InversionViewer) -> None:
    cards = viewer._panels.runs.cards
    assert cards.cards == [] and "No run yet" in viewer._panels.runs._none.value
    first = viewer.start()
    viewer.finish()
    (card,) = cards.cards
    assert card["title"] == "Image2StyleGAN" and any("closeness" in line for line in card["lines"])
    wanted = light(first.figures)
    assert card["light"] == wanted and f'data-light="{wanted}"' in viewer._panels.realism.value
    assert np.asarray(Image.open(io.BytesIO(cards.sheet))).shape == (96, 96, 3)
    viewer.start(method="projector", steps=2)
    viewer.finish()
    cards.set_state({"chosen": 0})
    assert viewer.current is first and cards.chosen == 0


def test_the_card_of_a_run_shows_where_it_is_while_it_goes_on(viewer: InversionViewer) -> None:
    viewer.start()
    cards = viewer._panels.runs.cards
    before = cards.sheet
    advance(viewer, 1)
    assert viewer.running and viewer.current.thumbnail is not None
    viewer._panels.progress(viewer.current, now=True)
    viewer._panels.runs.refresh()
    assert cards.sheet != before


def test_the_light_of_realism_goes_from_green_to_red() -> None:
    figures = [{"realism": value, "usual_realism": 1.3} for value in (0.9, 2.1, 4.0)]
    assert [light(each) for each in figures] == ["good", "fair", "poor"]
    assert len({sentence(each) for each in figures}) == 3 and sentence({"psnr": 30.0}) == ""


def test_the_light_of_a_method_with_a_scale_says_what_is_usual_after_it() -> None:
    usual = {"usual_realism": 1.3, "method_realism": 3.0, "method_realism_most": 3.5}
    figures = [{"realism": value, **usual} for value in (1.2, 3.2, 3.6)]
    assert [light(each) for each in figures] == ["good", "fair", "poor"]
    assert "like the generator" in sentence(figures[0]) and "as is usual after this method" in sentence(figures[1])
    assert "edits spill over (realism 3.6; its own faces up to 1.3, this method mostly up to 3.5)" in sentence(
        figures[2]
    )
    assert light({"realism": 3.2, "usual_realism": 1.3}) == "poor"  # without the scale it would warn


def test_the_scale_is_that_of_the_nearest_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"method": "hybrid", "space": "w+", "steps": 50, "pictures": 12, "median": 2.0, "most": 2.5}
    table = {"codes": {"mine": {}}, "inversions": [one, one | {"steps": 200, "median": 3.0, "most": 3.5}]}
    monkeypatch.setattr(scales, "_table", lambda: table)
    asked = [("mine", "hybrid", "w+", 90), ("mine", "hybrid", "w+", 110)]
    assert [scale(*each)["method_realism"] for each in asked] == [2.0, 3.0]
    assert (
        scale("other", "hybrid", "w+", 90) == scale("mine", "hybrid", "s", 90) == scale("mine", "fast", "w+", 90) == {}
    )


def test_scales_that_ship_are_in_order() -> None:
    codes = scales.of_codes("avatar-64")
    assert codes is not None and 0.9 < codes["median"] < 1.1 < codes["95 %"] < codes["99 %"] < 1.5
    assert scales.of_codes("somebody-else") is None
    for one in scales._table()["inversions"]:
        assert codes["median"] < one["median"] <= one["most"] and one["pictures"] >= 8


def test_the_light_is_green_for_all_but_a_hundredth_of_the_generators_own_codes(session: GeneratorSession) -> None:
    known = code_statistics(session)
    far = known.mahalanobis(flat_styles(session, "w", sample_w(session, 4000, seed=5)))
    green = [light({"realism": value, "usual_realism": known.usual}) == "good" for value in far]
    assert 0.98 < np.mean(green) < 0.997


def test_the_curve_has_one_term_until_all_are_asked_for() -> None:
    history = [{"loss": 1.0, "perceptual": 0.5, "noise": 0.1}, {"loss": 0.9, "perceptual": 0.4, "noise": 0.1}]
    assert curves(history, 2, whole=False).count("<polyline") == 1 and "perceptual 0.4" in curves(history, 2, False)
    assert curves(history, 2).count("<polyline") == 3


def test_what_is_opened_stands_beside_it_and_can_be_closed(viewer: InversionViewer) -> None:
    viewer.start()
    viewer.finish()
    viewer._panels.bar.press("explore")
    opened = viewer._panels.beside.opened
    assert opened is not None and opened.value.code is not None
    viewer._panels.beside.shut()
    assert viewer._panels.beside.children == ()


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
