"""The tool "Drag" of the explorer, used as a reader uses it: points, a mask, drag, stop, go on, scrub, reverse, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import domain, editing
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.kit.views.points import PointSheet

from .test_dragging import HANDLES, TARGETS, finished
from .test_dragging import session as session  # the fixture

STEPS = 6


@pytest.fixture
def tool(session: GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    explorer = sw.LatentExplorer(session, session.latent(seed=3), tools=("drag",))
    found = explorer.tools["drag"]
    found.form.raw = {"steps": STEPS, "lr": 0.05, "near": 0.0}
    found.sheet.show(HANDLES, TARGETS)
    yield found
    explorer.close()


def pure(tool: Any, start: Any, mask: Any = None, **settings: Any) -> editing.Way:
    return finished(editing.drag(tool._host.session, start, HANDLES, TARGETS, mask, **{**tool.form.values, **settings}))


def read(tool: Any, *points: Any) -> None:
    """Points as the page sends them."""
    tool.sheet.set_state({"points": [list(map(list, point)) for point in points]})


def test_the_same_points_in_the_tool_and_in_a_script_give_the_same_picture(tool: Any) -> None:
    start = tool._host.value
    tool.go.click()
    tool.work.finish()
    way = pure(tool, start)
    assert tool._host.value == way.latent() and len(way) == STEPS
    assert np.array_equal(np.asarray(tool._host.image), tool._host.session.image(way.latent()))
    assert "All steps are done" in tool._said.value and not tool.place.error


def test_points_travel_with_the_picture_and_go_back_with_it(tool: Any) -> None:
    tool.go.click()
    tool.work.finish()
    way = tool.run.result()
    assert np.array_equal(tool.sheet.handles, way.points[-1]) and np.array_equal(tool.sheet.targets, way.targets)
    tool._host.undo()
    assert np.array_equal(tool.sheet.handles, HANDLES) and tool._host.value == way.start
    assert tool.way.step == 0


def test_every_step_can_be_gone_to_and_all_scrubbing_is_one_step_of_undo(tool: Any) -> None:
    tool.go.click()
    tool.work.finish()
    way = tool.run.result()
    for seconds in (0.4, 0.3, 0.2):
        tool.way.line.on_seek(seconds)
    assert tool._host.value == way.latent(2) and tool.way.step == 2 and "step 2 of 6" in tool.way._about.value
    assert tool.way.line.at == 0.2 and tool.way.line.length == pytest.approx(0.6)
    tool._host.undo()
    assert tool._host.value == way.latent() and tool.way.line.at == pytest.approx(0.6)


def test_played_it_goes_along_the_way_in_its_time_and_ends_at_its_end(tool: Any) -> None:
    tool.go.click()
    tool.work.finish()
    now = 100.0
    tool.way._now = lambda: now
    tool.way.line.on_play()
    assert tool.way.playing and tool.way.step == 0, "from its end it starts again"
    now += 0.21
    tool.way._tick()
    assert tool.way.step == 2 and tool.way.line.playing
    now += 0.9
    tool.way._tick()
    assert tool.way.step == STEPS and not tool.way.playing and not tool.way.line.playing


def test_reversed_it_keeps_the_picture_and_leads_back(tool: Any) -> None:
    start = tool._host.value
    tool.go.click()
    tool.work.finish()
    shown = tool._host.value
    tool.way.reverse()
    assert tool._host.value == shown and tool.way.step == 0
    tool.way.go(STEPS)
    session = tool._host.session
    assert np.array_equal(session.image(tool._host.value), session.image(start))
    assert np.array_equal(tool.sheet.handles, HANDLES)


def test_a_film_of_every_step_is_written(tool: Any, tmp_path: Path) -> None:
    from PIL import Image

    tool.go.click()
    tool.work.finish()
    tool.way.export._fps.value = 10
    tool.way.export.start()
    tool.way.export.finish()
    path = tmp_path / tool.way.export.result
    with Image.open(path) as film:
        assert path.suffix == ".gif" and film.n_frames == STEPS + 1


def test_stopped_it_keeps_what_is_there_and_goes_on_to_the_same_end(tool: Any) -> None:
    start = tool._host.value
    tool.work.live = True  # a page is there that ticks: nothing runs ahead
    tool.go.click()
    for _ in range(2):
        tool.run.advance()
    tool.work.stop()
    assert tool._host.value == pure(tool, start, steps=2).latent() and "Stopped" in tool._said.value
    assert tool.go.description == "go on" and tool.sheet.active
    tool.go.click()
    tool.work.finish()
    assert tool._host.value == pure(tool, start).latent() and tool.go.description == "drag"


def test_a_point_that_is_moved_begins_another_drag(tool: Any) -> None:
    tool.work.live = True
    tool.go.click()
    tool.run.advance()
    tool.work.stop()
    first = tool.run
    read(tool, ((0.5, 0.5), (0.7, 0.5)))
    assert tool.go.description == "drag"
    tool.go.click()
    assert tool.run is not first and np.array_equal(tool.run.handles, [[16, 16]])
    tool.work.stop()


def test_while_it_is_dragged_points_stay_and_another_picture_ends_it(tool: Any) -> None:
    tool.work.live = True
    tool.go.click()
    tool.run.advance()
    assert not tool.sheet.active and not tool.brush.active
    other = tool._host.session.latent(seed=9)
    tool._host.change("", lambda _: other)
    assert not tool.work.busy() and tool._host.value == other and tool.sheet.active
    assert tool.way.way is None, "what was found for the other picture is not kept"


def test_it_is_shown_while_it_goes_on_and_kept_as_a_whole(tool: Any) -> None:
    seen = []
    preview = tool._host.preview
    tool._host.preview = lambda latent: (seen.append(latent), preview(latent))
    tool._last_frame = float("-inf")
    start = tool._host.value
    tool.go.click()
    tool.work.finish()
    way = tool.run.result()
    assert seen and seen[0] == way.latent(1)
    tool._host.undo()
    assert tool._host.value == start, "however many steps, it is one of the history"


@pytest.mark.parametrize(("free", "share"), [(True, 0.25), (False, 0.75)])
def test_paint_says_what_may_move_or_what_must_stay(tool: Any, free: bool, share: float) -> None:
    start = tool._host.value
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    tool.brush.mask = mask
    tool.points.meaning.value = free
    assert f"{100 * share:.0f} % of the picture may move" in tool.points._about.value
    tool.go.click()
    tool.work.finish()
    wanted = mask if free else ~mask
    assert np.array_equal(tool.run.mask, wanted)
    assert tool._host.value == pure(tool, start, wanted).latent()


def test_the_brush_and_the_points_take_turns(tool: Any) -> None:
    tool.points.paint.value = True
    assert tool.brush.active and not tool.sheet.active
    tool.points.use_brush(False)
    assert not tool.brush.active and tool.sheet.active and not tool.points.paint.value and tool.brush.seen


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda tool: tool.sheet.set([]), "click on the picture where something is"),
        (lambda tool: tool.sheet.show(HANDLES, HANDLES), "at its target already"),
        (lambda tool: tool.sheet.show([HANDLES[0]] * 2, TARGETS), "two handles are at the same place"),
        (lambda tool: (setattr(tool.brush, "mask", np.ones((4, 4))), setattr(tool.points.meaning, "value", False)),
         "the mask keeps the whole picture"),
        (lambda tool: setattr(tool.form, "raw", {"layer": "b99"}), "there is no layer 'b99'"),
        (lambda tool: setattr(tool.form, "raw", {"lr": -1.0}), "lr must be a finite number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_the_panel(tool: Any, spoil: Callable[[Any], object], said: str) -> None:
    spoil(tool)
    tool.go.click()
    assert said in tool.place.error and not tool.work.busy() and tool.sheet.active


def test_a_loss_that_is_not_finite_is_said_and_what_was_reached_is_kept(tool: Any) -> None:
    tool.work.live = True
    tool.go.click()
    tool.run.advance()
    tool.run._reference = tool.run._reference * float("nan")
    tool.run.mask = np.eye(32, dtype=bool)
    tool.work.finish()
    assert "a smaller step size may help" in tool.place.error
    assert len(tool.run.result()) == 1 and tool._host.value == tool.run.latent()


def test_the_settings_say_what_open_ones_become_here(tool: Any) -> None:
    assert "step size 0.05, features of b8.conv1, 3 rows of w+ move" in tool._suited.value
    tool.form.set({})
    tool.form.controls["published"].value = True
    assert "step size 0.002" in tool._suited.value


def test_places_that_the_domain_knows_are_suggested(session: GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    known = domain.Domain("dots", landmarks=lambda picture: {"the middle": (picture.shape[0] / 2 - 0.5, 7.5)})
    monkeypatch.setattr(domain, "of", lambda _: known)
    explorer = sw.LatentExplorer(session, session.latent(seed=3), tools=("drag",))
    explorer.view.on_settle()
    sheet, card = explorer.tools["drag"].sheet, explorer.tools["drag"].points
    assert sheet.marks == [["the middle", 0.25, 0.5]] and card._suggest.layout.display is None
    card._suggest.value = False
    assert sheet.marks == []
    explorer.close()


def test_points_of_a_sheet_are_pixels_of_the_picture() -> None:
    sheet = PointSheet(shape=(20, 40))
    sheet.show([(0, 0), (19, 39)], [(5, 5), (19, 0)])
    assert sheet.points[0][0] == [0.5 / 40, 0.5 / 20]
    assert sheet.handles.tolist() == [[0, 0], [19, 39]] and sheet.targets.tolist() == [[5, 5], [19, 0]]
    sheet.set([*sheet.points, [[1.0, 1.0]]])
    assert len(sheet.handles) == 2, "the third has no end yet"
    sheet.mirror()
    assert sheet.handles.tolist() == [[0, 0], [19, 39], [0, 39], [19, 0]]
    sheet.mirror()
    assert len(sheet.handles) == 4, "there already"
    sheet.chosen = 2
    sheet.remove()
    sheet.remove()
    assert sheet.handles.tolist() == [[0, 0], [0, 39]] and sheet.chosen == -1
    sheet.close()


def test_stylegan3_is_dragged_in_the_panel() -> None:
    torch.manual_seed(0)
    config = StyleGAN3Config.create(resolution=32, z_dim=8, w_dim=8, channel_base=256, channel_max=8, num_layers=6)
    session = GeneratorSession(StyleGAN3(config), device="cpu", name="tiny 3")
    explorer = sw.LatentExplorer(session, session.latent(seed=3), tools=("drag",))
    tool = explorer.tools["drag"]
    tool.form.raw = {"steps": 2, "lr": 0.05}
    tool.sheet.show(HANDLES, TARGETS)
    tool.go.click()
    tool.work.finish()
    assert len(tool.run.result()) == 2 and explorer.value == tool.run.latent() and not tool.place.error
    explorer.close()
