"""The checks of what a latent is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..core.checks import check_finite, check_int, unknown_name
from ..core.values import as_numpy, size, what
from .edits import Edit
from .view import VIEWS, View

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
Extra = tuple[tuple[str, int | tuple[float, ...]], ...]
"""Seeds and vectors by name, in the order of the names."""


def checked_blend(blend: Iterable[Sequence[float]]) -> tuple[tuple[int, float], ...]:
    """The pairs of a blend."""
    try:
        pairs = [(seed, weight) for seed, weight in blend]
        if isinstance(blend, np.ndarray):  # whose seeds are floats like the weights
            pairs = [(int(seed) if seed == int(seed) else seed, weight) for seed, weight in pairs]
    except (TypeError, ValueError, OverflowError):
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


def whole_or_vector(name: str, given: object, most: int | None = None) -> int | tuple[float, ...]:
    """A whole number from 0 on, such as a class or a seed, or the numbers of a vector."""
    if isinstance(given, Mapping):
        raise ValueError(  # noqa: TRY004  the same kind as of other labels
            f"{name} by classes and weights is for session.latent({name}=…), which knows how many classes there are"
        )
    array = as_numpy(given)
    if isinstance(array, (str, bytes)) or not hasattr(array, "__len__") or np.ndim(array) == 0:
        return check_int(name, given, 0, most)
    if np.ndim(array) != 1 or not len(array):
        raise ValueError(f"{name} is a whole number or a vector of numbers; shape {list(np.shape(array))} was given")
    return tuple(check_finite(f"a number of {name}", number) for number in array)


def checked_extra(extra: Mapping[str, object] | Iterable[tuple[str, object]]) -> Extra:
    """The pairs by name."""
    try:
        given = dict(extra)
    except (TypeError, ValueError):
        raise TypeError(f"extra is a dictionary of seeds and vectors by name; {what(extra)} was given") from None
    for name in given:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"a name in extra is that of a variable; {what(name)} was given")
    return tuple((name, whole_or_vector(f"{name!r} of extra", given[name], MAX_SEED)) for name in sorted(given))


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
