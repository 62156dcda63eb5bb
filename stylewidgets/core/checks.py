"""Checks of arguments. Their texts say what was given, what is accepted and, for names, the nearest valid one."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable
from typing import Any, SupportsIndex


def unknown_name(kind: str, given: object, accepted: Iterable[str]) -> ValueError:
    """Return (not raise) the error for a name that does not exist, with the nearest ones that do.

    Args:
        kind: what the name stands for, such as "direction".
        given: the name as given.
        accepted: every valid name, in the order to list them; of many only the nearest and a few are listed.
    """
    names = [str(name) for name in accepted]
    text = f"there is no {kind} {str(given)!r}"
    if not names:
        return ValueError(f"{text}; there are none at all")
    lowered = {name.lower(): name for name in names}
    near = [lowered[name] for name in difflib.get_close_matches(str(given).lower(), lowered, n=1, cutoff=0.5)]
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    question = f"; did you mean {near[0]!r}? Accepted" if near else "; accepted"
    return ValueError(f"{text}{question}: {listed}")


def check_finite(name: str, value: Any, low: float | None = None, high: float | None = None) -> float:
    """Return `value` as a Python float; ValueError unless it is a finite number in [low, high]."""
    accepted = f"a finite number{_between(low, high)}"
    if isinstance(value, (bool, str, bytes)):
        raise ValueError(f"{name} must be {accepted}; {value!r} was given")  # noqa: TRY004
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(f"{name} must be {accepted}; {_short(value)} was given") from None
    if not math.isfinite(number) or (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"{name} must be {accepted}; {number:g} was given")
    return number


def check_int(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """Return `value` as a Python int; ValueError unless it is a whole number in [low, high] (7.0 is not one)."""
    accepted = f"a whole number{_between(low, high)}"
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be {accepted}; {_short(value)} was given") from None
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"{name} must be {accepted}; {number} was given")
    return number


def check_layers(layers: Iterable[SupportsIndex], num_ws: int | None = None) -> tuple[int, int]:
    """Return `layers` as (first, last): the rows first … last − 1 of w+.

    Raises:
        ValueError: not a pair of whole numbers with 0 <= first < last (<= num_ws, when it is given).
    """
    rows = "the number of w+ rows" if num_ws is None else str(num_ws)
    accepted = f"layers is a pair (first, last) with 0 <= first < last <= {rows}; last itself is not included"
    try:
        first, last = (operator.index(n) for n in layers)
    except (TypeError, ValueError):
        raise ValueError(f"{accepted}; {_short(layers)} was given") from None
    if not 0 <= first < last or (num_ws is not None and last > num_ws):
        raise ValueError(f"{accepted}; ({first}, {last}) was given")
    return first, last


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" of at least {low}" if low is not None else f" of at most {high}" if high is not None else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:50]}…"
