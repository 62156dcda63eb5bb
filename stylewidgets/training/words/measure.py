"""How well a text encoder knows avatars: by sentences that it was not trained on, on pictures that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...text import unseen
from .codes import Codes
from .facts import KNOWN, Fact, truths
from .grammar import Speaker, literals

Embed = Callable[[Sequence[str]], Tensor]
_DRAWS = 25  # sets of 100 pictures for each sentence of three facts


@torch.inference_mode()
def measure(embed: Embed, pictures: Tensor, data: Codes, seed: int = 0) -> dict[str, Any]:
    """Figures of an encoder on N pictures.

    * "wordings": balanced accuracy of choosing between two sentences of `unseen.pairs` where one holds; mean, and of each.
    * "triples": how often the nearest of 100 pictures satisfies all three facts, of `unseen.triples`, where one of them does.
    * "grammar triples": the same for sentences of the caption grammar that say three facts by chance.
    * "facts": mean area under the curve of all facts, each in a short sentence of the grammar.

    Args:
        embed: sentences → unit vectors [n, dim].
        pictures: unit vectors [N, dim].
        data: what they show.
    """
    random = np.random.RandomState(seed)
    wordings = {}
    for pair in unseen.pairs():
        score = _scores(embed, pictures, [pair.says_first, pair.says_second])
        first, second = _holds(pair.first, data), _holds(pair.second, data)
        if first.any() and second.any():
            nearer = score[:, 0] > score[:, 1]
            wordings[f"{pair.says_first} / {pair.says_second}"] = float(
                (nearer[first].mean() + (~nearer[second]).mean()) / 2
            )
    triples = {}
    for triple in unseen.triples():
        good = np.asarray(np.all([_holds(fact, data) for fact in triple.facts], axis=0))
        triples[triple.sentence] = _first_of_100(_scores(embed, pictures, [triple.sentence])[:, 0], good, random)
    return {
        "wordings": float(np.mean(list(wordings.values()))),
        "triples": float(np.nanmean(list(triples.values()))),
        "grammar triples": _grammar_triples(embed, pictures, data, random),
        "facts": _areas(embed, pictures, data, random),
        "of each": {"wordings": wordings, "triples": triples},
        "pictures": len(pictures),
    }


def _scores(embed: Embed, pictures: Tensor, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
    found: npt.NDArray[np.float32] = (pictures @ embed(sentences).T).numpy()
    return found


def _holds(where: unseen.Where, data: Codes) -> npt.NDArray[np.bool_]:
    """Whether a fact holds and can be seen."""
    return Fact("", where, gap=0.0).truth(data.factors, data.seen) > 0


def _first_of_100(score: npt.NDArray[np.float32], good: npt.NDArray[np.bool_], random: np.random.RandomState) -> float:
    """Share of random hundreds, in which somebody is good, whose nearest one is good; NaN where there is hardly one."""
    if good.sum() < 3:
        return float("nan")
    hits: list[bool] = []
    for _ in range(_DRAWS):
        rows = random.choice(len(score), 100, replace=False)
        if not good[rows].any():
            rows[0] = random.choice(np.flatnonzero(good))
        hits.append(bool(good[rows[score[rows].argmax()]]))
    return float(np.mean(hits))


def _grammar_triples(embed: Embed, pictures: Tensor, data: Codes, random: np.random.RandomState, n: int = 200) -> float:
    truth, said, speaker = truths(data.factors, data.seen), literals(), Speaker(Random(0))
    hits: list[float] = []
    while len(hits) < n:
        row = truth[random.randint(len(truth))]
        plain = np.flatnonzero(row[: len(KNOWN)] > 0)
        chosen = random.choice(plain, 3, replace=False)
        score = _scores(embed, pictures, [speaker.say([said[k] for k in chosen])])[:, 0]
        hits.append(_first_of_100(score, np.asarray((truth[:, chosen] > 0).all(axis=1)), random))
    return float(np.nanmean(hits))


def _areas(embed: Embed, pictures: Tensor, data: Codes, random: np.random.RandomState) -> float:
    truth, speaker = truths(data.factors, data.seen), Speaker(Random(0))
    found = []
    for i, fact in enumerate(KNOWN):
        score = _scores(embed, pictures, [speaker.say([(fact, True)]) for _ in range(4)]).mean(axis=1)
        yes, no = score[truth[:, i] > 0], score[truth[:, i] < 0]
        if len(yes) > 2 and len(no) > 2:
            found.append(float((yes[:, None] > no[None]).mean()))
    return float(np.mean(found))
