"""The sentences in `unseen.json`: what encoders are measured by, and none is trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Where = Mapping[str, tuple[float, float] | tuple[str, ...]]


@dataclass(frozen=True)
class Change:
    """A change in words, and what it has to move.

    Attributes:
        neutral, target: sentences.
        reading: of the avatar domain, which has to move.
        side: +1 upwards, −1 downwards.
        also: other readings that the target names, with their sides.
        kind: "plain", "negation" or "combination".
    """

    neutral: str
    target: str
    reading: str
    side: int
    also: Mapping[str, int]
    kind: str


@dataclass(frozen=True)
class Pair:
    """Two facts that exclude each other, and a sentence for each."""

    first: Where
    says_first: str
    second: Where
    says_second: str


@dataclass(frozen=True)
class Triple:
    """A sentence, and the three facts that it states."""

    sentence: str
    facts: tuple[Where, Where, Where]


@cache
def _file() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = json.loads(Path(__file__).with_name("unseen.json").read_text(encoding="utf-8"))
    return found


def changes() -> list[Change]:
    """40 changes: neutral, target, and the reading that has to move."""
    rows: list[dict[str, object]] = _file()["changes"]  # type: ignore[assignment]
    return [Change(**{"also": {}, "kind": "plain", **row}) for row in rows]  # type: ignore[arg-type]


def pairs() -> list[Pair]:
    """40 pairs of sentences."""
    return [Pair(_where(a), first, _where(b), second) for a, first, b, second in _file()["pairs"]]


def triples() -> list[Triple]:
    """40 sentences of three facts."""
    return [Triple(text, (_where(a), _where(b), _where(c))) for text, a, b, c in _file()["triples"]]


def _where(name: str) -> Where:
    facts: dict[str, dict[str, list[Any]]] = _file()["facts"]  # type: ignore[assignment]
    return {factor: tuple(at) for factor, at in facts[name].items()}
