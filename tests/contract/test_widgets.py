"""What every widget promises, the four of the package and the stub that shows how to write one."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets

import stylewidgets as sw
from stylewidgets.directions import DirectionSet
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Code, Direction, Latent
from stylewidgets.mixing import MixGrid
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.kit import sharing
from stylewidgets.widgets.kit.base import StateWidget

from .stub_widget import StubWidget

W_DIM = 8


def make_session() -> GeneratorSession:
    """A small generator that says it draws avatars and has directions, so that every control is there."""
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=W_DIM, w_dim=W_DIM, resolution=16, channels=(4, 4, 4), mapping_layers=1)
    generator, random = StyleGAN2(config), np.random.RandomState(0)
    metadata = {"recipe": {"twist": 0.3}}
    plain = GeneratorSession(generator, name="toy", device="cpu", metadata=metadata)
    directions = DirectionSet.of(plain, [Direction(name, random.randn(W_DIM)) for name in "abcdefg"])
    return GeneratorSession(generator, name="toy", device="cpu", metadata=metadata, directions=directions)


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    return make_session()


BAD = Latent(code=Code("w", np.zeros(99)))


@dataclass(frozen=True)
class Kind:
    """A widget, the most models that it may open with, another value for it and what saves something."""

    make: Callable[..., StateWidget[Any]]
    models: int
    keyword: str
    other: Callable[[GeneratorSession], Any] = lambda session: session.latent(seed=5, psi=0.5)
    refused: Any = BAD
    ready: Callable[[Any], None] = lambda widget: None


def viewer(session: GeneratorSession, **options: Any) -> Any:
    return sw.InversionViewer(session, **{"method": "image2stylegan", "perceptual": 0.0, "steps": 2, **options})


def invert(widget: Any) -> None:
    """A viewer saves results, so it needs one."""
    widget.start()
    widget.finish()


KINDS = {
    "explorer": Kind(sw.LatentExplorer, 80, "directons"),
    "grid": Kind(
        sw.StyleMixGrid,
        60,
        "colums",
        lambda session: MixGrid.of(session, [7], [8, 9], "fine"),
        MixGrid.of(make_session(), [1], [2]).replace(rows=(BAD,)),
    ),
    "probe": Kind(sw.StyleSpaceProbe, 60, "sampels"),
    "viewer": Kind(viewer, 60, "stepps", ready=invert),
    "stub": Kind(StubWidget, 40, "sise"),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def widget(kind: Kind, session: GeneratorSession) -> Iterator[StateWidget[Any]]:
    made = kind.make(session)
    yield made
    made.close()


def models() -> dict[str, Any]:
    """Every open model of this process by its id, layouts and styles too; kept elsewhere in ipywidgets 7."""
    known = getattr(ipywidgets.widgets.widget, "_instances", None)
    return ipywidgets.Widget.widgets if known is None else known


def open_all(widget: Any) -> None:
    """Build every panel."""
    panels = getattr(widget, "_panels", None) or widget.controls
    switcher = getattr(panels, "_switcher", None) or getattr(panels, "_tabs", None) or panels.panels
    for name in switcher.names:
        switcher.selected = name


# -- opening --------------------------------------------------------------------------------------------------------------
def test_it_opens_with_few_models(kind: Kind, session: GeneratorSession) -> None:
    before = set(models())
    made = kind.make(session)
    count = len(set(models()) - before)
    made.close()
    assert count <= kind.models


def test_an_unknown_keyword_is_refused_with_the_nearest_one(kind: Kind, session: GeneratorSession) -> None:
    with pytest.raises((TypeError, ValueError), match="did you mean"):
        kind.make(session, **{kind.keyword: 3})


# -- the value ------------------------------------------------------------------------------------------------------------
def test_the_value_can_be_set_and_undone_and_done_again(
    kind: Kind, widget: StateWidget[Any], session: GeneratorSession
) -> None:
    start, other = widget.value, kind.other(session)
    widget.value = other
    assert widget.value == other and widget.can_undo and not widget.can_redo and widget.view.error == ""
    widget.undo()
    assert widget.value == start and widget.can_redo
    widget.redo()
    assert widget.value == other
    widget.redo()
    assert widget.value == other


def test_a_value_that_does_not_fit_raises_and_changes_nothing(kind: Kind, widget: StateWidget[Any]) -> None:
    before = widget.value
    with pytest.raises(ValueError):
        widget.value = kind.refused
    with pytest.raises(traitlets.TraitError):
        widget.value = "seed 3"
    assert widget.value == before


def test_one_control_makes_one_step(widget: StateWidget[Any], kind: Kind, session: GeneratorSession) -> None:
    widget._history._clock = lambda: 0.0  # however slow this machine is
    start, other = widget.value, kind.other(session)
    between = other.replace(psi=0.25) if isinstance(other, Latent) else other.replace(noise="column")
    for value in (between, other):
        widget.change("a control", lambda _, value=value: value)
    widget.undo()
    assert widget.value == start


def test_what_a_control_asks_for_in_vain_is_shown_and_the_controls_go_back(
    kind: Kind, widget: StateWidget[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, refreshed = widget.value, []
    update = widget._update
    monkeypatch.setattr(widget, "_update", lambda: refreshed.append(widget.value) or update())

    def fail(_: Any) -> Any:
        raise RuntimeError("the device is gone")

    for wrong, text in ((fail, "the device is gone"), (lambda _: kind.refused, "shape")):
        refreshed.clear()
        widget.change("a control", wrong)
        assert text in widget.view.error and widget.value == before and refreshed == [before]
    widget.change("", lambda value: value)
    assert widget.view.error == ""


def test_two_can_be_linked(kind: Kind, session: GeneratorSession) -> None:
    one, two = kind.make(session), kind.make(session)
    link = traitlets.link((one, "value"), (two, "value"))
    one.value = kind.other(session)
    assert two.value == one.value == kind.other(session)
    two.undo()
    assert one.value == two.value != kind.other(session)
    link.unlink()
    one.close()
    two.close()


def test_a_key_of_the_page_does_what_its_method_does(widget: StateWidget[Any], kind: Kind, session: Any) -> None:
    start = widget.value
    widget.value = kind.other(session)
    widget._on_key("z")
    assert widget.value == start
    widget._on_key("F13")
    assert widget.value == start and widget.view.error == ""


# -- files and code -------------------------------------------------------------------------------------------------------
def test_what_was_saved_comes_back(kind: Kind, widget: StateWidget[Any], session: Any, tmp_path: Path) -> None:
    kind.ready(widget)
    path = tmp_path / ("state.safetensors" if kind.ready is invert else "state.json")
    saved = widget.value
    assert widget.save(path) == path
    widget.value = kind.other(session)
    widget.load(path)
    assert widget.value == saved
    path.write_bytes(b"{not a state")
    with pytest.raises(ValueError):
        widget.load(path)
    assert widget.value == saved


def test_its_code_is_python_and_its_name_is_short(kind: Kind, widget: StateWidget[Any]) -> None:
    kind.ready(widget)
    compile(widget.code(), "code", "exec")
    assert "import stylewidgets as sw" in widget.code()
    assert repr(widget).startswith(type(widget).__name__ + "(toy, ") and len(repr(widget)) < 120


def test_a_notebook_keeps_a_picture_of_it(widget: StateWidget[Any]) -> None:
    widget._ipython_display_()
    data, mime, words = widget.saved._picture
    assert data and mime.startswith("image/") and words


# -- the end --------------------------------------------------------------------------------------------------------------
def test_closing_leaves_no_model_no_thread_and_no_shared_layout(kind: Kind, session: GeneratorSession) -> None:
    gc.collect()
    before, threads, pool = set(models()), threading.active_count(), dict(sharing._POOL)
    made = kind.make(session)
    open_all(made)
    made.value = kind.other(session)
    made.close()
    made.close()
    left = {type(models()[key]).__name__ for key in set(models()) - before}
    assert left <= {"_CanvasManager"}  # one for the whole process, made by ipycanvas
    assert threading.active_count() == threads and pool == sharing._POOL


def test_closing_frees_the_generator(kind: Kind) -> None:
    session = make_session()
    alive = weakref.ref(session.generator)
    made = kind.make(session)
    open_all(made)
    kind.ready(made)
    made.value = kind.other(session)
    made.undo()
    made.close()
    del made, session
    gc.collect()
    assert alive() is None
