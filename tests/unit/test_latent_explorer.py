"""The explorer without a front end: one value, many controls."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from stylewidgets.directions import DirectionSet
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Code, Direction, Latent
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.latent_explorer.explorer import FIRST_ROWS, LatentExplorer

W_DIM = 8


def make_session(c_dim: int = 0, resolution: int = 16) -> GeneratorSession:
    torch.manual_seed(0)
    blocks = int(np.log2(resolution)) - 1
    config = StyleGAN2Config(
        z_dim=W_DIM, w_dim=W_DIM, c_dim=c_dim, resolution=resolution, channels=(4,) * blocks, mapping_layers=2
    )
    random = np.random.RandomState(0)
    names = ("smile", "age", "pose", "light", "hair", "hat", "beard")
    session = GeneratorSession(StyleGAN2(config), name="toy", device="cpu")
    directions = DirectionSet.of(session, [Direction(name, random.randn(W_DIM), source="pca") for name in names])
    return GeneratorSession(session.generator, name="toy", device="cpu", directions=directions)


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    return make_session()


@pytest.fixture
def explorer(session: GeneratorSession) -> Iterator[LatentExplorer]:
    made = LatentExplorer(session)
    yield made
    made.close()


def rows(explorer: LatentExplorer) -> Mapping[str, Any]:
    return explorer.tools["directions"].rows.handles


def slider(explorer: LatentExplorer, name: str = "smile") -> Any:
    return explorer.controls[name]


def registry() -> dict[str, Any]:
    """Every open widget by its model id; kept elsewhere in ipywidgets 7."""
    known = getattr(ipywidgets.widgets.widget, "_instances", None)
    return ipywidgets.Widget.widgets if known is None else known


def pixels(explorer: LatentExplorer) -> Any:
    return np.asarray(Image.open(io.BytesIO(bytes(explorer.view.frame))))


def shows_its_value(explorer: LatentExplorer) -> bool:
    return np.array_equal(pixels(explorer), np.asarray(explorer.session.render(explorer.value)))


# -- starting -----------------------------------------------------------------------------------------------------------
def test_it_starts_with_one_frame_that_is_the_picture_of_its_value(explorer: LatentExplorer) -> None:
    assert explorer.stats.sent == 1 and shows_its_value(explorer)
    assert explorer.value.seed == 0 and len(explorer.value.edits) == FIRST_ROWS


def test_a_value_that_is_given_is_kept_as_it_is(session: GeneratorSession) -> None:
    value = session.latent(seed=7, psi=0.7)
    explorer = LatentExplorer(session, value)
    assert explorer.value == explorer.start == value and shows_its_value(explorer)
    explorer.close()


def test_an_unknown_keyword_is_refused_with_the_nearest_name(session: GeneratorSession) -> None:
    with pytest.raises(TypeError, match="directions"):
        LatentExplorer(session, directons=[])  # type: ignore[call-arg]


def test_a_value_that_does_not_fit_is_refused(session: GeneratorSession) -> None:
    with pytest.raises(ValueError, match="shape"):
        LatentExplorer(session, Latent(code=Code("w", np.zeros(99))))


def test_directions_may_be_a_list_of_one_s_own(session: GeneratorSession) -> None:
    explorer = LatentExplorer(session, directions=[Direction("mine", np.ones(W_DIM))])
    assert list(rows(explorer)) == ["mine"]
    explorer.close()


# -- one truth ----------------------------------------------------------------------------------------------------------
def test_a_slider_changes_the_value_and_the_picture(explorer: LatentExplorer) -> None:
    before = pixels(explorer)
    slider(explorer).value = 3.0
    assert explorer.value.strength("smile") == 3.0
    assert shows_its_value(explorer) and not np.array_equal(before, pixels(explorer))


def test_assigning_the_value_moves_the_controls_and_the_picture(explorer: LatentExplorer) -> None:
    smile = explorer.directions["smile"]
    explorer.value = Latent(seed=5, psi=0.5, cutoff=3).with_edit(smile, 7.25, (0, 2))
    source = explorer._panels.source
    source.unfold()
    assert (source._seed.value, source.psi.handles["psi"].value, source._cutoff.value) == ("5", 0.5, 3)
    assert slider(explorer).value == 7.25 and list(rows(explorer)) == ["smile"]
    assert shows_its_value(explorer) and explorer.value.strength("smile") == 7.25


@pytest.mark.slow
def test_a_storm_of_slider_values_leaves_one_frame_of_the_last_and_no_growth(session: GeneratorSession) -> None:
    explorer = LatentExplorer(session)
    explorer.picture._pump.hello()  # a page is there, and acknowledges nothing
    explorer.picture._pump._clock = explorer._history._clock = lambda: 0.0  # however slow this machine is
    control = slider(explorer)
    gc.collect()
    widgets_before, sent_before = set(registry()), explorer.stats.sent
    for step in range(2000):
        control.value = (step % 200) / 20 - 5
    assert explorer.stats.sent - sent_before <= 4
    explorer.picture._pump.acknowledge(10**9)
    assert explorer.picture._pump.in_flight <= 1 and not explorer.picture._pump.waiting
    assert explorer.value.strength("smile") == pytest.approx(199 / 20 - 5) and shows_its_value(explorer)
    assert len(explorer._history) == 1
    assert set(registry()) == widgets_before
    explorer.close()


def test_linked_explorers_follow_each_other_without_going_round(session: GeneratorSession) -> None:
    a, b = LatentExplorer(session), LatentExplorer(session)
    link = traitlets.link((a, "value"), (b, "value"))
    sent = (a.stats.sent, b.stats.sent)
    slider(a).value = 2.0
    assert b.value == a.value and slider(b).value == 2.0
    assert (a.stats.sent - sent[0], b.stats.sent - sent[1]) == (1, 1)
    slider(b).value = -1.0
    assert a.value.strength("smile") == -1.0 and shows_its_value(a) and shows_its_value(b)
    b.undo()
    assert a.value == b.value
    link.unlink()
    a.close()
    b.close()


@pytest.mark.slow
def test_two_threads_changing_a_linked_pair_from_both_ends_neither_block_nor_part(session: GeneratorSession) -> None:
    a, b = LatentExplorer(session), LatentExplorer(session)
    link = traitlets.link((a, "value"), (b, "value"))

    def move(explorer: LatentExplorer, name: str) -> None:
        control = slider(explorer, name)
        for step in range(50):
            control.value = step / 10

    threads = [threading.Thread(target=move, args=pair, daemon=True) for pair in ((a, "smile"), (b, "age"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert a.value == b.value and a.value.strength("smile") == a.value.strength("age") == pytest.approx(4.9)
    link.unlink()
    a.close()
    b.close()


# -- history ------------------------------------------------------------------------------------------------------------
def test_one_drag_is_one_step_back_and_forward(explorer: LatentExplorer) -> None:
    for strength in (0.5, 1.0, 1.5, 2.0):
        slider(explorer).value = strength
    explorer.undo()
    assert explorer.value == explorer.start and slider(explorer).value == 0.0 and shows_its_value(explorer)
    explorer.redo()
    assert explorer.value.strength("smile") == 2.0
    explorer.redo()
    assert explorer.value.strength("smile") == 2.0


def test_adding_renaming_and_removing_directions_can_be_undone(explorer: LatentExplorer) -> None:
    explorer.add_direction("hat")
    explorer.rename_direction("hat", "headgear")
    explorer.remove_direction("headgear")
    assert "headgear" not in rows(explorer)
    explorer.undo()
    assert "headgear" in rows(explorer)
    explorer.undo()
    assert "hat" in rows(explorer)
    explorer.undo()
    assert explorer.value == explorer.start


def test_reset_goes_to_the_start_and_can_be_undone(explorer: LatentExplorer) -> None:
    explorer.randomize()
    changed = explorer.value
    explorer.reset()
    assert explorer.value == explorer.start
    explorer.undo()
    assert explorer.value == changed


def test_snapshots_keep_and_restore(explorer: LatentExplorer) -> None:
    slider(explorer).value = 2.0
    explorer.snapshot()
    kept = explorer.value
    explorer.reset()
    explorer.strip.restore(0)
    assert explorer.value == kept and explorer.snapshots == (kept,)


def test_the_history_strip_shows_where_one_was_and_restores_it(explorer: LatentExplorer) -> None:
    explorer.value = explorer.value.replace(seed=1)
    explorer.value = explorer.value.replace(seed=2)
    explorer.open("history")
    assert [latent.seed for latent in explorer.tools["history"].steps.items] == [1, 0]
    explorer.tools["history"].steps.restore(0)
    assert explorer.value.seed == 1


def test_keys_do_what_their_buttons_do(explorer: LatentExplorer) -> None:
    explorer.view.on_key("r")
    changed = explorer.value
    explorer.view.on_key("s")
    explorer.view.on_key("z")
    assert explorer.value == explorer.start and explorer.snapshots == (changed,)
    explorer.view.on_key("y")
    assert explorer.value == changed
    explorer.view.on_key("ArrowLeft")
    assert explorer.view.error == ""


def test_the_picture_that_a_notebook_keeps_is_that_of_the_value(explorer: LatentExplorer) -> None:
    slider(explorer).value = 2.0
    data, _, words = explorer.saved._picture
    assert data == bytes(explorer.view.frame) and "seed 0 · 1 edit" in words


# -- bad input ----------------------------------------------------------------------------------------------------------
def test_bad_input_shows_its_text_and_leaves_value_controls_and_picture(
    explorer: LatentExplorer, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{not a state")
    source = explorer._panels.source
    explorer.open("save")
    state = explorer.tools["save"].state

    def load() -> None:
        state._path.value = str(broken)
        state.children[0].children[2].click()  # load

    add = explorer.tools["directions"].picker._add
    before, frame = explorer.value, bytes(explorer.view.frame)
    for act, text in (
        (lambda: setattr(source._seed, "value", "seven"), "whole number"),
        (lambda: setattr(source.psi.handles["psi"], "value", float("nan")), "finite"),
        (lambda: explorer.tools["directions"].rows.rename("smile", "age"), "in use"),
        (lambda: add(Direction("smile", np.ones(W_DIM))), "rename"),
        (lambda: add(Direction("other", np.ones(99))), "shape"),
        (load, "broken.json"),
    ):
        act()
        assert text in explorer.view.error or text in source.place.error
        assert explorer.value == before and bytes(explorer.view.frame) == frame
        assert (source._seed.value, source.psi.handles["psi"].value) == ("0", 1.0)
    slider(explorer).value = 1.0
    assert explorer.view.error == "" and shows_its_value(explorer)


@pytest.mark.parametrize(
    "act",
    [
        lambda e: setattr(e, "value", Latent(code=Code("w", np.zeros(99)))),
        lambda e: setattr(e, "value", Latent(label=3)),
        lambda e: e.remove_direction("smil"),
        lambda e: e.rename_direction("smil", "x"),
        lambda e: e.add_direction("smil"),
    ],
)
def test_the_same_from_a_cell_raises_and_changes_nothing(explorer: LatentExplorer, act: Any) -> None:
    before = explorer.value
    with pytest.raises(ValueError):
        act(explorer)
    assert explorer.value == before and shows_its_value(explorer)


def test_a_failing_render_keeps_the_last_frame_and_says_why(explorer: LatentExplorer, monkeypatch: Any) -> None:
    frame = bytes(explorer.view.frame)

    def fail(*_: object) -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(explorer.picture._live.cache, "run", fail)
    slider(explorer).value = 2.0
    assert "the device is gone" in explorer.view.error and bytes(explorer.view.frame) == frame


# -- files, code, animation, classes ------------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_saved_state_comes_back(explorer: LatentExplorer, tmp_path: Path, suffix: str) -> None:
    slider(explorer).value = 2.0
    saved = explorer.value
    path = explorer.save(tmp_path / f"state{suffix}")
    explorer.reset()
    explorer.load(path)
    assert explorer.value == saved and shows_its_value(explorer)


def run_code(explorer: LatentExplorer) -> Any:
    import stylewidgets as sw

    scope: dict[str, Any] = {"session": explorer.session, "sw": sw}
    exec(explorer.code(), scope)  # noqa: S102  the point of that text
    return np.asarray(scope["image"])


@pytest.mark.parametrize(
    "value",
    [
        Latent(seed=3, psi=0.123456789, cutoff=2, noise_mode="random", noise_seed=4),
        Latent(blend=((1, 0.25), (2, 0.75)), noise_mode="none"),
        Latent(code=Code("w", np.linspace(-1, 1, W_DIM))),
        Latent(seed=1).with_edit(Direction("unknown", np.ones(W_DIM)), 1.5),
    ],
)
def test_the_code_makes_exactly_the_picture(explorer: LatentExplorer, value: Latent) -> None:
    explorer.value = value
    assert np.array_equal(run_code(explorer), np.asarray(explorer.image))


def test_the_code_takes_bundled_directions_by_name(explorer: LatentExplorer) -> None:
    explorer.tools["directions"].rows.view.on_layers("age", (0, 2))
    slider(explorer, "age").value = 2.0
    text = explorer.code()
    assert "session.directions['age'], 2.0, layers=" in text and "from_json" not in text and "smile" not in text
    assert np.array_equal(run_code(explorer), np.asarray(explorer.image))


def test_a_preview_moves_the_picture_and_not_the_value(explorer: LatentExplorer) -> None:
    before = explorer.value
    explorer.preview(Latent(seed=99))
    assert explorer.value == before and not shows_its_value(explorer)
    slider(explorer).value = 1.0
    assert shows_its_value(explorer)


def test_every_panel_opens_and_follows_the_value(explorer: LatentExplorer) -> None:
    for name in (*explorer.tools, "directions"):
        explorer.open(name)
        explorer.value = Latent(blend=((1, 0.5), (2, 0.5)))
        explorer.randomize()
        assert explorer.view.error == ""
    assert explorer.tools["walk"].pad.blend == ((explorer.value.seed, 1.0),)


def test_a_conditional_generator_has_a_class_chooser(tmp_path: Path) -> None:
    explorer = LatentExplorer(make_session(c_dim=3))
    assert explorer.value.label == 0
    explorer._panels.source._label.value = 2
    assert explorer.value.label == 2 and shows_its_value(explorer)
    explorer.value = Latent(code=Code("w", np.zeros(W_DIM)))
    explorer.randomize()
    assert explorer.value.label == 0 and np.array_equal(run_code(explorer), np.asarray(explorer.image))
    explorer.close()


def test_closing_leaves_no_widget_behind(session: GeneratorSession) -> None:
    before = set(registry())
    explorer = LatentExplorer(session)
    for name in explorer.tools:
        explorer.open(name)
    explorer.tools["directions"].rows.show_plain()
    explorer.tools["directions"].picker.unfold()
    explorer.snapshot()
    explorer.close()
    left = {type(registry()[key]).__name__ for key in set(registry()) - before}
    assert left <= {"_CanvasManager"}  # one for the whole process, made by ipycanvas
