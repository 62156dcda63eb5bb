"""The checks of what a latent is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..core.checks import check_finite, check_int, unknown_name
from ..core.values import as_numpy, size, what
from .edits import Edit
from .view import IDENTITY, VIEWS, View

if TYPE_CHECKING:
    from .latent import Latent

MAX_SEED = 2**32 - 1
DEEPEST = 4
"""Latents within latents, the outer one counted."""
MOST_BYTES = 64 << 20
"""Of all that is within a latent."""
_WORDS = 100
_SHA256 = 64
T = TypeVar("T")


def checked_blend(blend: Iterable[Sequence[float]]) -> tuple[tuple[int, float], ...]:
    """The pairs of a blend."""
    try:
        pairs = [(seed, weight) for seed, weight in blend]
    except (TypeError, ValueError):
        raise ValueError(
            f"blend is (seed, weight) pairs, such as ((1, 0.25), (2, 0.75)); {blend!r:.80} was given"
        ) from None
    checked = tuple(
        (check_int("a seed of blend", s, 0, MAX_SEED), check_finite("a weight of blend", w)) for s, w in pairs
    )
    total = sum(weight for _, weight in checked)
    if checked and abs(total - 1.0) > 1e-4:
        raise ValueError(f"the weights of blend must sum to 1; they sum to {total:g}. Divide each by that")
    return checked


def checked_label(label: object) -> int | tuple[float, ...] | None:
    """A class index, or the numbers of a vector."""
    array = as_numpy(label)
    if (
        label is None
        or isinstance(label, (str, bytes))
        or getattr(array, "ndim", None) == 0
        or not hasattr(array, "__len__")
    ):
        return None if label is None else check_int("label", label, 0)
    numbers = array.tolist() if hasattr(array, "tolist") else array
    if not numbers:
        raise ValueError("label is a class index, a vector of numbers, or None; an empty vector was given")
    return tuple(check_finite("a number of label", number) for number in numbers)


def checked_edits(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits, all different in kind or name."""
    try:
        edits = tuple(edits)
    except TypeError:
        raise TypeError(f"edits is a sequence of Edit values; {what(edits)} was given") from None
    seen: set[tuple[str, str]] = set()
    for edit in edits:
        if not isinstance(edit, Edit):
            raise TypeError(
                f"edits holds Edit values; {what(edit)} was given. latent.with_edit(direction, strength) makes one"
            )
        if edit.identity in seen:
            raise ValueError(f"two edits are called {edit.name!r}; names must differ. with_edit replaces the old one")
        seen.add(edit.identity)
    return edits


def checked_view(view: View, named: Mapping[str, View]) -> View:
    """The view, given as such or under the name of its kind."""
    for name in named:
        if name not in VIEWS:
            raise TypeError(f"Latent takes no argument {name!r}: {unknown_name('kind of view', name, VIEWS)}")
        if not isinstance(named[name], VIEWS[name]):
            example = "Transform(angle=30)" if name == "transform" else f"{VIEWS[name].__name__}()"
            raise TypeError(f"{name} is a {VIEWS[name].__name__}, such as {example}; {what(named[name])} was given")
    given = [v for v in named.values() if v] or list(named.values())[:1]
    if len(given) > 1:
        raise ValueError(f"a latent has one view; {' and '.join(named)} were given")
    if not given:
        given = [view]
    if not isinstance(given[0], tuple(VIEWS.values())):
        raise TypeError(f"view is one of {', '.join(VIEWS)}; {what(given[0])} was given")
    return given[0]


def checked_source(source: T | str | None, latent: type[T]) -> T | str | None:
    """A latent, or the SHA-256 of a picture."""
    if isinstance(source, str):
        if len(source) != _SHA256 or not set(source) <= set("0123456789abcdef"):
            raise ValueError(
                f"source is a Latent or 64 hexadecimal digits, the SHA-256 of a picture; {what(source)} was given"
            )
    elif source is not None and not isinstance(source, latent):
        raise TypeError(f"source is a Latent or the SHA-256 of a picture; {what(source)} was given")
    return source


def checked_history(history: Iterable[str]) -> tuple[str, ...]:
    """Words, at most 100 of at most 200 characters."""
    words = (history,) if isinstance(history, str) else tuple(history)
    if len(words) > _WORDS or not all(isinstance(word, str) and len(word) <= 2 * _WORDS for word in words):
        raise ValueError(f"history is at most {_WORDS} texts of at most {2 * _WORDS} characters")
    return words


def check_within(latent: Latent) -> None:
    """Raise ValueError where latents are nested too deep, or take too much."""
    if _depth(latent) > DEEPEST:
        raise ValueError(f"latents within latents go at most {DEEPEST} deep; use a code in place of the innermost ones")
    taken = size(latent.extra) + sum(map(size, latent.nested))
    if taken > MOST_BYTES:
        raise ValueError(f"what is within a latent takes at most {MOST_BYTES >> 20} MB; {taken >> 20} MB were given")


def _depth(latent: Latent) -> int:
    return 1 + max(map(_depth, latent.nested), default=0)


__all__ = [
    "DEEPEST", "IDENTITY", "MAX_SEED", "MOST_BYTES", "check_within", "checked_blend", "checked_edits", "checked_history",
    "checked_label", "checked_source", "checked_view",
]  # fmt: skip
