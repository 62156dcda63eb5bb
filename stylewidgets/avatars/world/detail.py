"""The factors of stochastic detail: how much of it there is. Which freckle lies where is chance, see `drawing.added.detail`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .factors import Factor, number

DETAIL_FACTORS: tuple[Factor, ...] = (
    number("freckles", 0, 1, 0, "how many", (0.0, 0.0, 0.0, 0.08, 0.2, 0.36, 0.55, 0.78, 1.0)),
    number("pores", 0, 1, 0, "how deep"),
    number("stubble", 0, 1, 0, "how dense", (0.0, 0.0, 0.0, 0.08, 0.2, 0.36, 0.55, 0.78, 1.0)),
    number("strands", 0, 1, 0, "how far strands of hair differ"),
    number("knit", 0, 1, 0, "how coarse clothes look"),
    number("grain", 0, 1, 0, "how rough the wall is"),
)
"""Amounts: 0 draws what a head without this group is, to the last bit."""


def phrase(values: Mapping[str, float], pick: Callable[[str, Sequence[str]], str]) -> str:
    """What a caption says of them, "" for nothing: what can be seen at the size of a stamp."""
    said = [
        values["freckles"] >= 0.35 and pick("freckles", ("freckles", "a freckled face")),
        values["stubble"] >= 0.35 and pick("stubble", ("stubble", "an unshaven chin")),
    ]
    return ", ".join(words for words in said if words)
