"""The probe without a front end: one value, channels to move, places and examples to search by."""

from __future__ import annotations

import gc
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from stylewidgets import stylespace
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.jobs import Progress
from stylewidgets.latent.latent import Code, Direction, Latent
from stylewidgets.session.session import GeneratorSession
from stylewidgets.stylespace import Channel
from stylewidgets.stylespace.reports.spaces import SPACES
from stylewidgets.stylespace.reports.table import Curve, Row
from stylewidgets.widgets.latent_explorer.explorer import LatentExplorer
from stylewidgets.widgets.style_mix_grid.grid import StyleMixGrid
from stylewidgets.widgets.style_space_probe.find_panel import BY_ATTRIBUTE, BY_EXAMPLE, BY_PLACE, ONE_THING
from stylewidgets.widgets.style_space_probe.panels import EDITS, FIND, REPORT, SAVE
from stylewidgets.widgets.style_space_probe.probe import StyleSpaceProbe
from stylewidgets.widgets.style_space_probe.search import ATTRIBUTE, EFFECT, PLACE, VALUE
from stylewidgets.widgets.style_space_probe.steps import close_up

W_DIM = 8
SAMPLES = 100


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=W_DIM, w_dim=W_DIM, c_dim=0, resolution=16, channels=(6, 6, 4), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), name="toy", device=device)


@pytest.fixture
def probe(session: GeneratorSession) -> Iterator[StyleSpaceProbe]:
    made = StyleSpaceProbe(session, samples=SAMPLES)
    made._ipython_display_()
    yield made
    made.close()


def pixels(probe: StyleSpaceProbe) -> Any:
    return np.asarray(Image.open(io.BytesIO(bytes(probe.picture.view.frame))))


def shows_its_value(probe: StyleSpaceProbe) -> bool:
    return np.array_equal(pixels(probe), np.asarray(probe.session.render(probe.value)))


def values(probe: StyleSpaceProbe) -> Any:
    return np.frombuffer(probe.view.values, "<f4")


def say(probe: StyleSpaceProbe, kind: str, **more: Any) -> None:
    probe.view._handle_custom_msg(json.loads(json.dumps({"type": kind, **more})), [])


def open_panel(probe: StyleSpaceProbe, name: str) -> Any:
    probe._panels._switcher.selected = name
    return probe._panels._switcher.made(name)


def find(probe: StyleSpaceProbe, way: str) -> Any:
    open_panel(probe, FIND).way = way
    return probe._panels.find.made(way)


def stroke(brush: Any, *places: tuple[int, int], radius: int = 14, erase: bool = False) -> None:
    """What the page says when a stroke along these places (x, y) has ended."""
    mask = brush.mask
    rows, columns = np.ogrid[: len(mask), : len(mask)]
    for x, y in places:
        mask[(columns - x) ** 2 + (rows - y) ** 2 <= radius**2] = not erase
    brush.set_state({"paint": memoryview(np.packbits(mask).tobytes())})


def slider(probe: StyleSpaceProbe) -> Any:
    return probe._panels._strength.rows.handles["strength"]


def registry() -> dict[str, Any]:
    """Every open widget by its model id; kept elsewhere in ipywidgets 7."""
    known = getattr(ipywidgets.widgets.widget, "_instances", None)
    return ipywidgets.Widget.widgets if known is None else known


# -- starting -----------------------------------------------------------------------------------------------------------
def test_it_starts_with_the_picture_of_its_value_and_every_channel_on_the_map(probe: StyleSpaceProbe) -> None:
    layers = probe.session.layers
    assert shows_its_value(probe) and probe.value == probe.session.latent(seed=0) and probe.view.error == ""
    assert [layer["channels"] for layer in probe.view.layers] == [layer.channels for layer in layers]
    assert [layer["name"] for layer in probe.view.layers if layer["kind"] == "torgb"] == [
        "b4.torgb",
        "b8.torgb",
        "b16.torgb",
    ]
    assert probe.view.layers[0]["words"] == "4×4 shape" and probe.view.layers[-1]["words"] == "16×16 colour"
    stats = stylespace.statistics(probe.session, SAMPLES)
    wanted = stats.in_sigma(probe.session.code_styles(probe.value))
    probe._panels._measure.value = VALUE
    assert np.allclose(values(probe), wanted, atol=1e-5) and probe.view.scale["unit"] == "σ"


