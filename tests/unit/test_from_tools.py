"""Uploads of codes and directions of other tools, in every widget."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.widgets.kit.controls.from_tools import LARGEST, FromTools, uploaded


class View:
    error = ""


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


def give(panel: FromTools, button: str, name: str, content: bytes) -> None:
    """As the page does: one file in the value of a FileUpload of ipywidgets 8."""
    upload = getattr(panel, button)
    about = {"size": len(content), "type": "", "last_modified": datetime.now(timezone.utc)}
    if isinstance(upload.value, tuple):
        upload.value = ({"name": name, "content": memoryview(content), **about},)
    else:
        upload.value = {name: {"content": content, "metadata": {"name": name}}}


def w_plus(session: sw.GeneratorSession, seed: int = 5) -> np.ndarray[Any, Any]:
    return session.map(session.latent(seed=seed)).numpy()


def test_an_uploaded_code_is_taken_and_others_in_its_file_are_offered(session: sw.GeneratorSession) -> None:
    taken: list[sw.Latent] = []
    panel = FromTools(session, taken.append, View())
    both = np.concatenate([w_plus(session, 5), w_plus(session, 6)])
    give(panel, "code", "w_plus.npy", npy(both))
    assert taken[-1].code == sw.Code("w+", both[0]) and panel.which.options == ("w_plus 0", "w_plus 1")
    panel.which.value = "w_plus 1"
    assert taken[-1].code == sw.Code("w+", both[1]) and len(taken) == 2


def test_uploaded_directions_join_the_list_of_the_session(session: sw.GeneratorSession) -> None:
    panel = FromTools(session, print, View(), lambda found: f"{len(found)} came")
    give(panel, "directions", "age.npy", npy(np.ones((1, 16))))
    assert list(session.directions) == ["age"] and "1 from age.npy: age; 1 came" in panel.said.value


@pytest.mark.parametrize("button", ["code", "directions"])
def test_a_broken_file_is_told_by_its_name_and_changes_nothing(button: str, session: sw.GeneratorSession) -> None:
    taken: list[sw.Latent] = []
    view = View()
    give(FromTools(session, taken.append, view), button, "face.pt", b"PK\x03\x04 cut short")
    assert view.error.startswith("opening face.pt") and "/tmp" not in view.error
    assert not taken and not session.directions


def test_a_file_that_is_too_large_for_a_message_is_refused_in_words(session: sw.GeneratorSession) -> None:
    view = View()
    give(FromTools(session, print, view), "code", "large.npy", bytes(LARGEST + 1))
    assert "Put it beside the notebook" in view.error


def test_uploads_of_either_ipywidgets_are_understood() -> None:
    assert uploaded(({"name": "a", "content": memoryview(b"x")},)) == [("a", b"x")]
    assert uploaded({"a": {"content": b"x", "metadata": {}}}) == [("a", b"x")]


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
