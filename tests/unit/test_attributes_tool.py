"""The explorer's Attributes panel: values in their own units, moved by the flow; one is prepared where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import domain, editing
from stylewidgets.editing.flow import fitting
from stylewidgets.latent import Code
from stylewidgets.widgets.kit.controls.direction_rows import DirectionRows
from stylewidgets.widgets.latent_explorer.tools.attributes import Attributes

from .test_flow import make_core, make_session


@pytest.fixture
def explorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sw.LatentExplorer]:
    """With a flow that was prepared before."""
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    session = make_session()
    (tmp_path / "flow").mkdir()
    editing.Flow(make_core(), {"name": "toy", "w": session.fingerprint("w")}).save(
        tmp_path / "flow" / f"{session.fingerprint('w')}.flow.safetensors"
    )
    made = sw.LatentExplorer(session, value=session.latent(seed=3), tools=["directions", "attributes"])
    made.open("attributes")
    yield made
    made.close()


def test_rows_say_what_the_picture_has_and_a_drag_is_the_pure_edit(explorer: sw.LatentExplorer) -> None:
    tool = explorer.tools["attributes"]
    assert isinstance(tool, Attributes) and tool.flow is not None
    start, now = explorer.value, tool.flow.attributes(explorer.value)
    assert {"smile", "yaw", "hat"} <= set(explorer.controls)
    assert explorer.controls["smile"].value == pytest.approx(now["smile"], abs=0.01)
    for value in (5.0, 20.0):
        explorer.controls["yaw"].value = value
    assert explorer.value == tool.flow.edit(start, yaw=20) and explorer.view.error == ""
    assert np.array_equal(np.asarray(explorer.image), explorer.session.image(tool.flow.edit(start, yaw=20)))
    explorer.undo()
    assert explorer.value == start


def test_a_wish_is_taken_back_by_its_row_alone(explorer: sw.LatentExplorer) -> None:
    explorer.controls["yaw"].value = 20.0
    explorer.controls["smile"].value = 1.0
    tool = explorer.tools["attributes"]
    assert isinstance(tool, Attributes)
    rows = {row.key: row for row in tool.rows.rows}
    assert rows["yaw"].removes and rows["smile"].removes and not rows["hat"].removes
    assert rows["yaw"].unit == "°" and (rows["yaw"].low, rows["yaw"].high) == (-45, 45)
    tool.rows.view.on_remove("yaw")  # type: ignore[misc]
    assert explorer.value.edits[0].controls == {"smile": 1.0} and explorer.view.error == ""


def test_the_list_of_directions_has_a_row_for_each_wish(explorer: sw.LatentExplorer) -> None:
    explorer.controls["yaw"].value = 20.0
    explorer.open("directions")
    rows = explorer.tools["directions"].rows
    assert isinstance(rows, DirectionRows) and list(rows.handles) == ["attributes", "attributes · yaw"]
    assert (rows.rows[1].low, rows.rows[1].high) == (-45, 45), "its range is the flow's"
    rows.handles["attributes · yaw"].value = -10.0
    rows.handles["attributes"].value = 0.5
    assert explorer.value.edits[0].controls == {"yaw": -10.0} and explorer.value.edits[0].strength == 0.5


def test_a_code_in_s_says_what_to_do(explorer: sw.LatentExplorer) -> None:
    channels = sum(layer.channels for layer in explorer.session.layers)
    explorer.value = sw.Latent(code=Code("s", np.zeros(channels)))
    tool = explorer.tools["attributes"]
    tool.opened(explorer)
    assert "a code in s has no w" in tool._words.value  # type: ignore[attr-defined]


def test_where_nothing_is_read_the_panel_is_left_out_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match="there is no flow for it, and nothing reads attributes"):
        sw.LatentExplorer(make_session(), tools=["attributes"])


@pytest.mark.slow
def test_a_flow_is_prepared_in_the_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    for name, small in (("SAMPLES", 200), ("MATCHING", 20), ("READER_STEPS", 20)):
        monkeypatch.setattr(fitting, name, small)
    monkeypatch.setitem(fitting.fit.__kwdefaults__, "samples", 200)
    monkeypatch.setitem(fitting.fit.__kwdefaults__, "matching", 20)
    monkeypatch.setitem(fitting.fit.__kwdefaults__, "reading", 20)
    known = domain.Domain(
        "toys",
        fits=lambda metadata: metadata.get("name") == "toy",
        reader=lambda: domain.Reader(("red", "green", "blue"), lambda x: x.mean((2, 3)), units=("", "", "")),
    )
    domain.register(known)
    try:
        session = make_session()
        session.metadata["name"] = "toy"
        explorer = sw.LatentExplorer(session, tools=["directions", "attributes"])
        explorer.open("attributes")
        tool = explorer.tools["attributes"]
        assert isinstance(tool, Attributes) and "about 1 min" in tool.prepare.description
        tool.prepare.click()
        tool._jobs.finish()
        assert explorer.view.error == "" and tool.flow is not None and editing.Flow.known(session)
        explorer.controls["red"].value = tool.flow.reach("red")[1]
        assert np.array_equal(np.asarray(explorer.image), session.image(explorer.value)) and explorer.view.error == ""
        explorer.close()
    finally:
        domain.unregister("toys")


def test_the_bundled_flow_is_exact_and_turns_a_head() -> None:
    session = sw.load(device="cpu")
    flow = editing.Flow.load(session)
    ws = session.map(session.latent(seed=11))[0]
    before = flow.core.start(ws)
    z = flow.core.network.encode(ws, before.expand(len(ws), -1))
    assert float((flow.core.network.decode(z, before.expand(len(ws), -1)) - ws).abs().max()) < 1e-4
    assert len(flow.names) == 15 and flow.groups == {"light": ("light_azimuth", "light_elevation")}
    reader = domain.of(session).reader()  # type: ignore[union-attr, misc]
    column = reader.index("yaw")
    pictures = [session.synthesize(session.map(flow.edit(session.latent(seed=11), yaw=yaw))) for yaw in (-25, 25)]
    left, right = reader(torch.cat(pictures))[:, column].tolist()
    assert left < -15 and right > 15
