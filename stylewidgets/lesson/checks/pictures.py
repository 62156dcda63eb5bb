"""Exercises on encoders, and on pictures that do not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..mending import Broken
from ..reading import number, several
from ..reply import Reply, Unreadable, check, hint, right

GAIN = 0.03
"""A pass that wins less than this share of the error is not worth it."""
NEAR = 2
"""Pixels by which a shift may be off."""
SURE = 0.9
"""Share of the pictures of each kind that a threshold must tell rightly."""


@check
def passes(answer: object, errors: Sequence[float]) -> Reply:
    """The smallest number of passes after which one more wins less than 3 % of the error, or makes it worse.

    Args:
        errors: after 1, 2, … passes.
    """
    given = number(answer)
    if given != round(given) or not 1 <= given <= len(errors):
        raise Unreadable(f"a number of passes is asked for, from 1 to {len(errors)}")
    last = len(errors)
    enough = next((n for n in range(1, last) if errors[n] > (1 - GAIN) * errors[n - 1]), last)
    if given == enough:
        return right()
    if given < enough:
        return hint(f"pass {int(given) + 1} still wins {1 - errors[int(given)] / errors[int(given) - 1]:.0%}")
    return hint("fewer are enough: go from the first pass on, and stop where the next one wins less than 3 %")


@check
def mend(answer: object, broken: Sequence[Broken] = ()) -> Reply:
    """The shift (down, right) that mends a broken picture, or a function that finds it.

    Args:
        broken: pictures to try a function on; the first one is what a pair is of. Without any, some are drawn.
    """
    from ..mending import some_broken  # draws, so only where it is asked for

    given = list(broken) or some_broken()
    if not callable(answer):
        return _off(_pair(answer), given[0])
    for one in given:
        try:
            found = answer(one.picture, one.error)
        except Exception as error:  # noqa: BLE001  whatever a student's line raises is shown
            return hint(f"it stops with {type(error).__name__}: {error}")
        if found is None or found is ...:
            return Reply(False, "not answered yet")
        reply = _off(_pair(found), one)
        if not reply:
            return reply
    return right(f"right: {len(given)} of {len(given)} pictures are where they were")


def _pair(given: Any) -> tuple[float, float]:
    down, right_ = (number(one) for one in several(given, 2))
    return down, right_


def _off(found: tuple[float, float], broken: Broken) -> Reply:
    wanted = broken.mends

    def near(pair: tuple[float, float]) -> bool:
        return all(abs(a - b) <= NEAR for a, b in zip(pair, wanted, strict=True))

    if near(found):
        return right("right: the picture is where it was")
    if near((-found[0], -found[1])):
        return hint("that is how far it was moved; to mend it, move it back")
    if near(found[::-1]):
        return hint("the two numbers are the other way round: down first, then right")
    if found == (0, 0):  # what the gap gives as it stands
        text = (
            "a shift of nothing leaves it broken. Keep the shift with the *smallest* error, and not the first or last"
        )
        return Reply(False, f"not answered yet: {text}")
    return hint(
        f"after a shift of {found[0]:g}, {found[1]:g} the error is {broken.error_after(found):.3f}; a smaller one is to be had"
    )


@check
def threshold(answer: object, good: Sequence[float], odd: Sequence[float]) -> Reply:
    """A number above which you would warn, or a function of realism that says whether.

    Args:
        good, odd: realism of pictures that fit the generator, and of others.
    """
    if callable(answer):
        warns: Callable[[float], bool] = answer
    else:
        limit = number(answer)
        warns = lambda realism: realism > limit  # noqa: E731
    try:
        missed = np.mean([not warns(value) for value in odd])
        false = np.mean([bool(warns(value)) for value in good])
    except Exception as error:  # noqa: BLE001  whatever a student's line raises is shown
        return hint(f"it stops with {type(error).__name__}: {error}")
    if missed > 1 - SURE and false > 1 - SURE:
        return hint("it warns of the pictures that fit, and not of the others: the other way round")
    if false > 1 - SURE:
        return hint(f"it warns of {false:.0%} of the pictures that fit: higher")
    if missed > 1 - SURE:
        return hint(f"it lets {missed:.0%} of the odd pictures pass: lower")
    return right(f"right: {1 - missed:.0%} of the odd ones are caught, {false:.0%} false alarms")
