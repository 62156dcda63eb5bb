"""What a check says: right, or what to look at next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


@dataclass(frozen=True)
class Reply:
    """The answer to an answer. In a notebook it shows its text.

    Attributes:
        right: whether the exercise is done.
        text: one or two sentences; of a wrong answer, a hint.
    """

    right: bool
    text: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"✓ {self.text}" if self.right else self.text


OPEN = Reply(False, "not answered yet")


def right(text: str = "right") -> Reply:
    """The exercise is done."""
    return Reply(True, text)


def hint(text: str) -> Reply:
    """Not yet, and where to look."""
    return Reply(False, f"not yet: {text}")


def is_open(answer: object) -> bool:
    """Whether nothing was filled in: None, the dots of a gap, a blank text, or a list or mapping of nothing but such."""
    if isinstance(answer, Mapping):
        return all(map(is_open, answer.values()))
    if isinstance(answer, (list, tuple, set, frozenset)):
        return all(map(is_open, answer))
    return answer is None or answer is ... or (isinstance(answer, str) and not answer.strip(" ?…."))


class Unreadable(ValueError):
    """An answer in a form that a check cannot read; its text says which form it can."""


def check(function: Callable[P, Reply]) -> Callable[P, Reply]:
    """A check: its first argument is the answer. An open one is said to be open, and one that cannot be read says what can."""

    @wraps(function)
    def asked(*args: P.args, **named: P.kwargs) -> Reply:
        if is_open(args[0]):
            return OPEN
        try:
            return function(*args, **named)
        except Unreadable as error:
            return hint(str(error))

    return asked
