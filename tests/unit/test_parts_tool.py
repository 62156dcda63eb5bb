"""The explorer's Parts panel: a part is chosen, taken from a face, moved by its row, named and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets.editing import Gallery, Parts
from stylewidgets.jobs import Run
from stylewidgets.widgets.latent_explorer.tools.parts import PartsTool, faces

from .test_parts import finished, made


@pytest.fixture(scope="module")
def catalogue():
    session = made()
    return finished(Parts.fit(session, clusters=4, pictures=6, keep=False)).catalogue


@pytest.fixture
def explorer(catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sw.LatentExplorer]:
    """With parts that were found before."""
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(faces, "GALLERY", 12)
    session = made()
    (tmp_path / "cache" / "parts").mkdir(parents=True)
    catalogue.save(tmp_path / "cache" / "parts" / f"{session.fingerprint()}.parts.safetensors")
    explorer = sw.LatentExplorer(session, value=session.latent(seed=3), tools=["directions", "parts"])
    explorer.open("parts")
    tool_of(explorer).work.finish()
    yield explorer
    explorer.close()


def tool_of(explorer: sw.LatentExplorer) -> PartsTool:
    tool = explorer.tools["parts"]
    assert isinstance(tool, PartsTool)
    return tool


def test_a_click_on_the_picture_chooses_the_part_that_is_there(explorer):
    tool = tool_of(explorer)
    machine = tool.machine
    labels = np.frombuffer(tool.map.labels, np.uint8).reshape(tool.map.size)
    assert np.array_equal(labels, machine.labels(explorer.value))
    tool.map._receive(None, {"type": "pick", "region": int(labels[0, 0])}, [])
    assert tool.part == machine.catalogue.names[labels[0, 0]] and tool.map.chosen == [labels[0, 0]]
    tool.choice.chosen = len(machine.names) - 1
    assert tool.part == "pose"


def test_a_face_gives_its_part_and_the_row_moves_it_and_undo_brings_all_back(explorer):
    tool = tool_of(explorer)
    start = explorer.value
    tool.part = "pose"
    tool.work.finish()
    reference = tool.faces._shown["nearest"][1]
    tool.faces.nearest.chosen = 1
    assert explorer.value == tool.machine.transfer(start, reference, "pose", 1.0) and tool.place.error == ""
    for amount in (0.7, 0.4):
        explorer.controls["pose"].value = amount
    pure = tool.machine.transfer(start, reference, "pose", 0.4)
    assert explorer.value == pure
    assert np.array_equal(np.asarray(explorer.image), explorer.session.image(pure))
    explorer.view.on_settle()
    assert tool.rows.rows[0].picture[:3] == b"\xff\xd8\xff", "a small picture of where it is from"
    explorer.undo()
    assert explorer.value.strength("pose") == 1.0 and tool.faces.nearest.chosen == 1
    explorer.undo()
    assert explorer.value == start and tool.faces.nearest.chosen == -1 and not tool.rows.rows


def test_several_parts_of_several_faces_each_have_a_row_that_can_go_alone(explorer):
    tool, session = tool_of(explorer), explorer.session
    for part, seed in (("part 1", 50), ("pose", 51)):
        tool.part = part
        tool.take(session.latent(seed=seed))
    assert [row.key for row in tool.rows.rows] == ["part 1", "pose"] and all(row.removes for row in tool.rows.rows)
    assert [edit.reference.seed for edit in explorer.value.edits] == [50, 51]
    explorer.controls["part 1"].value = 0.25
    tool.part = "part 1"
    tool.take(session.latent(seed=52))
    assert explorer.value.edit("part 1").strength == 0.25, "another face, as much of it"
    tool.rows.view.on_remove("part 1")
    assert [row.key for row in tool.rows.rows] == ["pose"]


def test_code_makes_the_same_picture_again(explorer):
    tool = tool_of(explorer)
    tool.part = "pose"
    tool.take(explorer.session.latent(seed=50))
    explorer.controls["pose"].value = 0.3
    code = explorer.code().split("\n", 3)[-1]
    scope = {"sw": sw, "session": explorer.session}
    exec(code[code.index("latent = ") :].split("\nimage")[0], scope)  # noqa: S102  our own code, which is what is tested
    assert scope["latent"] == explorer.value


def test_what_cannot_be_is_said_in_the_panel(explorer, tmp_path, monkeypatch):
    tool = tool_of(explorer)
    tool.faces.random.chosen = 0
    assert "choose a part first" in tool.place.error and not explorer.value.edits
    other = made(seed=1)
    finished(Gallery.of(other, [other.latent(seed=1)])).save(tmp_path / "theirs.safetensors")
    tool.naming.gallery_path.value = str(tmp_path / "theirs.safetensors")
    press(tool.naming, "load", 1)
    assert "gallery is of another generator" in tool.place.error
    finished(Parts.fit(other, clusters=3, pictures=3, keep=False)).save(tmp_path / "others.safetensors")
    tool.naming.path.value = str(tmp_path / "others.safetensors")
    press(tool.naming, "load")
    assert "are of another generator" in tool.place.error
    monkeypatch.setattr(type(tool.machine), "mask", lambda self, latent, part: np.zeros((8, 8), bool))
    tool.part = "part 1"
    tool.work.finish()
    tool.faces.nearest.chosen = 0
    assert "'part 1' is in neither of these pictures" in tool.place.error and not explorer.value.edits
    tool.method.value = "retrieve"
    tool.work.finish()
    assert "the part &#x27;part 1&#x27; is not in this picture" in tool.faces._words.value
    tool.faces.random.chosen = 1
    assert "'part 1' is in neither of these pictures" in tool.place.error and not explorer.value.edits
    assert explorer.view.error == ""


def press(root, text: str, place: int = 0) -> None:
    found = []

    def walk(widget) -> None:
        if getattr(widget, "description", None) == text and hasattr(widget, "click"):
            found.append(widget)
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(root)
    found[place].click()


def test_clusters_are_collected_on_the_picture_named_and_kept_in_a_file(explorer, tmp_path):
    tool = tool_of(explorer)
    tool.naming.on.value = True
    assert np.array_equal(
        np.frombuffer(tool.map.labels, np.uint8).reshape(tool.map.size), tool.machine.clusters(explorer.value)
    )
    for cluster in (0, 2, 1, 1):
        tool.map._receive(None, {"type": "pick", "region": cluster}, [])
    assert tool.map.chosen == [0, 2]
    tool.naming.called.value = "hair"
    tool.naming.join.click()
    assert dict(tool.machine.catalogue.parts) == {"part 2": (1,), "part 4": (3,), "hair": (0, 2)}
    assert tool.part == "hair" and tool.machine.greedy("hair", rho=0.0).any(), "nothing is to be measured again"

    tool.part = "part 4"
    tool.naming.called.value = "hair"  # by keys alone: the name of another part joins them
    tool.naming.join.click()
    assert dict(tool.machine.catalogue.parts) == {"part 2": (1,), "hair": (0, 2, 3)}
    tool.naming.on.value = False
    assert tool.map.names == ["part 2", "hair"]
    tool.naming.path.value = str(tmp_path / "mine.safetensors")
    press(tool.naming, "save")
    tool.machine = Parts.load(explorer.session)
    assert "hair" not in tool.machine.names
    press(tool.naming, "load")
    assert tool.machine.names == ("part 2", "hair", "pose") and tool.place.error == ""


def test_where_no_parts_are_known_they_are_found_on_request_and_can_be_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    monkeypatch.setattr(faces, "GALLERY", 4)
    session = made(seed=4)
    fit = Parts.fit
    monkeypatch.setattr(Parts, "fit", classmethod(lambda cls, s: fit(s, clusters=3, pictures=4)))
    explorer = sw.LatentExplorer(session, tools=["parts"])
    tool = tool_of(explorer)
    tool.work.live = True  # as a page does
    assert tool.machine is None and tool.prepare.description == "Prepare (about 1 min)" and explorer.view.error == ""
    tool.prepare.click()
    assert tool.prepare.disabled and tool.work.busy("parts")
    tool.work.stop()
    assert tool.prepare.description == "Prepare: go on" and not tool.prepare.disabled and tool.machine is None
    tool.prepare.click()
    tool.work.finish()
    assert tool.machine is not None and tool.machine.names == ("part 1", "part 2", "part 3", "pose")
    assert Parts.known(session) and ("parts", tool.machine.weights) in session.editors
    explorer.close()


def test_what_channels_do_is_measured_for_a_catalogue_that_does_not_say_it(explorer):
    tool = tool_of(explorer)
    bare = replace(tool.machine.catalogue, shares=None)
    tool.work.live = True
    tool.machine = Parts(explorer.session, bare)
    tool.part = "part 1"
    tool.faces.random.chosen = 0
    assert "still being measured" in tool.place.error
    tool.work.finish()
    tool.faces.random.chosen = 1
    assert explorer.value.strength("part 1") == 1.0 and tool.place.error == ""


def test_the_gallery_takes_the_snapshots_in(explorer):
    tool = tool_of(explorer)
    press(tool.faces, "add my snapshots")
    assert "no snapshots yet" in tool.place.error
    explorer.value = explorer.session.latent(seed=77)
    explorer.snapshot()
    press(tool.faces, "add my snapshots")
    tool.work.finish()
    assert len(tool.faces.gallery) == 13 and tool.faces.gallery.latents[-1].seed == 77


def test_a_sheet_refuses_nonsense_of_the_page(explorer):
    tool = tool_of(explorer)
    tool.map._receive(None, {"type": "pick", "region": 99}, [])
    assert tool.part is None
    tool.map._receive(None, {"type": "pick"}, [])
    assert tool.map.error != ""


def test_a_run_of_parts_can_be_made_again_from_its_session():
    session = made(seed=6)
    run = session.editors.fit("parts", clusters=3, pictures=3, keep=False)
    assert isinstance(run, Run)
    for _ in run:
        pass
    assert run.result().names == ("part 1", "part 2", "part 3", "pose")
