"""What can be said of an avatar: facts that hold or do not hold of its factors, and the phrases that say so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...avatars.world.factors import FACTORS, INDEX, Factor

_GAP = 0.06  # share of a factor's range between "it holds" and "it does not": there nobody would be sure

Truth = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Fact:
    """One thing that can be said.

    Attributes:
        name: for tables.
        where: factor → lowest and highest value (of an angle the way upwards), or the categories.
        adjectives: before a noun and after "is".
        things: behind "with", "has" or "without", with their article.
        verbs: behind "who" or "she", in their plain form.
        states: behind a noun or "is": "facing left".
        clauses: whole ones, "the eyes are closed"; what stands before "are" or "is" is the subject.
        gap: share of the range in which it is neither true nor false.
    """

    name: str
    where: Mapping[str, tuple[float, float] | tuple[str, ...]]
    adjectives: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    gap: float = _GAP

    def truth(self, factors: npt.NDArray[np.float32], seen: npt.NDArray[np.bool_]) -> Truth:
        """For each of N avatars: 1 it holds, −1 it does not, 0 it cannot be seen or nobody would be sure."""
        parts = []
        for name, at in self.where.items():
            i = INDEX[name]
            parts.append(_condition(FACTORS[i], factors[:, i], at, self.gap) * seen[:, i])
        found: Truth = np.min(parts, axis=0).astype(np.int8)
        return found

    @property
    def phrases(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.adjectives, *self.things, *self.verbs, *self.states, *self.clauses)


def _condition(
    factor: Factor, values: npt.NDArray[np.float32], at: tuple[float, float] | tuple[str, ...], gap: float
) -> Truth:
    if factor.kind == "categorical":
        wanted = [factor.categories.index(str(name)) for name in at]
        return np.where(np.isin(values.round().astype(int), wanted), 1, -1).astype(np.int8)
    low, high = float(at[0]), float(at[1])
    if factor.kind == "circular":
        width = (high - low) % 360
        away = np.abs((values - low - width / 2 + 180) % 360 - 180) - width / 2
        margin = 8.0
    else:
        margin = gap * (factor.high - factor.low)
        # A stretch that reaches the end of the range has no outside there.
        away = np.maximum(
            low - values if low > factor.low else -np.inf, values - high if high < factor.high else -np.inf
        )
    return np.where(away <= 0, 1, np.where(away > margin, -1, 0)).astype(np.int8)


def truths(factors: npt.NDArray[np.float32], seen: npt.NDArray[np.bool_]) -> Truth:
    """[N, 2 F]: of each fact, then of each fact's negation."""
    plain = np.stack([fact.truth(factors, seen) for fact in KNOWN], axis=1)
    return np.concatenate([plain, -plain], axis=1)


_HUES = {
    "red": (340, 12), "orange": (18, 42), "yellow": (46, 68), "green": (78, 156), "turquoise": (162, 194),
    "blue": (198, 250), "purple": (256, 288), "pink": (294, 336),
}  # fmt: skip
_ALSO = {"turquoise": ("teal",), "purple": ("violet",)}


def _coloured(what: str, hue: str, lightness: str, low: float, noun: str, words: Sequence[str]) -> Iterator[Fact]:
    """A fact for each colour of a thing; orange and yellow only where it is light, dark ones are called brown and olive."""
    for colour, (first, last) in _HUES.items():
        names = (colour, *_ALSO.get(colour, ()))
        where: dict[str, tuple[float, float] | tuple[str, ...]] = {hue: (first, last)}
        if colour in ("orange", "yellow"):
            where[lightness] = (low, 1.0)
        things = tuple(f"a {name} {word}" for name in names for word in words)
        yield Fact(f"{colour} {what}", where, things=things, clauses=tuple(f"the {noun} is {name}" for name in names))


def _listed() -> Iterator[Fact]:
    """The facts in `facts.json`."""
    kinds = ("adjectives", "things", "verbs", "states", "clauses")
    for row in json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8")):
        phrases = {kind: tuple(row.get(kind, "").split(" | ")) if kind in row else () for kind in kinds}
        where = {factor: tuple(at) for factor, at in row["where"].items()}
        yield Fact(row["name"], where, **phrases, gap=row.get("gap", _GAP))


KNOWN: tuple[Fact, ...] = (
    *_listed(),
    *_coloured(
        "top",
        "clothes_hue",
        "clothes_lightness",
        0.45,
        "shirt",
        ("top", "shirt", "jumper", "sweater", "pullover", "dress"),
    ),
    *_coloured(
        "wall", "background_hue", "background_lightness", 0.45, "background", ("background", "backdrop", "wall")
    ),
)
"""Everything that captions are made of."""