def test_unknown_keywords_and_values_that_do_not_fit_are_refused(session: GeneratorSession) -> None:
    with pytest.raises(TypeError, match="did you mean 'samples'"):
        StyleSpaceProbe(session, sampels=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="shape"):
        StyleSpaceProbe(session, Latent(code=Code("w", np.zeros(99))))


def test_the_notebook_keeps_a_picture(probe: StyleSpaceProbe) -> None:
    data, mime, words = probe.saved._picture
    assert Image.open(io.BytesIO(data)).size == (16, 16) and mime == "image/png" and "seed 0" in words


# -- one channel --------------------------------------------------------------------------------------------------------
def test_a_click_selects_a_channel_and_shows_its_effect_as_plain_compute_has_it(probe: StyleSpaceProbe) -> None:
    say(probe, "pick", channel=13)
    probe.finish()
    channel = Channel.of(13, probe.session.layers)
    assert probe.selected == channel and probe.view.selected == 13
    wanted = stylespace.effect(
        probe.session, probe.value, channel, (-3.0, 0.0, 3.0), stats=stylespace.statistics(probe.session, SAMPLES)
    )
    panel = probe._panels.effect
    assert np.array_equal(panel.pictures, wanted.pictures) and np.allclose(panel.heat, wanted.heat)
    assert Image.open(io.BytesIO(panel._images[0].value)).size == (16, 16)
    assert "<svg" in panel._histogram.value and channel.paper in panel._histogram.value
    assert "ToRGB" in panel._scores.value or "convolution" in panel._scores.value


def test_names_are_those_of_the_paper_and_nonsense_is_shown(probe: StyleSpaceProbe) -> None:
    probe.select("2_3")
    assert probe.selected == Channel(2, 3)
    say(probe, "name", text="99_1")
    assert probe.selected == Channel(2, 3) and "layer 99" in probe.view.error
    say(probe, "name", text="0_1")
    assert probe.selected == Channel(0, 1) and probe.view.error == ""
    with pytest.raises((ValueError, traitlets.TraitError)):
        probe.selected = Channel(0, 600)


def test_the_slider_moves_the_channel_by_sigmas_and_one_drag_is_one_step(probe: StyleSpaceProbe) -> None:
    probe.select("2_3")
    probe._panels._measure.value = VALUE
    probe._history._clock = lambda: 0.0
    before = values(probe)
    for strength in (0.5, 1.0, 4.0):
        slider(probe).value = strength
    flat = Channel(2, 3).flat(probe.session.layers)
    assert probe.strength("2_3") == 4.0 and shows_its_value(probe) and probe.view.marked == [flat]
    probe.search.settled()
    moved = values(probe) - before
    assert moved[flat] == pytest.approx(4.0, abs=1e-4) and np.allclose(np.delete(moved, flat), 0, atol=1e-5)
    probe.undo()
    assert probe.value.edits == () and slider(probe).value == 0.0 and probe.view.marked == [] and shows_its_value(probe)
    probe.redo()
    assert probe.strength("2_3") == 4.0 and slider(probe).value == 4.0


def test_a_style_edit_agrees_with_styles_that_are_moved_by_hand(probe: StyleSpaceProbe) -> None:
    probe.set_strength("3_1", 2.5)
    session = probe.session
    styles = [s.clone() for s in session.styles(session.map(session.latent(seed=0)))]
    styles[3][0, 1] += 2.5 * float(stylespace.statistics(session, SAMPLES).std[Channel(3, 1).flat(session.layers)])
    assert torch.allclose(session.synthesize(styles), session.synthesize(session.code_styles(probe.value)), atol=1e-5)


def test_the_outer_pictures_can_be_taken_over(probe: StyleSpaceProbe) -> None:
    probe.select("2_3")
    probe.finish()
    probe._panels.effect._uses[2].click()
    assert probe.strength("2_3") == 3.0


def test_the_effect_is_that_of_the_latent_without_this_channel_s_edit(probe: StyleSpaceProbe) -> None:
    probe.select("2_3")
    probe.finish()
    before = probe._panels.effect.pictures
    probe.set_strength("2_3", 5.0)
    probe.finish()
    assert np.array_equal(probe._panels.effect.pictures, before)
    probe.set_strength("1_2", 5.0)
    probe.finish()
    assert not np.array_equal(probe._panels.effect.pictures, before)


