"""The bundled text encoder: what it understands, what it says of what it does not, and how its halves fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import text
from stylewidgets.avatars import render
from stylewidgets.avatars.reading.reader import avatar_reader
from stylewidgets.avatars.world.factors import INDEX
from stylewidgets.avatars.world.rows import defaults
from stylewidgets.text import bundled, unseen
from stylewidgets.text.encoder import TextEncoder
from stylewidgets.text.sentence import pairs, stem, words


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return text.load(device="cpu")


def says(sentence: str) -> list[str]:
    return [word.stem + "-" * word.negated for word in words(sentence)]


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("a man without glasses or a hat, smiling", ["man", "glass-", "hat-", "smil"]),
        ("not smiling and with a beard", ["smil-", "beard"]),
        ("She doesn't smile, but has a hat", ["smil-", "hat"]),
        ("hatless, beardless", ["hat-", "beard-"]),
        ("take the glasses off", ["glass-"]),
        ("hair swept off the forehead", ["hair", "swept", "off", "forehead"]),
        ("not wearing a hat and not with a beard, no curls", ["hat-", "beard-", "curl-"]),
        ("nothing but a moustache", ["moustach"]),
        ("neither hat nor beard", ["hat-", "beard-"]),
        ("eyes that are brown and not blue", ["ey", "brown", "blu-"]),
    ],
)
def test_a_negation_reaches_as_far_as_it_does_in_english(sentence: str, wanted: list[str]) -> None:
    assert says(sentence) == wanted


def test_words_of_one_family_are_one() -> None:
    families = [
        "smile smiles smiling smiled",
        "grin grinning",
        "big bigger biggest",
        "curl curls curled curly",
        "nose noses",
    ]
    families += [
        "left leftwards leftward",
        "shave shaved shaves",
        "eye eyes eyed",
        "wide wider widely",
        "glass glasses",
    ]
    for family in families:
        assert len({stem(word) for word in family.split()}) == 1, family
    assert stem("red") == "red" and stem("bald") == "bald"


def test_words_belong_together_within_a_clause_only() -> None:
    found = {tuple(sorted((a.stem, b.stem))) for a, b in pairs(words("blue eyes and red lips, long hair"))}
    assert found == {("blu", "ey"), ("lip", "red"), ("hair", "long")}


# -- what it understands ---------------------------------------------------------------------------------------------------
def test_it_says_what_it_knows_of_a_sentence(encoder: TextEncoder) -> None:
    assert encoder.understood("a face with some glases and a frobnitz") == ("face", "glases")  # a misspelled one, too
    assert encoder.understood("quantum physics") == ()
    with pytest.raises(ValueError, match="'quantum physics' holds no word that the text encoder 'avatars' knows"):
        encoder.check("quantum physics")
    for empty in ("", "  "):
        with pytest.raises(ValueError, match="an empty sentence"):
            encoder.texts(empty)
        with pytest.raises(ValueError, match="an empty sentence"):
            encoder.check(empty)
    with pytest.raises(TypeError, match="int was given"):
        encoder.texts([3])  # type: ignore[list-item]


def faces(**factors: float) -> torch.Tensor:
    """Two renders that differ in nothing but these factors: without them, with them."""
    rows = torch.from_numpy(defaults(2))
    for name, value in factors.items():
        rows[1, INDEX[name]] = value
    return render(rows, 64, outputs=("image",)).image


@pytest.mark.parametrize(
    ("sentence", "other", "factors"),
    [
        ("red-headed", "dark hair", {"hair_hue": 14.0, "hair_lightness": 0.4}),
        ("ginger", "no red hair", {"hair_hue": 14.0, "hair_lightness": 0.4}),
        ("looks to the left", "looks to the right", {"yaw": -22.0}),
        ("wears glasses", "no glasses", {"glasses": 1.0}),
        ("not smiling", "smiling", {"smile": -0.7}),
        ("eyes shut", "eyes that are not closed", {"eye_openness": 0.0}),
        ("a hat and a beard", "without a hat or a beard", {"hat": 1.0, "beard": 2.0}),
    ],
)
def test_free_wording_is_nearer_to_the_picture_that_it_says(
    encoder: TextEncoder, sentence: str, other: str, factors: dict[str, float]
) -> None:
    with torch.inference_mode():
        near = text.similarity(encoder.pictures(faces(**factors)), encoder.texts([sentence, other]))
    better = near[:, 0] - near[:, 1]
    assert better[1] > better[0] and better[1] > 0


def test_vectors_are_of_unit_length_and_pictures_have_gradients(encoder: TextEncoder) -> None:
    x = (torch.rand(2, 3, 90, 90) * 2 - 1).requires_grad_(True)
    found = encoder.pictures(x)
    assert found.shape == (2, encoder.dim) and found.dtype == torch.float32
    assert torch.allclose(found.norm(dim=1), torch.ones(2)) and torch.allclose(
        encoder.texts("a hat").norm(), torch.ones(())
    )
    (found @ encoder.texts("a smiling face").T).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    with pytest.raises(ValueError, match=r"pictures are \[N, 3, H, W\]"):
        encoder.pictures(torch.zeros(3, 8, 8))


def test_a_sentence_does_not_depend_on_its_neighbours(encoder: TextEncoder) -> None:
    sentences = ["a face", "a smiling face with glasses", "bald"]
    together = encoder.texts(sentences)
    assert torch.allclose(together, torch.cat([encoder.texts(one) for one in sentences]), atol=1e-6)
    assert encoder.texts([]).shape == (0, encoder.dim)


# -- changes and ranking ----------------------------------------------------------------------------------------------------
def test_a_change_leads_from_one_sentence_to_the_other(encoder: TextEncoder) -> None:
    way = text.change(encoder, "a face", "a face with glasses", ("{}", "a portrait of {}"))
    assert way.shape == (encoder.dim,) and abs(float(way.norm()) - 1) < 1e-5
    moved = encoder.pictures(faces(glasses=1.0)) @ way
    assert moved[1] > moved[0]
    for same in ("a face ", "the face", "a FACE"):
        with pytest.raises(ValueError, match="mean the same"):
            text.change(encoder, "a face", same)
    with pytest.raises(ValueError, match="holds no word"):
        text.change(encoder, "a face", "quantum physics")


def test_vectors_of_two_encoders_are_refused(encoder: TextEncoder) -> None:
    with pytest.raises(ValueError, match="vectors of one encoder"):
        text.similarity(encoder.texts("a face"), torch.zeros(1, 512))


def test_a_gallery_is_ranked_by_a_sentence(encoder: TextEncoder) -> None:
    found = text.rank(encoder, "someone with glasses", faces(glasses=1.0), batch=1)
    assert [one.index for one in found] == [1, 0] and found[0].score > found[1].score and found[0].latent is None
    with pytest.raises(ValueError, match="holds no word"):
        text.rank(encoder, "quantum physics", faces())


def test_random_seeds_are_found_by_a_sentence(encoder: TextEncoder) -> None:
    session = sw.load("avatar-64", device="cpu")
    run = text.find.start(session, "someone with glasses", 24, encoder=encoder, first=3)
    part = run.advance()
    assert 0 < part.done < 24 and len(run.result() or []) == part.done
    for _ in run:
        pass
    found = run.result()
    assert found is not None and sorted(one.index for one in found) == list(range(3, 27))
    assert found[0].latent == session.latent(seed=found[0].index)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    again = text.find(session, "someone with glasses", [one.latent for one in found[:4]], encoder=encoder)
    assert [one.index for one in again] == [0, 1, 2, 3]


# -- files ------------------------------------------------------------------------------------------------------------------
def test_a_file_is_read_as_it_was_written(encoder: TextEncoder, tmp_path: Path) -> None:
    pair, record = bundled.read_pair(bundled.PLACE)
    copy = text.load(bundled.write(pair, tmp_path / "own.safetensors", record), "cpu")
    assert (copy.fingerprint, copy.name, copy.dim) == (encoder.fingerprint, "own", encoder.dim)
    assert torch.equal(copy.texts("a bald head"), encoder.texts("a bald head"))
    assert bundled.PLACE.stat().st_size < 4e6


def test_other_files_and_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="did you mean 'avatars'"):
        text.load("avatar")
    with pytest.raises(FileNotFoundError):
        text.load(tmp_path / "nothing.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(bundled.PLACE.read_bytes()[:5000])
    with pytest.raises(ValueError, match="damaged"):
        text.load(tmp_path / "cut.safetensors")
    monkeypatch.setattr(bundled, "fingerprint", lambda _: "0" * 16)
    with pytest.raises(ValueError, match="train it again"):
        text.load(bundled.PLACE)


def test_the_bundled_one_is_read_once_and_a_move_leaves_it_where_it_is(encoder: TextEncoder) -> None:
    assert text.load(device="cpu") is text.load("avatars", "cpu") is encoder.to("cpu") is encoder
    elsewhere = encoder.to("meta")
    assert elsewhere.device.type == "meta" and encoder.device.type == "cpu"
    assert encoder.texts("a bald head").device.type == "cpu"


def test_the_unseen_sentences_name_what_can_be_read_well() -> None:
    net = bundled.factor_network()
    changes = unseen.changes()
    factors = {change.reading.split(":")[0].removesuffix(" cos") for change in changes}
    assert len(changes) == 40 and len(factors) >= 12
    assert min(net.metrics[name] for name in factors) >= 0.7
    assert sum(change.kind in ("negation", "combination") for change in changes) >= 8
    names = set(avatar_reader().names)
    assert {change.reading for change in changes} | {name for c in changes for name in c.also} <= names
    assert len(unseen.pairs()) == len(unseen.triples()) == 40
    assert np.all([len(triple.facts) == 3 for triple in unseen.triples()])
