"""The small dual encoder that ships: a bag of words and word pairs for sentences, a perceptron on a frozen network for pictures."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..avatars.reading.factor_net import FactorRegressor, bundled
from .sentence import SUBJECTS, Word, nearest, pairs, words

_LIMIT = 6.0  # standard deviations beyond which a code says no more


class Vocabulary:
    """Words by the numbers of their rows in the table: plain, negated, and pairs in hashed rows.

    Args:
        stems: of the known words, in the order of their numbers.
        buckets: rows that pairs share.
    """

    def __init__(self, stems: Sequence[str], buckets: int) -> None:
        self.stems, self.buckets = tuple(stems), int(buckets)
        self._index = {stem: i for i, stem in enumerate(self.stems)}
        self._near = lru_cache(maxsize=4096)(lambda unknown: nearest(unknown, self._index))

    @property
    def rows(self) -> int:
        """Of the table."""
        return 2 * len(self.stems) + self.buckets

    def read(self, sentence: str) -> list[Word]:
        """The words of a sentence that are known, misspelled ones corrected."""
        found = []
        for word in words(sentence):
            known = word.stem if word.stem in self._index or word.text in SUBJECTS else self._near(word.stem)
            if known is not None:
                found.append(word._replace(stem=known))
        return found

    def numbers(self, sentence: str) -> list[int]:
        """Rows of the table."""
        said = [word for word in self.read(sentence) if word.stem in self._index]
        plain = [2 * self._index[word.stem] + word.negated for word in said]
        return plain + [self._pair(a, b) for a, b in pairs(said)]

    def _pair(self, a: Word, b: Word) -> int:
        text = "|".join(sorted(f"{word.stem}{'-' * word.negated}" for word in (a, b)))
        return 2 * len(self.stems) + zlib.crc32(text.encode()) % self.buckets


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

    def pictures(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] in [-1, 1] → [N, dim], of any length; differentiable."""
        out: Tensor = self.glance(self.net.code(x.clamp(-1, 1)))
        return out

    def known(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence that mean something here, as they are written."""
        return tuple(word.text for word in self.vocabulary.read(sentence))


def stems_of(sentences: Sequence[str]) -> list[str]:
    """The vocabulary of some sentences, in alphabetical order; subjects have no meaning of their own."""
    return sorted({word.stem for text in sentences for word in words(text) if word.text not in SUBJECTS})