# -- channels that do one thing ---------------------------------------------------------------------------------------
def row(factor: str, channel: tuple[int, int], mean: float) -> Any:
    curve = Curve(2.0, mean, mean, (1.0, 2.0), (0.3, 0.5), (mean, mean), (mean, mean))
    return Row(factor, channel, "", -1, -0.2, curve, curve)


def test_it_opens_with_the_channels_that_do_one_thing(
    session: GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (row("hair_hue cos", (2, 3), 0.09), row("gaze_x", (4, 1), 0.02), row("yaw", (1, 0), 0.3))
    report = stylespace.Report("weights", SAMPLES, 4, rows, {})
    monkeypatch.setattr("stylewidgets.widgets.style_space_probe.search.shipped_report", lambda session: report)
    probe = StyleSpaceProbe(session, samples=SAMPLES)
    probe._ipython_display_()
    probe.finish()
    panel = probe._panels.find.made(ONE_THING)
    assert [card["title"] for card in panel.cards.cards] == ["gaze x", "hair hue"], (
        "the cleanest first; yaw moves much else"
    )
    assert panel.cards.cards[0]["light"] == "good" and panel.cards.cards[1]["light"] == "fair"
    sheet = Image.open(io.BytesIO(panel.cards.sheet)).convert("L")  # a JPEG: it is exact in grey
    moved = probe.value.with_edit(probe.search.direction(Channel(4, 1), probe.value), -6.0)
    before, after = session.images([probe.value, moved], resolution=192)
    wanted = np.asarray(Image.fromarray(close_up(before, after, 96)).convert("L"), int)
    assert sheet.size == (2 * 96, 96)
    assert np.abs(np.asarray(sheet, int)[:, :96] - wanted).mean() < 6, "the picture has the channel moved to its side"
    panel.cards.set_state({"chosen": 1})
    assert probe.selected == Channel(2, 3) and "hair hue: 8×8 shape, 3" in probe._panels._strength._about.value
    probe.select("4_1")
    assert panel.cards.chosen == 0
    probe.select("0_0")
    assert panel.cards.chosen == -1
    probe.close()


# -- searching ----------------------------------------------------------------------------------------------------------
def mask() -> Any:
    made = np.zeros((16, 16), bool)
    made[4:10, 5:11] = True
    return made


def test_the_search_by_place_is_the_one_of_plain_compute_and_colours_the_map(probe: StyleSpaceProbe) -> None:
    found = probe.find_place(mask())
    stats = stylespace.statistics(probe.session, SAMPLES)
    *_, wanted = stylespace.local_effect(probe.session, [probe.value], stats, mask())
    assert found.top(5) == wanted.top(5) and probe._panels._measure.value == PLACE
    assert np.allclose(values(probe), wanted.table["strength"], rtol=2e-3)  # maps are kept in half precision


def test_paint_is_searched_through_the_page_slice_by_slice_and_can_be_stopped(probe: StyleSpaceProbe) -> None:
    panel = find(probe, BY_PLACE)
    stroke(panel.pad, (100, 100), (120, 110), (140, 120))
    assert panel.pad.mask[100, 100] and panel.pad.mask[110, 120] and not panel.pad.mask[200, 200]
    assert "% of the picture is painted" in panel._about.value
    probe._work.hello()
    probe._work._clock = iter(range(10**9)).__next__  # every slice is one step
    panel.find()
    assert probe._work.busy(PLACE) and PLACE not in probe.search.rankings
    probe._work.tick()
    assert len(panel.ranked._select.options) > 5 and "first estimate" in panel.ranked._note.value
    probe._work.stop()
    assert not probe._work.busy() and len(panel.ranked._select.options) > 5
    panel.find()
    while probe._work.busy():
        probe._work.tick()
    best = probe.search.rankings[PLACE].channels[0]
    assert panel.ranked._select.options[0][1] == best and "estimate" not in panel.ranked._note.value
    panel.ranked._select.value = best
    assert probe.selected == best


def test_paint_can_be_erased_and_cleared(probe: StyleSpaceProbe) -> None:
    pad = find(probe, BY_PLACE).pad
    stroke(pad, (128, 128), radius=40)
    assert pad.mask[128, 128] and pad.mask_at(16, 16)[8, 8] and not pad.mask_at(16, 16)[0, 0]
    stroke(pad, (128, 128), erase=True)
    assert not pad.mask[128, 128] and pad.mask[128, 160]
    pad.clear()
    assert not pad.mask.any() and pad.paint == b""
    with pytest.raises(ValueError, match="paint on the picture first"):
        probe.search.find_place()


def test_the_brush_lies_on_the_picture_while_a_place_is_searched(probe: StyleSpaceProbe) -> None:
    pad = find(probe, BY_PLACE).pad
    assert pad.active and pad in probe._panels._stack.children
    open_panel(probe, EDITS)
    assert not pad.active
    open_panel(probe, FIND)
    assert pad.active
    find(probe, BY_EXAMPLE)
    assert not pad.active


def test_a_function_of_the_user_names_regions(session: GeneratorSession) -> None:
    seen = []

    def segment(picture: Any) -> Any:
        seen.append(picture.shape)
        return np.repeat([[0], [1]], 8, axis=0).repeat(16, axis=1)

    probe = StyleSpaceProbe(session, samples=SAMPLES, segment=segment, regions=("top", "bottom"))
    panel = find(probe, BY_PLACE)
    panel._region.value = 1
    assert panel.pad.mask_at(16, 16)[8:].all() and not panel.pad.mask_at(16, 16)[:8].any()
    found: Any = probe.find_place(region="bottom", pictures=2)
    assert found.pictures == 2 and seen[0] == (16, 16, 3)
    with pytest.raises(ValueError, match="did you mean 'bottom'"):
        probe.find_place(region="botom")
    probe.close()


def test_the_effect_on_the_whole_picture_is_measured_when_it_is_asked_for(probe: StyleSpaceProbe) -> None:
    probe.finish()
    assert "estimated" in probe.view.scale["measure"], "the map opens with an estimate"
    assert np.isfinite(values(probe)).all() and values(probe).min() >= 0 and "grey" in probe.view.scale["unit"]
    probe.search.find_effect()
    probe.finish()
    assert "estimated" not in probe.view.scale["measure"] and np.isfinite(values(probe)).all()
    probe._panels._measure.value = VALUE
    assert probe.view.scale["unit"] == "σ"


def test_examples_are_ticked_and_ranked_by_theta(probe: StyleSpaceProbe) -> None:
    panel = find(probe, BY_EXAMPLE)
    panel.sheet.chosen = [0, 3, 5]
    panel.find()
    session = probe.session
    wanted = stylespace.attribute_ranking(
        session, stylespace.statistics(session, SAMPLES), [session.latent(seed=seed) for seed in (0, 3, 5)]
    )
    assert probe.search.rankings["examples"].top(5) == wanted.top(5)
    assert panel.ranked._select.options[0][1] == wanted.channels[0]
    panel._page(1)
    assert panel.positives == [0, 3, 5] and panel.sheet.chosen == []
    panel._page(-1)
    assert panel.sheet.chosen == [0, 3, 5]
    assert probe.find_examples([0, 3, 5]).top(3) == wanted.top(3)


def test_the_sheet_of_examples_does_not_wait_for_a_long_search(probe: StyleSpaceProbe) -> None:
    say(probe, "hello")  # from now on the page ticks
    # The toy's own search may be over before a slice is: one that never is.
    probe._work.run(EFFECT, (Progress() for _ in itertools.repeat(None)), lambda _: pytest.fail("it has no end"))
    panel = find(probe, BY_EXAMPLE)
    assert "drawing" in panel._about.value
    while probe._work.busy("sheet"):
        probe._work.tick()
    assert len(panel.sheet.names) == 40 and probe._work.busy(EFFECT) and panel._about.value.count("drawing") == 0


@pytest.fixture
def reader() -> stylespace.Reader:
    """Brightness of the halves and the corner of a picture: differentiable, without a network."""

    def read(pictures: torch.Tensor) -> torch.Tensor:
        parts = (pictures[:, :, :8], pictures[:, :, 8:], pictures[:, :, :4, :4])
        return torch.stack([part.mean(dim=(1, 2, 3)) for part in parts], dim=1)

    return stylespace.Reader(("top", "bottom", "corner"), read)


def test_attributes_are_ranked_by_effect_and_by_correlation(
    session: GeneratorSession, reader: stylespace.Reader
) -> None:
    probe = StyleSpaceProbe(session, samples=SAMPLES, reader=reader)
    panel = find(probe, BY_ATTRIBUTE)
    panel._names.value = "bottom"
    panel.find()
    probe.finish()
    assert probe._panels._measure.value == ATTRIBUTE and probe.view.scale["palette"] == "diverging"
    stats = probe.search.statistics
    readings = stylespace.read_samples(session, stats, reader)
    effects = stylespace.factor_effects(session, stats, reader, readings.std(axis=0), faces=8)
    wanted = stylespace.effect_ranking(session, stats, effects, reader)["bottom"]
    assert panel.ranked._select.options[0][1] == wanted.channels[0]
    panel._names.value = "top"  # known already
    assert "top" in panel.ranked._note.value and not probe._work.busy()
    found = probe.find_attribute("top", "correlation")
    assert found.top(3) == stylespace.factor_ranking(session, stats, readings, reader.names)["top"].top(3)
    with pytest.raises(ValueError, match="did you mean 'top'"):
        probe.find_attribute("tob")
    probe.close()


def test_a_generator_without_a_reader_says_what_is_missing(probe: StyleSpaceProbe) -> None:
    assert "reader=" in find(probe, BY_ATTRIBUTE).children[1].value
    with pytest.raises(ValueError, match="reader="):
        probe.report()


@pytest.mark.slow
def test_the_report_has_all_spaces_and_a_figure(session: GeneratorSession, reader: stylespace.Reader) -> None:
    probe = StyleSpaceProbe(session, samples=SAMPLES, reader=reader)
    panel = open_panel(probe, REPORT)
    panel.start()
    probe.finish()
    assert probe.view.error == "" and set(panel.report.dci) == set(SPACES)
    stats = probe.search.statistics
    codes = stats.values[:, ~stylespace.is_torgb(session.layers)].astype(np.float32)
    wanted = stylespace.dci(codes, stylespace.read_samples(session, stats, reader))
    assert panel.report.dci["s"][0] == pytest.approx(wanted.disentanglement)
    assert Image.open(io.BytesIO(panel._image.value)).width > 700
    assert "disentanglement: " in panel._said.value and not panel._save.disabled
    probe.close()


def test_a_report_that_comes_with_the_generator_is_there_at_once(
    probe: StyleSpaceProbe, reader: stylespace.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stylespace.Report("weights", SAMPLES, 4, (), {"s": (0.5, 0.4, 0.3), "w": (0.2, 0.2, 0.2)})
    monkeypatch.setattr("stylewidgets.widgets.style_space_probe.search.shipped_report", lambda session: made)
    probe.search.__dict__.pop("shipped")
    probe.search._reader = reader
    say(probe, "hello")
    probe.search.find_effect()
    panel = open_panel(probe, REPORT)
    panel.start()
    assert panel.report is made and probe._work.busy(EFFECT) and len(panel._image.value) > 0


# -- edits --------------------------------------------------------------------------------------------------------------
def test_channels_become_one_direction_and_the_picture_stays(probe: StyleSpaceProbe, tmp_path: Path) -> None:
    probe.set_strength("2_3", 3.0)
    probe.set_strength("4_1", -1.5)
    before = np.asarray(probe.image)
    direction = probe.save_direction("both", tmp_path / "mine.safetensors")
    assert [edit.name for edit in probe.value.edits] == ["both"] and np.count_nonzero(direction.vector) == 2
    assert np.abs(np.asarray(probe.image).astype(int) - before).max() <= 1
    from stylewidgets.directions import DirectionSet

    assert DirectionSet.load(tmp_path / "mine.safetensors")["both"] == direction
    probe.undo()
    assert len(probe.value.edits) == 2
    with pytest.raises(ValueError, match="no channel is edited"):
        probe.value = probe.session.latent(seed=1)
        probe.save_direction("none")


def test_the_latent_goes_to_an_explorer_and_a_grid(session: GeneratorSession) -> None:
    grid = StyleMixGrid(session, rows=[1], columns=[2])
    probe = StyleSpaceProbe(session, samples=SAMPLES, grid=grid)
    probe.set_strength("2_3", 3.0)
    explorer = probe.send()
    assert isinstance(explorer, LatentExplorer) and explorer.value == probe.value and probe.send() is explorer
    open_panel(probe, EDITS)._send_to_grid()
    assert grid.value.rows[-1] == probe.value
    probe.close()
    grid.close()


def test_a_link_with_an_explorer_carries_style_edits_both_ways(probe: StyleSpaceProbe) -> None:
    explorer = LatentExplorer(probe.session)
    link = traitlets.link((probe, "value"), (explorer, "value"))
    probe.select("2_3")
    slider(probe).value = 2.0
    assert explorer.value == probe.value and explorer.value.edits[-1].name == "2_3"
    explorer.value = explorer.value.with_edit(explorer.value.edits[-1].with_strength(-1.0))
    assert probe.strength("2_3") == -1.0 and slider(probe).value == -1.0 and shows_its_value(probe)
    link.unlink()
    explorer.close()


# -- files, code, errors, end --------------------------------------------------------------------------------------------
def test_the_effect_of_a_channel_is_written_as_a_figure(probe: StyleSpaceProbe, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no channel is selected"):
        probe.figure()
    probe.select("2_3")
    assert "2_3" in probe.save_figure(tmp_path / "effect.svg").read_text()


def test_code_makes_exactly_this_picture(probe: StyleSpaceProbe) -> None:
    probe.set_strength("2_3", 3.0)
    probe.set_strength("4_1", -1.5)
    probe.value = probe.value.with_edit(Direction("w", np.arange(W_DIM)), 0.1)
    open_panel(probe, SAVE)
    text = probe.code().replace("import stylewidgets as sw", "import stylewidgets as sw; session = given")
    scope: dict[str, Any] = {"given": probe.session}
    exec(text, scope)  # noqa: S102  what the code box is for
    assert np.array_equal(np.asarray(scope["image"]), np.asarray(probe.image)) and len(text) < 3000


def test_a_state_is_saved_and_loaded(probe: StyleSpaceProbe, tmp_path: Path) -> None:
    probe.set_strength("2_3", 3.0)
    path = probe.save(tmp_path / "state.npz")
    value = probe.value
    probe.randomize()
    probe.load(path)
    assert probe.value == value and probe.strength("2_3") == 3.0


def test_a_failing_computation_shows_in_the_widget(session: GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Iterator[Progress]:
        yield Progress()
        raise RuntimeError("out of memory")

    monkeypatch.setattr(stylespace.statistics, "steps", fail)
    probe = StyleSpaceProbe(session, samples=SAMPLES)
    probe._ipython_display_()
    assert "out of memory" in probe.view.error and shows_its_value(probe)
    say(probe, "pick", channel=3)
    slider(probe).value = 1.0
    assert probe.value.edits == ()
    monkeypatch.undo()
    probe.set_strength("2_3", 1.0)
    assert probe.strength("2_3") == 1.0 and shows_its_value(probe)
    probe.close()


def test_keys_undo_and_unknown_messages_do_nothing(probe: StyleSpaceProbe) -> None:
    probe.set_strength("2_3", 3.0)
    say(probe, "key", key="z")
    assert probe.value.edits == ()
    say(probe, "nonsense")
    say(probe, "pick", channel=10**6)
    assert "index" in probe.view.error


def test_closing_leaves_no_widget_and_no_thread(session: GeneratorSession) -> None:
    import threading

    gc.collect()
    before, threads = set(registry()), threading.active_count()
    probe = StyleSpaceProbe(session, samples=SAMPLES)
    for name in probe._panels._switcher.names:
        probe._panels._switcher.selected = name
    probe.select("2_3")
    probe.send()
    probe._work.hello()
    probe.search.start()
    probe._work.tick()
    probe.close()
    assert set(registry()) == before and threading.active_count() == threads


def test_a_small_change_is_seen_from_near_and_a_large_one_whole() -> None:
    before = np.full((16, 16, 3), 40, np.uint8)
    spot = before.copy()
    spot[9:13, 2:6] = 240
    near = close_up(before, spot, 32)
    assert near.shape == (32, 32, 3) and 0.2 < np.mean(near > 140) < 0.3  # a sixteenth of the whole
    stripes = before.copy()
    stripes[::8] = 240
    assert np.mean(close_up(before, stripes, 16) > 140) == 2 / 16
    assert np.array_equal(close_up(before, before, 16), before)
