"""Training of the small dual encoder: every sentence of a batch that is true of a picture is a right answer for it."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...core import files
from ...jobs import Job, Progress, Work
from ...text.bag import BagPair
from .codes import Codes
from .facts import truths
from .grammar import Speaker, literals

SAVE_EVERY = 30.0  # seconds between checkpoints
_LENGTHS = (0, 1, 1, 1, 2, 2, 3, 3, 4, 6)  # facts a sentence, by chance
_NEGATED = 0.3  # share of facts that are said by what is not
_PAIRS_DROPPED = 0.25
_MATCH_EVERY = 3  # it costs as much as all the rest
_WARM = 50
_KEY = "stylewidgets-sentences"


@dataclass(frozen=True)
class Sentences:
    """Sentences that are true of some picture each.

    Attributes:
        texts: as they are written.
        picture: number of the picture that each was made for, sorted.
        facts: bool [n, 2 F], which facts (and negated facts) each says.
    """

    texts: list[str]
    picture: npt.NDArray[np.int64]
    facts: npt.NDArray[np.bool_]


@Work
def sentences(truth: npt.NDArray[np.int8], each: int, seed: int, kept: Path | None = None) -> Job[Sentences]:
    """`each` sentences for each row of `facts.truths`. Rare facts are said as often as frequent ones.

    Args:
        kept: an .npz file to keep them in, and to read them from where it has those of the same truths.
    """
    key = [len(truth), each, seed, zlib.crc32(truth.tobytes())]
    if kept is not None and kept.is_file():
        about, arrays = files.read_arrays(kept, _KEY, largest=1 << 30)
        if about["key"] == key:
            return Sentences(about["texts"], arrays["picture"], arrays["facts"])
    chance, random = Random(seed), np.random.RandomState(seed)
    speaker, said = Speaker(chance), literals()
    half = truth.shape[1] // 2
    wish = 1 / np.maximum((truth > 0).mean(axis=0), 0.01)
    wish[half:] = 1.0
    texts, picture, told = [], [], []
    for i, row in enumerate(truth):
        weight = wish * (row > 0)
        weight[:half] *= (1 - _NEGATED) / weight[:half].sum()
        weight[half:] *= _NEGATED / weight[half:].sum()
        for _ in range(each):
            # The largest of u^(1/w) are a choice without replacement by the weights w (Efraimidis and Spirakis 2006).
            order = np.log(random.rand(len(weight))) / np.maximum(weight, 1e-12)
            chosen = np.argsort(-order)[: chance.choice(_LENGTHS)]
            texts.append(speaker.say([said[k] for k in chosen]))
            picture.append(i)
            flags = np.zeros(truth.shape[1], np.bool_)
            flags[chosen] = True
            told.append(flags)
        if i % 20 == 0:
            yield Progress(i, len(truth), "sentences")
    made = Sentences(texts, np.array(picture), np.array(told))
    if kept is not None:
        files.write_arrays(kept, {"picture": made.picture, "facts": made.facts}, {"key": key, "texts": texts}, _KEY)
    return made


class Learner(nn.Module):
    """The pair, and the scale of its similarities, which is left behind."""

    def __init__(self, pair: BagPair) -> None:
        super().__init__()
        self.pair = pair
        self.scale = nn.Parameter(torch.tensor(math.log(10.0), dtype=torch.float32, device="cpu"))

    def loss(
        self, codes: Tensor, numbers: Sequence[Sequence[int]], truth: Tensor, told: Tensor, match: bool = True
    ) -> Tensor:
        """Of a batch: each sentence and picture says its facts, and with `match` they find each other.

        Args:
            codes: of N pictures [N, size].
            numbers: rows of the table of N sentences.
            truth: [N, 2 F] of the pictures.
            told: float [N, 2 F], what the sentences say.
        """
        (seen, showing), (read, saying) = self.pair.glance.read(codes), self.pair.bag.read(numbers)
        half = truth.shape[1] // 2
        plain = truth[:, :half]
        shown = F.binary_cross_entropy_with_logits(showing, (plain > 0).float(), (plain != 0).float())
        said = F.binary_cross_entropy_with_logits(saying, told)
        facts = 2 * shown + 10 * said
        if not match:
            return facts
        pictures, texts = F.normalize(seen), F.normalize(read)
        logits = self.scale.clamp(max=math.log(60.0)).exp() * pictures @ texts.T
        wrong = (truth < 0).float() @ told.T > 0.5
        right = (truth > 0).float() @ told.T > told.sum(1) - 0.5
        return facts + _match(logits, right, wrong) + _match(logits.T, right.T, wrong.T)


def _match(logits: Tensor, right: Tensor, wrong: Tensor) -> Tensor:
    """Cross entropy against all right answers alike; where nobody knows, an answer is neither right nor wrong."""
    log = logits.masked_fill(~right & ~wrong, -1e4).log_softmax(1)
    count = right.sum(1)
    each = -(log * right).sum(1) / count.clamp(min=1)
    return each[count > 0].mean()


def _thinned(numbers: Sequence[int], words: int, random: np.random.RandomState) -> list[int]:
    """Without some of the pairs, so that words alone say it, too."""
    keep = random.rand(len(numbers)) >= _PAIRS_DROPPED
    return [i for i, kept in zip(numbers, keep, strict=True) if kept or i < words]


@Work
def fit(
    learner: Learner,
    data: Codes,
    told: Sentences,
    *,
    steps: int,
    minutes: float | None = None,
    batch: int = 384,
    rate: float = 2e-3,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> Job[tuple[int, float]]:
    """Train in place; returns steps and seconds. With `checkpoint`, a file, the next call goes on from there.

    Args:
        minutes: of all calls together; the rate has fallen by then if not all steps are done before.
    """
    codes = torch.from_numpy(data.codes)
    truth = torch.from_numpy(truths(data.factors, data.seen))
    numbers = [learner.pair.vocabulary.numbers(text) for text in told.texts]
    each, words = len(told.texts) // len(codes), 2 * len(learner.pair.vocabulary.stems)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=rate, weight_decay=1e-2, betas=(0.9, 0.98))
    start, spent = _resume(checkpoint, learner, optimiser)
    limit = 60 * minutes if minutes else math.inf
    began = saved = time.monotonic()
    done = start
    learner.train()
    for step in range(start, steps):
        now = spent + time.monotonic() - began
        if now >= limit:
            break
        t = max(step / steps, now / limit)
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / _WARM) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, t)))
        random = np.random.RandomState((seed * 7919 + step) % 2**32)
        rows = random.choice(len(codes), batch, replace=False)
        lines = rows * each + random.randint(each, size=batch)
        loss = learner.loss(
            codes[rows],
            [_thinned(numbers[i], words, random) for i in lines],
            truth[rows],
            torch.from_numpy(told.facts[lines]).float(),
            match=step % _MATCH_EVERY == 0,
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimiser.step()
        done = step + 1
        if checkpoint is not None and time.monotonic() - saved > SAVE_EVERY:
            saved = time.monotonic()
            _save(checkpoint, learner, optimiser, done, spent + saved - began)
        yield Progress(done, steps, "words", {"loss": loss.item()} if step % 30 == 0 else {})
    spent += time.monotonic() - began
    if checkpoint is not None and done > start:
        _save(checkpoint, learner, optimiser, done, spent)
    learner.eval()
    return done, spent


def _save(path: Path, learner: Learner, optimiser: torch.optim.Optimizer, step: int, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.writing(path) as part:
        torch.save(
            {"learner": learner.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "seconds": seconds},
            part,
        )


def _resume(path: Path | None, learner: Learner, optimiser: torch.optim.Optimizer) -> tuple[int, float]:
    if path is None or not path.is_file():
        return 0, 0.0
    with files.reading(path, "state of a training", "Delete it to start afresh"):
        state = torch.load(path, weights_only=True)
        learner.load_state_dict(state["learner"])
        optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["seconds"])
