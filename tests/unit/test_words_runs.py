"""The optimiser and the mapper: runs and machines like any other, and files of the published ones."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.editing import Mapper, Words
from stylewidgets.editing.words import mapper_net
from stylewidgets.editing.words.optimiser import METHOD

from .test_words import make_session, redness
from .words_encoder import Colours


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    return make_session()


@pytest.fixture(scope="module")
def trained(session: sw.GeneratorSession) -> Mapper:
    run = Words(session, Colours()).fit_mapper("a red face", steps=40, levels=("coarse", "medium"), l2=0.02)
    for _ in run:
        pass
    made = run.result()
    assert isinstance(made, Mapper)
    return made


# -- the optimiser ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("space", ["w+", "s", "w"])
def test_the_optimiser_makes_a_picture_that_fits_better(session: Any, space: str) -> None:
    start = session.latent(seed=4, psi=0.8)
    run = Words(session, Colours()).optimise(start, "a red face", space=space, steps=25)
    result = run.finish()
    assert result.space == space and run.history[-1]["words"] < run.history[0]["words"]
    assert redness(session, [result.latent()]) > redness(session, [start]) + 1
    assert {"words", "stay", "loss"} <= run.history[0].keys()


def test_the_first_step_has_rate_0_and_the_edits_of_the_start_count(session: Any) -> None:
    start = session.latent(seed=4).with_edit(sw.Direction("d", np.ones(8, np.float32)), 0.5)
    run = Words(session, Colours()).optimise(start, "a red face", steps=5)
    run.advance()
    assert torch.equal(run.code(), session.map(start))


def test_colour_layers_stay_in_s(session: Any) -> None:
    start = session.latent(seed=4)
    result = Words(session, Colours()).optimise(start, "a red face", space="s", steps=10).finish()
    moved = result.code[0] != session.flat_styles(start)[0].numpy()
    torgb = sw.stylespace.is_torgb(session.layers)
    assert moved[~torgb].any() and not moved[torgb].any()


def test_free_generation_starts_at_the_mean_and_holds_to_nothing(session: Any) -> None:
    run = Words(session, Colours()).optimise(session.latent(seed=4), "a red face", mode="free", steps=3)
    run.advance()
    assert torch.allclose(run.code()[0], inversion.spaces.spread(session).mean.expand(session.num_ws, -1))
    assert "stay" not in run.history[0]


def test_a_saved_run_goes_on_with_the_same_numbers(session: Any, tmp_path: Path) -> None:
    words, start = Words(session, Colours()), session.latent(seed=4)
    whole = words.optimise(start, "a red face", steps=12).finish()
    half = words.optimise(start, "a red face", steps=12)
    for _ in range(5):
        half.advance()
    path = inversion.save_run(half, tmp_path / "run.safetensors")
    other = inversion.resume(path, session, words.optimise(start, "a red face", steps=12))
    assert np.array_equal(other.finish().code, whole.code)


def test_wrong_wishes_are_refused(session: Any) -> None:
    words = Words(session, Colours())
    with pytest.raises(ValueError, match="empty text"):
        words.optimise(session.latent(seed=1), " ")
    with pytest.raises(ValueError, match="knows no word"):
        words.optimise(session.latent(seed=1), "xyzzy")
    with pytest.raises(ValueError, match="no setting of words 'stepz'"):
        words.optimise(session.latent(seed=1), "red", stepz=3)
    assert all(setting.help for setting in METHOD.settings)


# -- the mapper -------------------------------------------------------------------------------------------------------------
def test_a_trained_mapper_does_what_it_was_trained_for(session: Any, trained: Mapper) -> None:
    session.editors.add("mapper", trained)
    before = [session.latent(seed=seed, psi=0.7) for seed in range(40, 48)]
    after = [latent.with_edit(trained.edit()) for latent in before]
    assert redness(session, after) > redness(session, before) + 2
    assert trained.levels == ("coarse", "medium") and trained.about["sentence"] == "a red face"


def test_levels_and_strength_of_an_edit_count(session: Any, trained: Mapper) -> None:
    session.editors.add("mapper", trained)
    latent = session.latent(seed=1)
    w = session.map(latent)
    change = session.map(latent.with_edit(trained.edit())) - w
    assert torch.allclose(session.map(latent.with_edit(trained.edit(0.5))) - w, change * 0.5, atol=1e-6)
    coarse = session.map(latent.with_edit(trained.edit().with_levels("coarse"))) - w
    assert torch.equal(coarse[:, 4:], torch.zeros_like(coarse[:, 4:])) and torch.allclose(coarse[:, :4], change[:, :4])


def test_a_mapper_answers_other_faces_with_other_changes(session: Any, trained: Mapper) -> None:
    w = session.sample_w(2, 5)[:, None].expand(-1, session.num_ws, -1)
    one, two = trained.delta(w)
    assert not torch.allclose(one, two, atol=1e-4)


def test_a_saved_mapper_is_the_same_machine(session: Any, trained: Mapper, tmp_path: Path) -> None:
    loaded = Mapper.load(trained.save(tmp_path / "red.safetensors"))
    assert loaded.weights == trained.weights and loaded.name == "a red face" and loaded.fits(session) is None
    w = session.sample_w(3, 5)[:, None].expand(-1, session.num_ws, -1)
    assert torch.equal(loaded.delta(w), trained.delta(w))
    fresh = make_session()
    latent = sw.Latent.load(fresh.latent(seed=1).with_edit(trained.edit()).save(tmp_path / "latent.json"))
    with pytest.raises(ValueError, match="'mapper' editor"):
        fresh.image(latent)
    fresh.editors.add("mapper", tmp_path / "red.safetensors", trained.weights)
    session.editors.add("mapper", trained)
    assert np.array_equal(fresh.image(latent), session.image(latent))


def test_a_mapper_of_another_generator_is_refused(trained: Mapper) -> None:
    other = make_session(w_dim=9)
    with pytest.raises(ValueError, match="trained for another generator"):
        other.editors.add("mapper", trained)


def test_training_refuses_what_it_cannot_do(session: Any) -> None:
    words = Words(session, Colours())
    with pytest.raises(ValueError, match="no level of a mapper 'corse'"):
        words.fit_mapper("red", levels=("corse",)).advance()
    with pytest.raises(ValueError, match="at least one of the levels"):
        words.fit_mapper("red", levels=()).advance()


def test_stopped_training_leaves_the_mapper_so_far(session: Any) -> None:
    run = Words(session, Colours()).fit_mapper("red", steps=50)
    for _ in range(4):
        run.advance()
    run.stop()
    assert run.result().about["steps"] == 3  # type: ignore[union-attr]  # the first report says that networks are loaded


# -- published mappers ------------------------------------------------------------------------------------------------------
def network(width: int, seed: int) -> mapper_net.Layers:
    source = torch.Generator().manual_seed(seed)
    layers = mapper_net.drawn(width, source, torch.device("cpu"))
    return [(weight, torch.randn(width, generator=source, dtype=torch.float32)) for weight, _ in layers]


def publish(path: Path, nets: dict[str, Any], session: Any) -> Path:
    """A checkpoint as the published training writes it, generator and options included."""
    state = {"decoder.style.1.weight": session.parameters()["mapping.fc0.weight"].clone()}
    for stem, layers in nets.items():
        for i, (weight, bias) in enumerate(layers, 1):
            state[f"mapper.{stem}mapping.{i}.weight"], state[f"mapper.{stem}mapping.{i}.bias"] = weight, bias
    torch.save({"state_dict": state, "opts": vars(Namespace(description="red hair", no_fine_mapper=True))}, path)
    return path


def test_published_mappers_of_rows_are_read_and_equal(session: Any, tmp_path: Path) -> None:
    nets = {"course_mapping.": network(8, 1), "medium_mapping.": network(8, 2)}
    found = Mapper.load(publish(tmp_path / "red.pt", nets, session))
    assert found.name == "red hair" and found.levels == ("coarse", "medium") and found.fits(session) is None
    w = session.sample_w(2, 1)[:, None].expand(-1, session.num_ws, -1)
    ours = {"coarse": nets["course_mapping."], "medium": nets["medium_mapping."]}
    assert torch.equal(found.delta(w), mapper_net.change_w(ours, w, ("coarse", "medium", "fine")))


def test_a_published_single_mapper_is_read_and_equal(session: Any, tmp_path: Path) -> None:
    net = network(8, 3)
    found = Mapper.load(publish(tmp_path / "single.pt", {"mapping.": net}, session))
    w = session.sample_w(2, 1)[:, None].expand(-1, session.num_ws, -1)
    assert torch.equal(found.delta(w), mapper_net.change_w({"all": net}, w, ()))


def test_a_published_mapper_of_styles_is_read_and_equal(session: Any, tmp_path: Path) -> None:
    conv = {i: layer.channels for i, layer in enumerate(session.layers) if layer.kind == "conv"}
    nets = {i: network(size, i) for i, size in conv.items()}
    found = Mapper.load(publish(tmp_path / "s.pt", {f"mapper_{i}.": net for i, net in nets.items()}, session))
    assert found.space == "s" and found.fits(session) is None
    styles = session.flat_styles(session.latent(seed=1))
    expected = mapper_net.change_s(
        {str(i): net for i, net in nets.items()}, styles, [x.channels for x in session.layers]
    )
    assert torch.equal(found.delta(styles), expected)
    session.editors.add("mapper", found)
    assert session.image(session.latent(seed=1).with_edit(found.edit())).shape == (16, 16, 3)


def test_published_mappers_that_do_not_fit_or_are_damaged_are_refused(session: Any, tmp_path: Path) -> None:
    other = make_session()
    with torch.no_grad():
        other.parameters()["mapping.fc0.weight"].neg_()
    found = Mapper.load(publish(tmp_path / "red.pt", {"course_mapping.": network(8, 1)}, session))
    assert "another generator" in (found.fits(other) or "")
    for name, nets in {
        "short": {"course_mapping.": network(8, 1)[:2]},
        "odd": {"strange.": network(8, 1)},
        "none": {},
    }.items():
        with pytest.raises(ValueError, match=f"{name}.pt"):
            Mapper.load(publish(tmp_path / f"{name}.pt", nets, session))
    (tmp_path / "cut.pt").write_bytes((tmp_path / "red.pt").read_bytes()[:900])
    with pytest.raises(ValueError, match="cut.pt"):
        Mapper.load(tmp_path / "cut.pt")


# -- what ships -------------------------------------------------------------------------------------------------------------
def test_what_ships_fits_the_generator_and_the_encoder_that_ship() -> None:
    """A new encoder needs a new table: `stylewidgets train words-table` makes it."""
    session = sw.load()
    words = Words.load(session)
    assert words.table is not None and words.table.encoder == words.encoder.fingerprint and words.table.share == 1
    assert words.mappers() == ("glasses", "light-hair", "smile")
    assert all(words.mapper(name).fits(session) is None for name in words.mappers())
    tables, mappers = (list(sw.weights.FOLDER.glob(name)) for name in ("*.words.safetensors", "*.mapper.*.safetensors"))
    assert sum(path.stat().st_size for path in tables) <= 500_000
    assert sum(path.stat().st_size for path in mappers) <= 600_000
    assert all((path.parent / f"{path.name.removesuffix('.safetensors')}.md").is_file() for path in tables + mappers)


def test_an_edit_of_a_mapper_that_ships_needs_nothing_but_its_file(tmp_path: Path) -> None:
    session = sw.load()
    latent = session.latent(seed=7).with_edit(Words.load(session).mapper("smile").edit())
    path = latent.save(tmp_path / "smile.json")
    fresh = sw.load()
    assert np.array_equal(fresh.image(sw.Latent.load(path)), session.image(latent))
