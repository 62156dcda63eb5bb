"""Sentences about facts: short and long, plain and negated, in many orders. What is said is true by the choice of the facts."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .facts import KNOWN, Fact

SUBJECTS = (
    "a face", "a person", "a man", "a woman", "a girl", "a guy", "someone", "a portrait", "a character", "an avatar", "a head",
)  # fmt: skip
PRONOUNS = ("she", "he", "this person", "the avatar", "this one", "the face")
_OPENINGS = ("", "", "", "", "a picture of ", "a portrait of ", "this is ", "the face of ", "here is ", "a drawing of ")
_MORE = ("", "", "", "very ", "really ", "quite ", "so ")
_DOUBLED = frozenset(["grin", "put", "get", "sit", "pat", "shut", "cut", "run"])


class Speaker:
    """Says chosen facts in a wording by chance.

    Args:
        random: where the choices come from.
    """

    def __init__(self, random: Random) -> None:
        self.random = random

    def say(self, chosen: Sequence[tuple[Fact, bool]]) -> str:
        """One sentence that says of each fact that it holds (True) or does not hold (False), and nothing else."""
        if not chosen:
            return self.pick(_OPENINGS) + self.pick(SUBJECTS)
        if len(chosen) == 1 and self.random.random() < 0.25:
            return self._alone(*chosen[0])
        return self._frame([self._part(fact, holds) for fact, holds in chosen])

    def pick(self, of: Sequence[str]) -> str:
        """One of them."""
        return self.random.choice(of)

    def _alone(self, fact: Fact, holds: bool) -> str:
        """A phrase without a frame, as people type them."""
        kind, text = self._part(fact, holds)
        if kind == "verb":
            return conjugated(text)
        return text.removeprefix("a ") if kind == "thing" and self.random.random() < 0.5 else text

    def _part(self, fact: Fact, holds: bool) -> tuple[str, str]:
        """The kind of a phrase for the fact, and the phrase; negated where it does not hold."""
        kinds = [kind for kind in ("adjective", "thing", "verb", "state", "clause") if getattr(fact, _FIELD[kind])]
        kind = self.random.choices(kinds, [_WEIGHT[kind] for kind in kinds])[0]
        phrase = self.pick(getattr(fact, _FIELD[kind]))
        return (kind, phrase) if holds else self._negated(kind, phrase)

    def _negated(self, kind: str, phrase: str) -> tuple[str, str]:
        if kind == "thing":
            short = bare(phrase)
            return "thing", self.pick((f"no {short}", f"no {short}", f"without {phrase}", f"without {short}"))
        if kind == "clause":
            return "clause", phrase.replace(" is ", " is not ", 1).replace(" are ", " are not ", 1)
        if kind == "verb":
            return "no verb", phrase
        return "state", f"not {phrase}"

    def _frame(self, parts: list[tuple[str, str]]) -> str:
        parts = self.random.sample(parts, len(parts))
        style = self.random.randrange(4)
        if style == 0:  # a bare list
            return self.pick((", ", ", ", "; ")).join(self._loose(*part) for part in parts)
        if style == 1:  # she has …, is …, and smiles
            said = [self._told(*part) for part in parts]
            return f"{self.pick(PRONOUNS)} {listed(said, self.pick((' and ', ', and ', ' but ')))}"
        return self._described(parts)

    def _described(self, parts: list[tuple[str, str]]) -> str:
        """A noun with everything around it."""
        before = [text for kind, text in parts if kind == "adjective"][:3]
        rest = [part for part in parts if part[1] not in before]
        things = [text for kind, text in rest if kind == "thing"]
        noun = self.pick(SUBJECTS)
        if before:
            more = self.pick(_MORE)
            named = "person" if noun == "someone" else bare(noun)
            noun = article(f"{more}{self.pick((', ', ' ', ' and ')).join(before)} {named}")
        text = self.pick(_OPENINGS) + noun
        positive = [t for t in things if not t.startswith(("no ", "without "))]
        negative = [t.removeprefix("no ").removeprefix("without ") for t in things if t.startswith(("no ", "without "))]
        if positive:
            text += f" {self.pick(('with', 'with', 'who has', 'that has'))} {listed(positive, ' and ')}"
        if negative:
            text += self._lacking(negative, bool(positive))
        others = [part for part in rest if part[0] != "thing"]
        if others:
            said = [self._aside(*part) for part in others]
            text += self.pick((", ", " ")) + listed(said, " and ")
        return text

    def _lacking(self, things: Sequence[str], more: bool) -> str:
        """ "without a hat or glasses"; behind other things also "but with no hat and no glasses"."""
        start = self.pick((" ", ", ", " but ")) if more else " "
        if not more or self.random.random() < 0.5:
            return f"{start}without {' or '.join(things)}"
        return f"{start}with {listed([f'no {bare(thing)}' for thing in things], ' and ')}"

    def _loose(self, kind: str, text: str) -> str:
        if kind == "verb":
            return self.pick((conjugated(text), progressive(text)))
        if kind == "no verb":
            return self.pick((f"does not {text}", f"not {progressive(text)}"))
        if kind == "clause" and self.random.random() < 0.5:
            return text.removeprefix("the ").replace(" is ", " ", 1).replace(" are ", " ", 1)
        return text

    def _told(self, kind: str, text: str) -> str:
        """Behind a pronoun."""
        if kind == "thing":
            return text.replace("without ", "has no ", 1) if text.startswith("without ") else f"has {text}"
        if kind == "verb":
            return conjugated(text) if self.random.random() < 0.5 else f"is {progressive(text)}"
        if kind == "no verb":
            return self.pick((f"does not {text}", f"doesn't {text}", f"is not {progressive(text)}"))
        if kind == "clause":
            return f"is here, and {text}"
        return self.pick(("is ", "is ", "looks ", "seems ")) + text

    def _aside(self, kind: str, text: str) -> str:
        """Behind the noun."""
        if kind == "verb":
            return self.pick((progressive(text), f"who {conjugated(text)}", f"that {conjugated(text)}"))
        if kind == "no verb":
            return self.pick((f"not {progressive(text)}", f"who does not {text}", f"who doesn't {text}"))
        if kind == "adjective":
            return self.pick(("who is ", "")) + text
        if kind == "clause":
            return self.pick(("where ", "", "and ")) + text
        return text


_FIELD = {"adjective": "adjectives", "thing": "things", "verb": "verbs", "state": "states", "clause": "clauses"}
_WEIGHT = {"adjective": 3.0, "thing": 4.0, "verb": 2.0, "state": 1.5, "clause": 2.0}


def listed(said: Sequence[str], last: str) -> str:
    """a, b and c."""
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + last + said[-1]


def bare(noun: str) -> str:
    """Without its article."""
    return noun.removeprefix("a ").removeprefix("an ").removeprefix("the ")


def article(noun: str) -> str:
    """With a or an."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def conjugated(verb: str) -> str:
    """ "smile broadly" → "smiles broadly"."""
    first, *rest = verb.split()
    if first == "have":
        first = "has"
    elif first.endswith(("s", "sh", "ch", "x")):
        first += "es"
    elif first.endswith("y") and first[-2] not in "aeiou":
        first = first[:-1] + "ies"
    else:
        first += "s"
    return " ".join([first, *rest])


def progressive(verb: str) -> str:
    """ "smile broadly" → "smiling broadly"."""
    first, *rest = verb.split()
    if first in _DOUBLED:
        first += first[-1]
    first = first.removesuffix("e") if not first.endswith("ee") else first
    return " ".join([first + "ing", *rest])


def literals() -> list[tuple[Fact, bool]]:
    """Everything that can be said, in the order of `facts.truths`."""
    return [(fact, True) for fact in KNOWN] + [(fact, False) for fact in KNOWN]
