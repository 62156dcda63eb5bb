"""A latent between two others, once its code is known."""

from __future__ import annotations

from .checks import Extra
from .code import Code
from .latent import Latent
from .view import between


def meeting(a: Latent, b: Latent, t: float, code: Code) -> Latent:
    """The latent at t between two: this code, without truncation and edits; label, noise and source of the nearer one; view and
    vectors in `extra` on their way."""
    near = a if t < 0.5 else b
    return near.replace(
        code=code,
        psi=1.0,
        cutoff=None,
        edits=(),
        view=between(a.view, b.view, t),
        extra=_between(a.extra, b.extra, t),
        history=(),
    )


def _between(a: Extra, b: Extra, t: float) -> Extra:
    """Vectors that both have in a straight line, all else as in the nearer one."""
    first, second = dict(a), dict(b)
    made = dict(first if t < 0.5 else second)
    for name in first.keys() & second.keys():
        x, y = first[name], second[name]
        if isinstance(x, tuple) and isinstance(y, tuple):
            made[name] = tuple((1 - t) * p + t * q for p, q in zip(x, y, strict=True))
    return tuple(sorted(made.items()))
