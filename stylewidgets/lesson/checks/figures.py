"""Exercises whose truth is a figure: what was measured in this lesson, or before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..reading import several, word
from ..reply import Reply, check, hint, right
from ..tradeoff import Measured, Ratio

SPACES = {"wp": "w+", "w+space": "w+", "wspace": "w", "style": "s", "stylespace": "s", "w+code": "w+"}
OPEN_WORDS = dict.fromkeys(
    ("tie", "neither", "both", "none", "no", "open", "unclear", "equal", "can't tell", "not clear", "same", "the same"),
    "cannot tell",
)
SLACK = 1.1
"""A method within a tenth of the best is as good an answer as the best."""


@check
def spaces(answer: object, figures: Mapping[str, Mapping[str, float]]) -> Reply:
    """(space that is nearer to the target, space whose code is farther out).

    Args:
        figures: by space, with "mse" and "realism".
    """
    names = list(figures)
    near, far = (word(one, names, SPACES) for one in several(answer, 2))
    nearest = min(names, key=lambda one: figures[one]["mse"])
    farthest = max(names, key=lambda one: figures[one]["realism"])
    if near == nearest and far == farthest:
        return right("right: more freedom, less distortion, and a stranger code")
    if near != nearest:
        return hint(f"which is nearer? Errors are {_listed(figures, 'mse')}; the smaller one is nearer")
    return hint(f"nearer is right. Farther out is the one with the larger realism: {_listed(figures, 'realism')}")


@check
def better(answer: object, ratio: Ratio, names: tuple[str, str] = ("w+", "w")) -> Reply:
    """Which of two has less of a figure, or "cannot tell" where the interval has 1 inside.

    Args:
        ratio: the first over the second.
        names: of both.
    """
    given = word(answer, (*names, "cannot tell"), {**SPACES, **OPEN_WORDS})
    smaller = ratio.smaller_one
    true = "cannot tell" if smaller is None else names[smaller]
    if given == true:
        return right(f"right: {names[0]} over {names[1]} is {ratio}")
    told = f"{names[0]} over {names[1]} is {ratio.value:.2f}, and nine of ten draws lie from {ratio.low:.2f} to {ratio.high:.2f}"
    if smaller is None:
        return hint(f"{told}: 1 is inside, so these pictures do not tell")
    if given == "cannot tell":
        return hint(f"{told}: all on one side of 1, so they do tell")
    return hint(f"{told}: {'above' if smaller else 'below'} 1, so {names[0]} has {'more' if smaller else 'less'}")


@check
def purpose(answer: object, measured: Measured, kind: str = "outside", edit: str = "smile") -> Reply:
    """(method for an archive, method for edits): each within a tenth of the best in what counts there.

    Args:
        measured: distortion is what counts for an archive, the error of the edit for edits.
        edit: which error, "smile" or "change".
    """
    names = list(measured.rows)
    chosen = [word(one, names, SPACES) for one in several(answer, 2)]
    for given, figure, what in zip(chosen, ("mse", edit), ("keeps pictures", "edits"), strict=True):
        values = {name: measured.mean(name, figure, kind) for name in names if measured.figures(name, figure, kind)}
        if given not in values:
            return hint(f"{given} was not measured there; those that were are {', '.join(values)}")
        best = min(values.values())
        if values[given] > SLACK * best:
            times = f"{values[given] / best:.1f} times as badly as the best"
            return hint(f'{given} {what} {times}: look for the smallest number under "{figure} {kind}"')
    return right("right: there is no best method, only a best one for a purpose" if chosen[0] != chosen[1] else "right")


def _listed(figures: Mapping[str, Mapping[str, float]], name: str) -> str:
    return ", ".join(f"{one} {row[name]:.3g}" for one, row in figures.items())


def means(rows: Sequence[Mapping[str, float]], names: Sequence[str] = ("mse", "realism")) -> dict[str, float]:
    """Means of some figures over pictures."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in names}
