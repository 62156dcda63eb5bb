"""Facts, the grammar of sentences about them, and the training of the small text encoder."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from stylewidgets.avatars import sample
from stylewidgets.avatars.reading.factor_net import bundled as factor_network
from stylewidgets.avatars.world.factors import INDEX, NUM_FACTORS
from stylewidgets.avatars.world.rows import defaults
from stylewidgets.text import bundled, unseen
from stylewidgets.text.bag import BagPair, Vocabulary
from stylewidgets.text.sentence import words
from stylewidgets.training.words import fit
from stylewidgets.training.words.codes import Codes
from stylewidgets.training.words.facts import KNOWN, Fact, truths
from stylewidgets.training.words.grammar import Speaker, conjugated, literals, progressive

NAMED = {fact.name: fact for fact in KNOWN}


def truth(name: str, seen: bool = True, **factors: float) -> int:
    row = defaults(1)
    for factor, value in factors.items():
        row[0, INDEX[factor]] = value
    return int(NAMED[name].truth(row, np.full(row.shape, seen))[0])


@pytest.mark.parametrize(
    ("name", "factors", "wanted"),
    [
        ("smiling", {"smile": 0.5}, 1),
        ("smiling", {"smile": 0.2}, 0),  # nobody would be sure
        ("smiling", {"smile": -0.5}, -1),
        ("glasses", {"glasses": 2.0}, 1),
        ("glasses", {"glasses": 0.0}, -1),
        ("ginger", {"hair_hue": 350.0, "hair_lightness": 0.4}, 1),
        ("ginger", {"hair_hue": 30.0, "hair_lightness": 0.4}, 0),
        ("ginger", {"hair_hue": 200.0, "hair_lightness": 0.4}, -1),
        ("blond", {"hair_hue": 30.0, "hair_lightness": 0.2}, -1),
        ("eyes closed", {"eye_openness": 0.0}, 1),
    ],
)
def test_a_fact_holds_or_not_or_nobody_knows(name: str, factors: dict[str, float], wanted: int) -> None:
    assert truth(name, **factors) == wanted


def test_of_what_is_hidden_nobody_knows() -> None:
    assert truth("smiling", seen=False, smile=0.9) == 0 and truth("smiling", seen=False, smile=-0.9) == 0
    row, seen = defaults(1), np.ones((1, NUM_FACTORS), np.bool_)
    seen[0, INDEX["hair_hue"]] = False
    row[0, INDEX["hair_lightness"]] = 0.06
    assert NAMED["blond"].truth(row, seen)[0] == -1  # black hair whose hue cannot be told is not blond all the same


def test_a_negation_is_true_where_the_fact_is_not() -> None:
    factors = sample(50, 7)
    found = truths(factors, np.ones(factors.shape, np.bool_))
    assert (found[:, : len(KNOWN)] == -found[:, len(KNOWN) :]).all()


@pytest.mark.parametrize(
    ("verb", "third", "going_on"),
    [("smile broadly", "smiles broadly", "smiling broadly"), ("have dark skin", "has dark skin", "having dark skin")]
    + [
        ("grin", "grins", "grinning"),
        ("worry", "worries", "worrying"),
        ("gape", "gapes", "gaping"),
        ("flush", "flushes", "flushing"),
    ],
)
def test_verbs_are_inflected(verb: str, third: str, going_on: str) -> None:
    assert (conjugated(verb), progressive(verb)) == (third, going_on)


def test_sentences_name_what_they_are_made_of() -> None:
    """Whatever the frame, the words of each fact are in the sentence, negated where it does not hold."""
    speaker, said = Speaker(Random(5)), literals()
    for k in range(0, len(said), 7):
        fact, holds = said[k]
        known = {word.stem for phrase in fact.phrases for word in words(phrase)}
        others = [said[(k + 50) % len(said)], said[(k + 111) % len(said)]]
        spoken = [word for word in words(speaker.say([said[k], *others])) if word.stem in known]
        assert spoken, fact.name
        if not holds and not any("less" in p or "off" in p or "gone" in p for p in fact.phrases):
            assert any(word.negated for word in spoken), fact.name


def test_no_unseen_sentence_is_one_of_the_grammar() -> None:
    """None is a phrase of it, nor built of its phrases alone: taking away phrases and frames leaves words of its own."""
    phrases = {phrase for fact in KNOWN for phrase in fact.phrases}
    speaker, chance = Speaker(Random(0)), Random(1)
    made = {speaker.say(chance.sample(literals(), n)) for n in (1, 1, 1, 2, 3) for _ in range(600)}
    tried = [c.target for c in unseen.changes()] + [t.sentence for t in unseen.triples()]
    assert not set(tried) & made and not {c.target for c in unseen.changes()} & phrases


def test_what_is_said_is_true() -> None:
    factors = sample(6, 3)
    found = truths(factors, np.ones(factors.shape, np.bool_))
    told = fit.sentences(found, 3, 0)
    assert len(told.texts) == 18 and (told.picture == np.repeat(np.arange(6), 3)).all()
    for text, picture, facts in zip(told.texts, told.picture, told.facts, strict=True):
        assert text and (found[picture][facts] > 0).all()
    assert fit.sentences(found, 3, 0).texts == told.texts


@pytest.fixture
def little() -> tuple[Codes, fit.Sentences]:
    """Codes in which the first numbers are the truths themselves, so that there is something to learn."""
    factors = sample(200, 11)
    seen = np.ones(factors.shape, np.bool_)
    found = truths(factors, seen)
    codes = np.zeros((200, factor_network().code_size), np.float32)
    codes[:, : len(KNOWN)] = found[:, : len(KNOWN)]
    return Codes(codes, factors, seen), fit.sentences(found, 2, 0)


def learner(told: fit.Sentences) -> fit.Learner:
    torch.manual_seed(0)
    vocabulary = Vocabulary.of(told.texts, [text for fact in KNOWN for text in fact.phrases])
    return fit.Learner(BagPair(vocabulary, factor_network(), len(KNOWN), 2 * len(KNOWN) + 10))


@pytest.mark.slow
def test_training_goes_on_where_it_stopped(little: tuple[Codes, fit.Sentences], tmp_path: Path) -> None:
    data, told = little
    whole, halves = learner(told), learner(told)
    before = whole.loss(*_batch(whole, data, told)).item()
    fit.fit(whole, data, told, steps=12, batch=64)
    assert whole.loss(*_batch(whole, data, told)).item() < before
    job = fit.fit.steps(halves, data, told, steps=12, batch=64, checkpoint=tmp_path / "state.pt")
    monotonic, fit.SAVE_EVERY = fit.SAVE_EVERY, 0.0
    try:
        for _ in range(6):
            next(job)
    finally:
        fit.SAVE_EVERY = monotonic
        job.close()
    again = learner(told)
    fit.fit(again, data, told, steps=12, batch=64, checkpoint=tmp_path / "state.pt")
    found, wanted = again.state_dict(), whole.state_dict()
    assert all(torch.allclose(found[name], wanted[name], atol=1e-6) for name in wanted)


def _batch(
    made: fit.Learner, data: Codes, told: fit.Sentences
) -> tuple[torch.Tensor, list[list[int]], torch.Tensor, torch.Tensor]:
    lines = np.arange(0, 128, 2)
    numbers = [made.pair.vocabulary.numbers(told.texts[i]) for i in lines]
    truth = torch.from_numpy(truths(data.factors, data.seen))[told.picture[lines]]
    return (
        torch.from_numpy(data.codes)[told.picture[lines]],
        numbers,
        truth,
        torch.from_numpy(told.facts[lines]).float(),
    )


def test_every_true_sentence_is_a_right_answer() -> None:
    logits = torch.tensor([[2.0, 2.0, -3.0, 9.0]])
    right, wrong = torch.tensor([[True, True, False, False]]), torch.tensor([[False, False, True, False]])
    found = fit._match(logits, right, wrong)  # the last is neither, and does not count
    assert abs(float(found) - float(np.log(2) + np.log1p(np.exp(-5) / 2))) < 1e-4


def test_the_shipped_file_keeps_what_its_card_says() -> None:
    _, record = bundled.read_pair(bundled.PLACE)
    for kind, figures in record["measured"].items():
        assert figures["wordings"] >= 0.9, kind
    card = bundled.PLACE.with_suffix(".md").read_text(encoding="utf-8")
    assert f"{record['measured']['renders']['triples']:.3f}" in card and str(len(KNOWN)) in card
    assert isinstance(NAMED["smiling"], Fact)
