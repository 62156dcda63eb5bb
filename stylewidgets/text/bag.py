"""The small dual encoder that ships: a bag of words and word pairs for sentences, a perceptron on a frozen network for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..avatars.reading.factor_net import FactorRegressor, bundled
from .sentence import SUBJECTS, Word, nearest, pairs, words

_LIMIT = 6.0  # standard deviations beyond which a code says no more


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
    """Sentences as rows of a table, summed, and a perceptron: → [N, dim]."""

    def __init__(self, rows: int, dim: int, width: int = 256) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(rows, width, mode="sum", dtype=torch.float32, device="cpu")
        nn.init.normal_(self.table.weight, std=0.1)
        self.norm = nn.LayerNorm(width, dtype=torch.float32, device="cpu")
        self.first = nn.Linear(width, width, dtype=torch.float32, device="cpu")
        self.out = nn.Linear(width, dim, dtype=torch.float32, device="cpu")

    def hidden(self, numbers: Sequence[Sequence[int]]) -> Tensor:
        """The units before the last layer [N, width]."""
        where = self.table.weight.device
        lengths = torch.tensor([0, *(len(n) for n in numbers)][:-1], dtype=torch.int64, device=where)
        flat = torch.tensor([i for n in numbers for i in n], dtype=torch.int64, device=where)
        return F.gelu(self.first(self.norm(self.table(flat, lengths.cumsum(0)))))

    def forward(self, numbers: Sequence[Sequence[int]]) -> Tensor:
        out: Tensor = self.out(self.hidden(numbers))
        return out


class Glance(nn.Module):
    """Codes of pictures [N, size] → [N, dim]: a linear layer and a perceptron beside it."""

    def __init__(self, size: int, dim: int, width: int = 384) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float32, device="cpu"))
        self.register_buffer("std", torch.ones(size, dtype=torch.float32, device="cpu"))
        self.first = nn.Linear(size, width, dtype=torch.float32, device="cpu")
        self.out = nn.Linear(width + size, dim, dtype=torch.float32, device="cpu")

    def hidden(self, codes: Tensor) -> Tensor:
        """The units before the last layer [N, width + size]."""
        x = ((codes - self.mean) / self.std).clamp(-_LIMIT, _LIMIT)
        return torch.cat([F.gelu(self.first(x)), x], dim=1)

    def forward(self, codes: Tensor) -> Tensor:
        out: Tensor = self.out(self.hidden(codes))
        return out


class BagPair(nn.Module):
    """Both halves; a `Pair` of `encoder`.

    Args:
        vocabulary: of the sentences.
        net: the factor network that pictures are read by. It is no part of this module, and has a file of its own.
        dim: of the space that both go to.
    """

    def __init__(self, vocabulary: Vocabulary, net: FactorRegressor, dim: int) -> None:
        super().__init__()
        self.vocabulary, self.dim, self.side = vocabulary, dim, net.resolution
        self.bag, self.glance = Bag(vocabulary.rows, dim), Glance(net.code_size, dim)
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
