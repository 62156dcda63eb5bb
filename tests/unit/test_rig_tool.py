"""The explorer's Rig panel: a head, a lamp and rows; one is prepared where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import stylewidgets as sw
from stylewidgets import domain, editing
from stylewidgets.editing.rig import fitting
from stylewidgets.latent import Code
from stylewidgets.widgets.latent_explorer.tools.rig import RigTool

from .test_flow import make_session
from .test_rig import make_core


@pytest.fixture
def explorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sw.LatentExplorer]:
    """With a rig that was prepared before."""
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    session = make_session()
    (tmp_path / "rig").mkdir()
    editing.Rig(make_core(), {"name": "toy", "w": session.fingerprint("w")}).save(editing.Rig.prepared(session))
    made = sw.LatentExplorer(session, value=session.latent(seed=3), tools=["directions", "rig"])
    made.open("rig")
    yield made
    made.close()


def tool_of(explorer: sw.LatentExplorer) -> RigTool:
    tool = explorer.tools["rig"]
    assert isinstance(tool, RigTool) and tool.rig is not None
    return tool


def test_head_and_rows_say_what_the_picture_has_and_a_drag_is_the_pure_edit(explorer: sw.LatentExplorer) -> None:
    tool = tool_of(explorer)
    assert tool.rig is not None
    start, now, head = explorer.value, tool.rig.parameters(explorer.value), tool.pads["head"]
    assert (head.x, head.y) == (pytest.approx(now["yaw"], abs=0.06), pytest.approx(now["pitch"], abs=0.06))
    assert head.reach == (-45, 45, -20, 20) and head.home == (head.x, head.y)
    assert tool.pads["lamp"].layout.display == "none", "this rig has no light"
    assert {"smile", "yaw"} <= set(explorer.controls)
    for x in (5.0, 20.0):
        head._receive(None, {"type": "turn", "x": x, "y": -3.0}, None)
    wanted = tool.rig.edit(start, yaw=20, pitch=-3)
    assert explorer.value == wanted and explorer.view.error == ""
    explorer.controls["smile"].value = 1.0
    wanted = tool.rig.edit(wanted, smile=1.0)
    assert explorer.value == wanted
    assert np.array_equal(np.asarray(explorer.image), explorer.session.image(wanted))
    assert (head.x, head.y) == (20.0, -3.0)
    explorer.undo()
    explorer.undo()
    assert explorer.value == start and (head.x, head.y) != (20.0, -3.0)


def test_a_turn_that_was_overtaken_is_dropped(explorer: sw.LatentExplorer) -> None:
    tool, start = tool_of(explorer), explorer.value
    assert tool.rig is not None
    for number, x in ((1, 5.0), (3, 20.0), (2, 10.0)):
        message = {"type": "turn", "page": "a", "number": number, "x": x, "y": -3.0}
        tool.pads["head"]._receive(None, message, None)
    assert explorer.value == tool.rig.edit(start, yaw=20, pitch=-3)


def test_what_lies_out_of_range_is_said_beside_the_picture(explorer: sw.LatentExplorer) -> None:
    tool, start = tool_of(explorer), explorer.value
    tool.pads["head"]._receive(None, {"type": "turn", "x": 80.0, "y": 0.0}, None)
    assert explorer.value == start and "yaw is from -45 to 45" in tool.pads["head"].error + explorer.view.error


def test_parameters_are_taken_from_a_seed_and_given_back(explorer: sw.LatentExplorer) -> None:
    tool, start = tool_of(explorer), explorer.value
    assert tool.rig is not None
    tool.seed.value = 9
    tool.take("pose")
    other = explorer.session.latent(seed=9, psi=start.psi)
    assert explorer.value == tool.rig.take(start, other, "pose")
    tool.reset()
    assert explorer.value == start
    tool.reset()  # nothing to take back
    assert explorer.value == start and explorer.view.error == ""


def test_a_picture_without_a_reader_is_refused_in_words(explorer: sw.LatentExplorer) -> None:
    tool = tool_of(explorer)
    tool._of_camera(Image.new("RGB", (20, 20)))
    with pytest.raises(ValueError, match="nothing reads parameters off pictures here"):
        tool.take("pose")
    tool.seed.value = 5
    tool.take("pose")  # the seed was chosen last


def test_a_code_in_s_says_what_to_do(explorer: sw.LatentExplorer) -> None:
    tool = tool_of(explorer)
    explorer.value = sw.Latent(code=Code("s", np.zeros(sum(layer.channels for layer in explorer.session.layers))))
    tool.opened(explorer)
    assert "a code in s has no w" in tool._words.value


def test_where_nothing_is_read_the_panel_is_left_out_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match="there is no rig for it, and nothing reads parameters"):
        sw.LatentExplorer(make_session(), tools=["rig"])


@pytest.mark.slow
def test_a_rig_is_prepared_in_the_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    for name, small in (("samples", 200), ("steps", 10), ("reading", 20)):
        monkeypatch.setitem(fitting.fit.__kwdefaults__, name, small)
    known = domain.Domain(
        "toys",
        fits=lambda metadata: metadata.get("name") == "toy",
        reader=lambda: domain.Reader(("red", "green", "blue"), lambda x: x.mean((2, 3)), units=("", "", "")),
    )
    domain.register(known)
    try:
        session = make_session()
        session.metadata["name"] = "toy"
        explorer = sw.LatentExplorer(session, tools=["directions", "rig"])
        explorer.open("rig")
        tool = explorer.tools["rig"]
        assert isinstance(tool, RigTool) and "min)" in tool.prepare.description
        tool.prepare.click()
        tool._jobs.finish()
        assert explorer.view.error == "" and tool.rig is not None and editing.Rig.known(session)
        explorer.controls["red"].value = tool.rig.reach("red")[1]
        assert np.array_equal(np.asarray(explorer.image), session.image(explorer.value)) and explorer.view.error == ""
        tool.path.value, picture = "", session.render(explorer.value)
        tool._of_camera(picture)
        tool.take("green")
        assert set(explorer.value.edits[0].controls) == {"red", "green"}
        explorer.close()
    finally:
        domain.unregister("toys")
