"""What a sentence says, as plain words: clauses, what is negated, and words without their endings.

Word order hardly matters here but in three places, which are kept: what a "not" or "without" reaches (Pang et al., "Thumbs up?",
2002, mark the words after a negation), where a clause ends, and which words stand side by side ("blue eyes, red lips").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[a-z]+|[,;:.!?()]")
_ENDS = frozenset(",;:.!?()")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BREAKS = _set("and or but while plus yet with wearing who whose which as under before in")
"""Words that begin something new: a negation does not reach past them, and words on both sides do not belong together."""
_GOES_ON = _set("or as in who which")
"""Those that it does reach past."""
_NEGATIONS = _set("no not without never neither nor none nothing lacks lacking lack cannot hardly minus non un")
_GONE = _set("off gone missing removed absent")
"""Words that negate what stands before them: "the glasses are off"."""
_AWAY = _set("swept combed")
"""Words after which "off" negates nothing."""

SUBJECTS = _set(
    "face faces person people portrait picture photo image drawing man woman men women girl boy guy lady fellow gentleman "
    "child kid adult avatar character someone somebody anyone one human head"
)
"""What a picture is about in any case: understood, without a meaning of its own."""
_EMPTY = _set(
    "a an the is are was be been being has have had having does do did of that this these those there here to at on for by s "
    "t very really quite rather so too also just much more most such some any all what whatever whatsoever seems seem seen "
    "shows show showing looks like its their my your our we i you can could would will may might must should get gets got "
    "make makes made give gives given add put puts want please let even still now then than both each other same take takes "
    "taken taking almost nearly somewhat bit lot lots kind sort pair piece way side he she they her his him them it"
)
_IRREGULAR = {
    "eyed": "ey", "eye": "ey", "eyes": "ey", "hair": "hair", "lit": "light", "lips": "lip", "sunglasses": "glass",
    "gray": "grey", "color": "colour", "colored": "colour", "coloured": "colour", "mustache": "moustach",
    "mustached": "moustach", "dressed": "dress", "blonde": "blond", "blondes": "blond", "teeth": "tooth", "shut": "clos",
    "turns": "turn", "redhead": "ginger", "little": "small",
}  # fmt: skip


class Word(NamedTuple):
    """A word of a sentence: as it is written, without its ending, whether it is negated, and the number of its clause."""

    text: str
    stem: str
    negated: bool
    clause: int


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A word in small letters without its endings: "smiling", "smiles" and "smile" are "smil"."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending in ("wards", "ward", "ingly", "edly", "ing", "ed", "est", "er", "ies", "es", "s", "ly", "y"):
        rest = word.removesuffix(ending)
        if rest == word or len(rest) < (4 if ending == "ly" else 3) or not re.search("[aeiouy]", rest):
            continue
        if ending == "s" and word.endswith(("ss", "us", "is")):
            continue
        if ending == "es" and not rest.endswith(("s", "x", "z", "sh", "ch")):
            continue  # "noses" is for the plain s
        if rest[-1] == rest[-2] and rest[-1] not in "lsz" and ending not in ("s", "es"):
            rest = rest[:-1]  # "grinning", "bigger"
        return stem(rest) if ending in ("s", "es", "ly") and len(rest) > 4 else rest.removesuffix("e")
    return word.removesuffix("e") if len(word) > 3 else word


def words(sentence: str) -> list[Word]:
    """The words of a sentence that may mean something, in order."""
    found: list[Word] = []
    negated, clause, before, away = False, 0, "", False
    for text in _pieces(sentence):
        if text in _NEGATIONS:
            negated = True
        elif text in _ENDS:
            negated, away, clause = False, False, clause + 1
        elif text in _BREAKS:
            # "not wearing a hat" goes on; "no beard and a hat", "nothing but a hat" do not.
            negated = negated and text != "but" and (before in _NEGATIONS or text in _GOES_ON)
            clause += 1
        elif text in _GONE and found and not away:
            last = found[-1].clause
            found = [word._replace(negated=True) if word.clause == last else word for word in found]
        elif text not in _EMPTY:
            found.append(Word(text, stem(text), negated, clause))
        before, away = text, away or text in _AWAY
    return found


def _pieces(sentence: str) -> Iterator[str]:
    """Words and marks, with "hatless" as "no hat" and "doesn't" as "not"."""
    text = sentence.lower().replace("’", "'")
    text = re.sub(r"\b(?:ca|do|does|did|is|are|was|were|has|have|had|wo)n't\b", "not", text).replace("'", " ")
    text = re.sub(r"\b(?:do|does|did|is|are|has|have|had) not\b", "not", text)
    for piece in _WORD.findall(text.replace("-", " ")):
        if piece.endswith("less") and len(piece) > 6:
            yield from ("no", piece.removesuffix("less"), ",")
        else:
            yield piece


def pairs(said: Sequence[Word], reach: int = 2) -> list[tuple[Word, Word]]:
    """Words of one clause that stand at most `reach` words apart."""
    return [
        (a, b)
        for i, a in enumerate(said)
        for b in said[i + 1 : i + 1 + reach]
        if a.clause == b.clause and a.stem != b.stem
    ]


def nearest(unknown: str, known: Collection[str]) -> str | None:
    """The known stem that a misspelled one probably is; None for short ones and for all that is too far away."""
    if len(unknown) < 4:
        return None
    near = difflib.get_close_matches(unknown, [k for k in known if len(k) > 3 and k[0] == unknown[0]], n=1, cutoff=0.84)
    return near[0] if near else None
