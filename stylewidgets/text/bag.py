"""The small dual encoder that ships: a bag of words and word pairs for sentences, a perceptron on a frozen network for pictures.

Both go by way of facts, which speeds up learning: what a sentence states, and how likely each is for a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..avatars.reading.factor_net import FactorRegressor, bundled
from .sentence import SUBJECTS, Word, nearest, pairs, words

_LIMIT = 6.0  # standard deviations beyond which a code says no more
_RARE = 0.002  # no fact is less likely


class Vocabulary:
    """Words and pairs of words by the numbers of their rows in the table: each has one plain and one negated.

    Pairs that nobody trained say nothing, so that a new wording is read by its words.

    Args:
        stems: of the known words, in the order of their numbers.
        together: pairs of stems that mean something side by side, each in alphabetical order.
    """

    def __init__(self, stems: Sequence[str], together: Sequence[tuple[str, str]]) -> None:
        self.stems, self.together = tuple(stems), tuple((a, b) for a, b in together)
        self._word = {stem: 2 * i for i, stem in enumerate(self.stems)}
        self._pair = {pair: 2 * (len(self.stems) + i) for i, pair in enumerate(self.together)}
        self._near = lru_cache(maxsize=4096)(lambda unknown: nearest(unknown, self._word))

    @property
    def rows(self) -> int:
        """Of the table."""
        return 2 * (len(self.stems) + len(self.together))

    def read(self, sentence: str) -> list[Word]:
        """The words of a sentence that are known, misspelled ones corrected."""
        found = []
        for word in words(sentence):
            known = word.stem if word.stem in self._word or word.text in SUBJECTS else self._near(word.stem)
            if known is not None:
                found.append(word._replace(stem=known))
        return found

    def numbers(self, sentence: str) -> list[int]:
        """Rows of the table: of the words, then of the pairs."""
        said = [word for word in self.read(sentence) if word.stem in self._word]
        plain = [self._word[word.stem] + word.negated for word in said]
        known = [(self._pair.get(_key(a, b)), a.negated) for a, b in pairs(said) if a.negated == b.negated]
        return plain + [row + negated for row, negated in known if row is not None]

    @classmethod
    def of(cls, sentences: Sequence[str], phrases: Sequence[str]) -> Vocabulary:
        """Of the words of some sentences, and of the pairs of words within phrases."""
        stems = sorted({word.stem for text in sentences for word in words(text) if word.text not in SUBJECTS})
        known = set(stems)
        found = (pair for text in phrases for pair in pairs([word for word in words(text) if word.stem in known]))
        return cls(stems, sorted({_key(a, b) for a, b in found}))


def _key(a: Word, b: Word) -> tuple[str, str]:
    return (a.stem, b.stem) if a.stem < b.stem else (b.stem, a.stem)


class Bag(nn.Module):
    """Sentences as rows of a table, summed, and a perceptron that says which facts they state: → [N, dim].

    Args:
        rows: of the table.
        facts: how many can be stated, each to hold or not to hold.
        dim: of the space; the first 2 facts of it begin as "it holds" and "it does not hold".
    """

    def __init__(self, rows: int, facts: int, dim: int, width: int = 256) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(rows, width, mode="sum", dtype=torch.float32, device="cpu")
        nn.init.normal_(self.table.weight, std=0.1)
        self.norm = nn.LayerNorm(width, dtype=torch.float32, device="cpu")
        self.first = nn.Linear(width, width, dtype=torch.float32, device="cpu")
        self.said = nn.Linear(width, 2 * facts, dtype=torch.float32, device="cpu")
        self.place = _places(2 * facts, dim)
        self.out = _nothing(width, dim)
        with torch.no_grad():
            self.out.bias[-1] = 0.3  # a sentence that states nothing has a place of its own

    def read(self, numbers: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """The sentences [N, dim], and logits of what they state [N, 2 facts]."""
        where = self.table.weight.device
        lengths = torch.tensor([0, *(len(n) for n in numbers)][:-1], dtype=torch.int64, device=where)
        flat = torch.tensor([i for n in numbers for i in n], dtype=torch.int64, device=where)
        hidden = F.gelu(self.first(self.norm(self.table(flat, lengths.cumsum(0)))))
        said = self.said(hidden)
        return self.place(said.sigmoid()) + self.out(hidden), said

    def forward(self, numbers: Sequence[Sequence[int]]) -> Tensor:
        return self.read(numbers)[0]


class Glance(nn.Module):
    """Codes of pictures [N, size] → [N, dim], by way of how likely each fact is.

    A sentence states some facts, and the product of their probabilities is the sum of the logarithms that a picture has at
    their places: a scalar product.

    Args:
        size: of a code.
        facts, dim: as of `Bag`.
    """

    def __init__(self, size: int, facts: int, dim: int, width: int = 384) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.usual: Tensor
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float32, device="cpu"))
        self.register_buffer("std", torch.ones(size, dtype=torch.float32, device="cpu"))
        self.register_buffer("usual", torch.zeros(2 * facts, dtype=torch.float32, device="cpu"))
        self.first = nn.Linear(size, width, dtype=torch.float32, device="cpu")
        self.shown = nn.Linear(width + size, facts, dtype=torch.float32, device="cpu")
        self.place = _places(2 * facts, dim)
        self.out = _nothing(width + size, dim)

    def read(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures [N, dim], and logits of the facts that they show [N, facts]."""
        x = ((codes - self.mean) / self.std).clamp(-_LIMIT, _LIMIT)
        hidden = torch.cat([F.gelu(self.first(x)), x], dim=1)
        shown = self.shown(hidden)
        likely = torch.log(torch.cat([shown, -shown], dim=1).sigmoid() + _RARE)
        return self.place(likely - self.usual) + self.out(hidden), shown

    def forward(self, codes: Tensor) -> Tensor:
        return self.read(codes)[0]


