"""CLIP's tokenizer: byte pairs (Sennrich et al. 2016) over UTF-8, merged in the order of a published list."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise

CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_END = "</w>"


class Tokenizer:
    """Text to numbers.

    Args:
        merges: pairs of parts to be joined, the most frequent first.
    """

    def __init__(self, merges: Sequence[tuple[str, str]]) -> None:
        self._byte = _letters()
        letters = list(self._byte.values())
        parts = [*letters, *(letter + _END for letter in letters), *(a + b for a, b in merges)]
        self._number = {part: i for i, part in enumerate(parts)}
        self._rank = {pair: i for i, pair in enumerate(merges)}
        self.start, self.end = len(parts), len(parts) + 1
        self._joined = lru_cache(maxsize=8192)(self._join)

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return self.end + 1

    def numbers(self, text: str) -> list[int]:
        """All tokens of a text, with the marks of its start and its end."""
        found = [self.start]
        for word in _words(_clean(text)):
            found += [self._number[part] for part in self._joined("".join(self._byte[b] for b in word.encode()))]
        return [*found, self.end]

    def padded(self, text: str, length: int) -> list[int]:
        """`numbers`, with zeros behind them. ValueError for a text that is too long."""
        found = self.numbers(text)
        if len(found) > length:
            raise ValueError(
                f"the sentence {text[:60]!r} has {len(found)} tokens and the network reads {length}; say it in fewer words"
            )
        return found + [0] * (length - len(found))

    def _join(self, word: str) -> tuple[str, ...]:
        """Letters of a word, joined as long as a pair of neighbours is in the list, the most frequent one first."""
        parts = [*word[:-1], word[-1] + _END]
        while len(parts) > 1:
            rank, at = min((self._rank.get(pair, len(self._rank)), i) for i, pair in enumerate(pairwise(parts)))
            if rank == len(self._rank):
                break
            first, second = parts[at], parts[at + 1]
            merged: list[str] = []
            i = 0
            while i < len(parts):
                if i + 1 < len(parts) and parts[i] == first and parts[i + 1] == second:
                    merged.append(first + second)
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        return tuple(parts)


@lru_cache(maxsize=1)
def _letters() -> dict[int, str]:
    """A printable letter for each byte: itself where it is one, else one from 256 on. Printable ones come first."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [b for b in range(256) if b not in plain]
    return dict(chain(((b, chr(b)) for b in plain), ((b, chr(256 + i)) for i, b in enumerate(others))))


def _clean(text: str) -> str:
    """As CLIP has it: repaired (by ftfy, where it is installed), entities replaced twice, one space, small letters."""
    try:
        from ftfy import fix_text
    except ImportError:
        fix_text = _plain
    text = html.unescape(html.unescape(str(fix_text(text))))
    return " ".join(text.split()).lower()


def _plain(text: str) -> str:
    """What ftfy does to sound text: composed letters and straight quotation marks."""
    return unicodedata.normalize("NFC", text).translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})


def _words(text: str) -> Iterator[str]:
    """Contractions, runs of letters, single figures, and runs of anything else that is no space."""
    i = 0
    while i < len(text):
        short = next((c for c in CONTRACTIONS if text.startswith(c, i)), None)
        kind = _kind(text[i])
        end = i + 1
        if short is not None:
            end = i + len(short)
        elif kind in "LO":
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
        if kind != " ":
            yield text[i:end]
        i = end


@lru_cache(maxsize=4096)
def _kind(letter: str) -> str:
    """L a letter, N a figure, a space, or O for others."""
    if letter.isspace():
        return " "
    category = unicodedata.category(letter)[0]
    return category if category in "LN" else "O"
