"""Uploads of codes and directions of other tools, in every widget."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.widgets.kit.controls.from_tools import FromTools
from stylewidgets.widgets.kit.views.toolbar import LARGEST


@pytest.fixture
def session() -> sw.GeneratorSession:
    torch.manual_seed(0)
    return sw.GeneratorSession(StyleGAN2(StyleGAN2Config(resolution=16, channels=(8, 8, 8), z_dim=16, w_dim=16)))


def npz(**arrays: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def give(panel: FromTools, button: str, name: str, content: bytes, size: int | None = None) -> None:
    """As the page does: the name and size of the file, and its bytes beside them."""
    message = {"type": "file", "name": button, "file": name, "size": len(content) if size is None else size}
    panel.incoming._receive(None, message, [memoryview(content)] if size is None else [])


def handed_out(panel: FromTools, button: str) -> tuple[str, bytes]:
    """(name, bytes) of the download that this button causes."""
    sent: list[tuple[str, bytes]] = []
    panel.outgoing.download = lambda name, data, mime: sent.append((name, data))  # type: ignore[method-assign]
    panel.outgoing.press(button)
    assert panel.place.error == ""
    return sent[0]


def able(panel: FromTools) -> list[str]:
    return [item["name"] for item in panel.outgoing.items if not item["disabled"]]


def w_plus(session: sw.GeneratorSession, seed: int = 5) -> np.ndarray[Any, Any]:
    return session.map(session.latent(seed=seed)).numpy()


def test_an_uploaded_code_is_taken_and_others_in_its_file_are_offered(session: sw.GeneratorSession) -> None:
    taken: list[sw.Latent] = []
    panel = FromTools(session, taken.append, lambda: None)
    both = np.concatenate([w_plus(session, 5), w_plus(session, 6)])
    give(panel, "code", "w_plus.npy", npy(both))
    assert [latent.code for latent in taken] == [sw.Code("w+", both[0])]
    assert panel.which.options == ("w_plus 0", "w_plus 1")
    panel.which.value = "w_plus 1"
    assert taken[-1].code == sw.Code("w+", both[1]) and len(taken) == 2


def test_uploaded_directions_join_the_list_of_the_session(session: sw.GeneratorSession) -> None:
    panel = FromTools(session, print, lambda: None, lambda found: f"{len(found)} came")
    give(panel, "directions", "age.npy", npy(np.ones((1, 16))))
    assert list(session.directions) == ["age"] and "1 from age.npy: age; 1 came" in panel.said.value


@pytest.mark.parametrize("button", ["code", "directions"])
def test_a_broken_file_is_told_by_its_name_and_changes_nothing(button: str, session: sw.GeneratorSession) -> None:
    taken: list[sw.Latent] = []
    panel = FromTools(session, taken.append, lambda: None)
    give(panel, button, "face.pt", b"PK\x03\x04 cut short")
    assert panel.place.error.startswith("opening face.pt") and "/tmp" not in panel.place.error
    assert not taken and not session.directions


def test_a_failure_takes_away_the_words_of_the_success_before(session: sw.GeneratorSession) -> None:
    panel = FromTools(session, lambda _: None, lambda: None)
    give(panel, "code", "w_plus.npy", npy(np.concatenate([w_plus(session, 5), w_plus(session, 6)])))
    assert "w_plus 0" in panel.said.value
    give(panel, "code", "broken.npy", b"nothing")
    assert panel.said.value == "" and panel.which.layout.display == "none" and "broken.npy" in panel.place.error
    give(panel, "code", "w_plus.npy", npy(w_plus(session)))
    assert panel.place.error == ""


def test_a_file_that_is_too_large_for_a_message_is_refused_in_words(session: sw.GeneratorSession) -> None:
    panel = FromTools(session, print, lambda: None)
    give(panel, "code", "large.npy", b"", LARGEST + 1)
    assert "large.npy" in panel.place.error and "Put it beside the notebook" in panel.place.error


@pytest.mark.parametrize("suffix", ["npz", "pt"])
def test_the_code_of_the_picture_goes_out_as_others_read_it(
    suffix: str, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    latent = session.latent(seed=5, psi=0.7)
    panel = FromTools(session, print, lambda: latent)
    name, data = handed_out(panel, suffix)
    (tmp_path / name).write_bytes(data)
    assert name == f"seed-5.{suffix}" and name in panel.said.value
    again = sw.read_latent(tmp_path / name, session)
    assert again.code == sw.Code("w+", session.map(latent).numpy())


@pytest.mark.parametrize(("space", "layers"), [("w", None), ("w", (1, 3)), ("z", None)])
def test_a_direction_of_the_picture_goes_out_and_comes_back(
    space: str, layers: tuple[int, int] | None, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    vector = np.eye(16, dtype=np.float32)[3]
    direction = sw.Direction("wide smile", vector, 1.0, space, layers=layers)
    latent = session.latent(seed=5).with_edit(direction, 1.0)
    name, data = handed_out(FromTools(session, print, lambda: latent), "npy")
    (tmp_path / name).write_bytes(data)
    again = sw.read_directions(tmp_path / name, session, samples=50)["wide smile"]
    assert np.array_equal(again.vector, vector) and (again.space, again.layers) == (space, layers)


def test_only_what_the_picture_has_can_be_handed_out(session: sw.GeneratorSession) -> None:
    now: list[sw.Latent | None] = [None]
    panel = FromTools(session, print, lambda: now[0])
    assert able(panel) == []
    now[0] = session.latent(seed=5)
    panel.refresh()
    assert able(panel) == ["npz", "pt"]
    one, two = (sw.Direction(name, np.eye(16, dtype=np.float32)[i], 1.0) for i, name in enumerate(("a", "b")))
    now[0] = now[0].with_edit(one, 1.0).with_edit(two, 1.0)
    panel.refresh()
    assert able(panel) == ["npz", "pt", "npy"] and panel.direction.options == ("a", "b")
    panel.direction.value = "b"
    assert handed_out(panel, "npy")[0] == "b.npy"
    now[0] = session.latent(code=sw.Code("s", np.concatenate([s.ravel() for s in session.code_styles(now[0])])))
    panel.refresh()
    assert able(panel) == []


WIDGETS: dict[str, tuple[Callable[[sw.GeneratorSession], Any], Callable[[Any], Any], Callable[[Any], sw.Code | None]]] = {
    "explorer": (sw.LatentExplorer, lambda w: (w.open("save"), w._panels.tools["save"].state.tools)[1], lambda w: w.value.code),
    "grid": (sw.StyleMixGrid, lambda w: w._panels._make_state().tools, lambda w: w.value.rows[-1].code),
    "probe": (sw.StyleSpaceProbe, lambda w: (w._panels._make_state(), w._panels._state.tools)[1], lambda w: w.value.code),
    "viewer": (sw.InversionViewer, lambda w: _send(w).state.tools, lambda w: w.target.latents[0].code),
}  # fmt: skip


def _send(viewer: sw.InversionViewer) -> Any:
    from stylewidgets.widgets.inversion_viewer.results import SendPanel

    return SendPanel(viewer, lambda _: None)


@pytest.mark.parametrize("name", WIDGETS)
def test_every_widget_takes_an_uploaded_code(name: str, session: sw.GeneratorSession) -> None:
    make, panel_of, code_of = WIDGETS[name]
    widget = make(session)
    w = w_plus(session)
    give(panel_of(widget), "code", "projected_w.npz", npz(w=w))
    assert code_of(widget) == sw.Code("w+", w)
    widget.close()