def _places(facts: int, dim: int) -> nn.Linear:
    """A place in the space for each fact."""
    layer = nn.Linear(facts, dim, bias=False, dtype=torch.float32, device="cpu")
    nn.init.eye_(layer.weight)
    return layer


def _nothing(size: int, dim: int) -> nn.Linear:
    """A layer that begins as zero."""
    layer = nn.Linear(size, dim, dtype=torch.float32, device="cpu")
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class BagPair(nn.Module):
    """Both halves; a `Pair` of `encoder`.

    Args:
        vocabulary: of the sentences.
        net: the factor network that pictures are read by. It is no part of this module, and has a file of its own.
        facts: how many can be stated and seen.
        dim: of the space that both go to, more than 2 facts.
    """

    def __init__(self, vocabulary: Vocabulary, net: FactorRegressor, facts: int, dim: int) -> None:
        super().__init__()
        self.vocabulary, self.facts, self.dim, self.side = vocabulary, facts, dim, net.resolution
        self.bag, self.glance = Bag(vocabulary.rows, facts, dim), Glance(net.code_size, facts, dim)
        self._outside = (net,)  # in a tuple, where torch does not look for modules

    @property
    def net(self) -> FactorRegressor:
        """The factor network, on the device of this one."""
        (net,) = self._outside
        where = self.glance.out.weight.device
        if net.out.weight.device != where:
            self._outside = (net := bundled(str(where)),)
        return net

    def sentences(self, given: Sequence[str]) -> Tensor:
        """[N, dim], of any length."""
        out: Tensor = self.bag([self.vocabulary.numbers(text) for text in given])
        return out

    def pictures(self, x: Tensor, prepared: bool = False) -> Tensor:
        """[N, 3, H, W] in [-1, 1] → [N, dim], of any length; differentiable. The network resizes them itself."""
        out: Tensor = self.glance(self.net.code(x.clamp(-1, 1)))
        return out

    def known(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence that mean something here, as they are written."""
        return tuple(word.text for word in self.vocabulary.read(sentence))
