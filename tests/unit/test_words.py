"""Words: global directions, the table of channels and what is said where there is nothing to say."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.editing import Words
from stylewidgets.editing.words import published, relevance, scaling, templates
from stylewidgets.editing.words.measuring import measure, wanted_channels
from stylewidgets.editing.words.table import ChannelTable
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.stylespace import is_torgb, layer_of

from .words_encoder import Colours


def make_session(w_dim: int = 8) -> sw.GeneratorSession:
    config = StyleGAN2Config(z_dim=6, w_dim=w_dim, resolution=16, channels=(8, 6, 4), mapping_layers=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return sw.GeneratorSession(StyleGAN2(config), device="cpu", precision="fp32", name="toy")


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    return make_session()


@pytest.fixture(scope="module")
def table(session: sw.GeneratorSession) -> ChannelTable:
    return measure(session, Colours(), faces=3, pictures=32, cached=False)


@pytest.fixture
def words(session: sw.GeneratorSession, table: ChannelTable) -> Words:
    return Words(session, Colours(), table)


def redness(session: sw.GeneratorSession, latents: list[sw.Latent]) -> float:
    pictures = session.images(latents).astype(float).mean(axis=(0, 1, 2))
    return float(pictures[0] - pictures[1:].mean())


# -- directions -------------------------------------------------------------------------------------------------------------
def test_a_picture_on_which_a_channel_does_hardly_anything_hardly_counts() -> None:
    below = np.eye(3)[[0, 0]]
    above = np.array([[0.6, 0.8, 0.0], [1.0, 0.0, 1e-4]])
    ends = np.stack([below, above], axis=1)[None]
    ours, published_ones = relevance.channel_moves(ends)[0], relevance.channel_moves(ends, equal=True)[0]
    assert abs(ours[2]) < 1e-3 * abs(ours[1])
    assert published_ones[2] > published_ones[1] * 0.9


def test_more_channels_are_tried_where_few_do_too_little() -> None:
    values = np.linspace(0.001, 0.4, 300)
    found = relevance.Relevance(values, np.ones(2), "a face", "a bald face")
    assert [len(found.places(beta)) for beta in found.wider] == list(relevance.MORE)
    assert len(found.places()) > relevance.MORE_THAN and found.beta > max(found.wider)
    assert relevance.Relevance(values[:30], np.ones(2), "a face", "a bald face").wider == ()


def test_a_direction_is_an_ordinary_one_in_s_and_does_what_was_said(session: Any, words: Words) -> None:
    direction = words.direction("a face", "a red face", 0.2)
    assert direction.space == "s" and direction.name == "a red face" and "beta 0.20" in direction.source
    before = [session.latent(seed=seed) for seed in range(50, 58)]
    after = [latent.with_edit(direction, 1.0) for latent in before]
    assert redness(session, after) > redness(session, before) + 2
    back = [latent.with_edit(direction, -1.0) for latent in before]
    assert redness(session, back) < redness(session, before) - 2


def test_a_larger_beta_takes_fewer_channels_and_the_strongest_moves_by_its_sigma(
    words: Words, table: ChannelTable
) -> None:
    many, few = (words.direction("a face", "a red face", beta) for beta in (0.1, 0.6))
    assert set(few.channels) < set(many.channels)
    parts = np.abs(few.vector[few.channels] / table.sigma[few.channels])
    assert parts.max() == pytest.approx(1.0, rel=1e-6)


def test_strength_one_does_about_as_much_for_every_sentence(session: Any, words: Words) -> None:
    encoder, gains = Colours(), []
    base = [session.latent(seed=seed) for seed in range(80, 92)]

    def seen(latents: list[sw.Latent]) -> Any:
        x = torch.from_numpy(session.images(latents)).permute(0, 3, 1, 2).float() / 127.5 - 1
        return encoder.pictures(x).double().numpy()

    for target in ("a red face", "a green face", "a blue face"):
        change = words.relevance("a face", target).change
        direction = words.direction("a face", target)
        moved = seen([latent.with_edit(direction, 1.0) for latent in base]) - seen(base)
        assert words.table is not None
        gains.append(float((moved @ change).mean()) / scaling.usual(words.table, change))
    assert min(gains) > 0.4 and max(gains) < 2 * min(gains)


def test_without_drawing_the_scale_comes_from_the_table(words: Words) -> None:
    assert 0 < words.direction("a face", "a red face", measured=False).sigma <= scaling.MOST


def test_a_beta_that_nothing_passes_is_told_with_the_largest_relevance(words: Words) -> None:
    largest = words.relevance("a face", "a red face").largest
    with pytest.raises(relevance.NothingRelevant, match=f"largest relevance is {largest:.3f}") as caught:
        words.direction("a face", "a red face", beta=0.9999)
    assert caught.value.largest == largest


def test_a_table_of_zeros_gives_words_instead_of_numbers_that_are_none(session: Any, table: ChannelTable) -> None:
    nothing = ChannelTable(
        np.zeros_like(table.directions), table.lengths, table.sigma, table.spread, table.weights, table.encoder
    )
    with pytest.raises(ValueError, match="no channel passes"):
        Words(session, Colours(), nothing).direction("a face", "a red face")


@pytest.mark.parametrize(
    "neutral, target, message",
    [
        ("a face", "  ", "empty text"),
        ("a face", "xyzzy", "knows no word of 'xyzzy'"),
        ("a face", "face", "mean the same"),
        ("red", "a red", "mean the same"),
    ],
)
def test_texts_without_a_way_between_them_are_refused(words: Words, neutral: str, target: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        words.direction(neutral, target)


def test_without_a_table_the_remedy_is_named(session: Any) -> None:
    with pytest.raises(ValueError, match=r"Words.prepare\(\).*stylewidgets train words-table"):
        Words(session, Colours()).direction("a face", "a red face")


# -- the table --------------------------------------------------------------------------------------------------------------
def test_each_channel_is_moved_alone(session: Any, table: ChannelTable) -> None:
    """The row of a channel is the same whichever others are measured, and in whatever order."""
    layer = 2
    some = measure(session, Colours(), faces=3, pictures=32, layers=[layer], cached=False)
    inside = layer_of(session.layers) == layer
    assert np.array_equal(some.known, inside)
    assert np.array_equal(some.directions[inside], table.directions[inside])


def test_colours_can_be_left_out(session: Any) -> None:
    torgb = is_torgb(session.layers)
    assert not torgb[wanted_channels(session, torgb=False)].any()
    assert len(wanted_channels(session)) == len(torgb)


def test_the_beginning_of_the_work_has_something_of_every_layer(session: Any) -> None:
    order = wanted_channels(session)
    assert len(set(layer_of(session.layers)[order[: len(order) // 2]])) == len(session.layers)


def test_the_work_says_how_long_and_its_part_is_a_table(session: Any) -> None:
    words = Words(session, Colours())
    cost = words.cost(faces=2, pictures=16)
    assert cost.pictures == 16 + 2 * 2 * len(layer_of(session.layers)) and cost.seconds > 0
    run = words.prepare(faces=2, pictures=16, cached=False)
    for progress in run:
        if progress.words == "measuring channels" and progress.done == 5:
            break
    part = run.result()
    assert part is not None and part.known.sum() == 5 and part.fits(session, "colours-1", 4) is None
    run.stop()


def test_stopped_work_goes_on_where_it_was(session: Any, table: ChannelTable, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    looked = 0

    class Counting(Colours):
        def pictures(self, x: Any) -> Any:
            nonlocal looked
            looked += len(x)
            return super().pictures(x)

    words = Words(session, Counting())
    run = words.prepare(faces=3, pictures=32)
    for progress in run:
        if progress.words == "measuring channels" and progress.done == 20:
            break
    run.stop()
    assert Words.load(session, Counting(), None).table is None  # other settings than the usual ones
    before = looked
    made = Words(session, Counting()).prepare(faces=3, pictures=32)
    for _ in made:
        pass
    assert looked - before <= (len(table.sigma) - 20) * 6
    result = made.result()
    assert result is not None and np.array_equal(result.directions, table.directions)


def test_a_finished_table_is_found_again(session: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    words = Words.load(session, Colours())
    assert words.table is None
    run = words.prepare(layers=[0])
    for _ in run:
        pass
    found = Words.load(session, Colours()).table
    assert found is not None and words.table is not None and np.array_equal(found.directions, words.table.directions)


def test_a_table_is_the_same_after_saving(session: Any, table: ChannelTable, tmp_path: Path) -> None:
    loaded = ChannelTable.load(table.save(tmp_path / "toy.words.safetensors"))
    assert np.allclose(loaded.directions, table.directions, atol=8e-3) and np.array_equal(loaded.sigma, table.sigma)
    assert np.allclose(loaded.spread, table.spread, rtol=5e-3, atol=1e-5)
    assert loaded.weights == table.weights and loaded.about["faces"] == 3
    assert np.allclose(np.linalg.norm(loaded.directions[loaded.known], axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="is no table of channels"):
        (tmp_path / "broken.safetensors").write_bytes(b"no")
        ChannelTable.load(tmp_path / "broken.safetensors")


def test_a_table_of_another_generator_or_encoder_is_refused(session: Any, table: ChannelTable) -> None:
    with pytest.raises(ValueError, match="made for another generator"):
        Words(make_session(w_dim=9), Colours(), table)

    class Wide(Colours):
        dim = 5

    with pytest.raises(ValueError, match="embeddings of 4 numbers; colours gives 5"):
        Words(session, Wide(), table)

    class Newer(Colours):
        fingerprint = "colours-2"

    with pytest.raises(ValueError, match="other weights of 'colours'"):
        Words(session, Newer(), table)


# -- published tables -------------------------------------------------------------------------------------------------------
def publish(folder: Path, session: Any, table: ChannelTable, layers: int = 5) -> np.ndarray:
    """A folder as StyleCLIP has for a data set: fs3 of the first convolutions, means and deviations of all layers."""
    conv = ~is_torgb(session.layers) & (layer_of(session.layers) <= layers)
    rows = table.directions[conv]
    np.save(folder / "fs3.npy", rows)
    split = np.cumsum([layer.channels for layer in session.layers])[:-1]
    parts = np.split(table.sigma, split)
    (folder / "S_mean_std").write_bytes(pickle.dumps([[part * 0 for part in parts], parts]))
    return conv


def test_a_published_folder_is_read_and_gives_the_same_directions(
    session: Any, table: ChannelTable, tmp_path: Path
) -> None:
    conv = publish(tmp_path, session, table)
    found = published.read_table(tmp_path, session)
    assert np.array_equal(found.known, conv) and np.array_equal(found.sigma, table.sigma)
    assert np.allclose(found.directions[conv], table.directions[conv], atol=1e-6)
    words = Words.load(session, Colours(), tmp_path)
    assert set(words.direction("a face", "a red face", 0.1).channels) <= set(np.flatnonzero(conv))


def test_published_files_of_another_generator_or_with_orders_are_refused(
    session: Any, table: ChannelTable, tmp_path: Path
) -> None:
    publish(tmp_path, session, table)
    np.save(tmp_path / "fs3.npy", np.zeros((7, 4), np.float32))
    with pytest.raises(ValueError, match="7 channels, which are not the first convolutions"):
        published.read_table(tmp_path, session)
    publish(tmp_path, session, table)
    (tmp_path / "S_mean_std").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "hit").encode() + b"'\ntR.")
    with pytest.raises(ValueError, match="means and deviations"):
        published.read_table(tmp_path, session)
    assert not (tmp_path / "hit").exists()
    np.save(tmp_path / "fs3.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="no table of global directions"):
        published.read_table(tmp_path / "fs3.npy", session)


# -- texts ------------------------------------------------------------------------------------------------------------------
def test_templates_take_a_text_with_or_without_its_article() -> None:
    assert templates.filled("A smiling face.", ("a photo of a {}.", "the {}")) == [
        "a photo of a smiling face.",
        "the smiling face",
    ]
    assert templates.filled("angry face", ("a {}", "my {}")) == ["an angry face", "my angry face"]
    assert len(set(templates.PHOTOGRAPHS)) == len(templates.PHOTOGRAPHS) > 70
    with pytest.raises(ValueError, match="where the text goes"):
        templates.filled("face", ("a photo",))


def test_find_ranks_pictures_by_a_sentence(session: Any, words: Words) -> None:
    latents = [session.latent(seed=seed) for seed in range(12)]
    found = words.find("a red face", latents)
    assert {one.latent for one in found} == set(latents)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert redness(session, [found[0].latent]) > redness(session, [found[-1].latent])
    with pytest.raises(ValueError, match="knows no word"):
        words.find("xyzzy", latents)
