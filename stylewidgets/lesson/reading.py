"""Answers as students write them: 5 or "5", "W plus" or "w+", a tuple or a list, in any case and with any quotes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from .reply import Unreadable

_BLANKS = re.compile(r"[\s_\-–.,;:!?'\"`()]+")


def plain(text: object) -> str:
    """A word without case, blanks, quotes and signs that do not matter; "plus" is "+"."""
    return _BLANKS.sub("", str(text).casefold()).replace("plus", "+")


def word(given: object, accepted: Sequence[str], also: Mapping[str, str] | None = None) -> str:
    """The one of `accepted` that is meant.

    Args:
        given: a text, or a list with one.
        accepted: the words.
        also: other words, and which of those they mean.

    Raises:
        Unreadable: none of them; the text lists them.
    """
    if isinstance(given, (list, tuple, set, frozenset)) and len(given) == 1:
        (given,) = given
    known = {plain(one): one for one in accepted} | {plain(one): meant for one, meant in (also or {}).items()}
    if isinstance(given, str):
        key = plain(given)
        if key in known:
            return known[key]
        near = get_close_matches(key, [one for one in known if len(one) > 3], 1, 0.8)
        if near and len(key) > 3:
            return known[near[0]]
    raise Unreadable(f"{given!r} is none of the answers; they are {listed(accepted)}")


def words(given: object, accepted: Sequence[str], also: Mapping[str, str] | None = None) -> set[str]:
    """Some of `accepted`: a list, tuple or set, or one text with commas, blanks or "and" between. Unreadable as of `word`."""
    if isinstance(given, str):
        parts: Iterable[object] = [one for one in re.split(r"[\s,;&→>]+|\band\b", given) if one]
    elif isinstance(given, Iterable):
        parts = given
    else:
        parts = [given]
    return {word(one, accepted, also) for one in parts}


def number(given: object) -> float:
    """A finite number, of any type or as text, with a decimal comma too. Unreadable for anything else."""
    if isinstance(given, (list, tuple)) and len(given) == 1:
        (given,) = given
    if isinstance(given, str):
        given = given.strip().replace(",", ".").replace("−", "-")
    try:
        found = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        raise Unreadable(f"a number is asked for; {given!r} is none") from None
    if not math.isfinite(found):
        raise Unreadable("a number is asked for, and an ordinary one")
    return found


def several(given: object, n: int) -> list[object]:
    """n answers out of a tuple, list or mapping's values. Unreadable for another count."""
    if isinstance(given, str):
        given = [one for one in re.split(r"[,;]", given) if one.strip()]
    found = list(given.values()) if isinstance(given, Mapping) else None
    if found is None:
        try:
            found = list(given)  # type: ignore[call-overload]
        except TypeError:
            found = [given]
    if len(found) != n:
        raise Unreadable(f"{n} answers are asked for, such as ({', '.join(['…'] * n)}); you gave {len(found)}")
    return found


def listed(names: Sequence[object]) -> str:
    """Words for a sentence: 'w', 'w+' or 's'."""
    shown = [repr(one) if isinstance(one, str) else f"{one:g}" for one in names]
    return " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
