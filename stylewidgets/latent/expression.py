"""A latent as Python that makes an equal one."""

from __future__ import annotations

from collections.abc import Iterator

from .edits import json_code
from .latent import Latent
from .view import IDENTITY

_PLAIN = ("psi", "cutoff", "label", "noise_mode", "noise_seed")


def latent_code(session: object, latent: Latent) -> str:
    """One expression, over several lines where something can only be written as JSON; `sw` and `session` stand for themselves."""
    edits = "".join(f".with_edit({edit.code(session)})" for edit in latent.edits)
    return source_code(session, latent) + edits


def source_code(session: object, latent: Latent) -> str:
    """As `latent_code`, but without the edits."""
    if latent.code is not None:
        return json_code("Latent", latent.replace(edits=()))
    return f"session.latent({', '.join(_arguments(session, latent))})"


def _arguments(session: object, latent: Latent) -> Iterator[str]:
    """The arguments of `session.latent` that differ from its defaults; the seed always."""
    yield f"blend={latent.blend!r}" if latent.blend else f"seed={latent.seed!r}"
    plain = Latent()
    for name in _PLAIN:
        if getattr(latent, name) != getattr(plain, name):
            yield f"{name}={getattr(latent, name)!r}"
    if latent.view != IDENTITY:
        yield f"{latent.view.kind}={latent.view.code()}"
    if latent.extra:
        yield f"extra={dict(latent.extra)!r}"
    if latent.source is not None:
        written = repr(latent.source) if isinstance(latent.source, str) else latent_code(session, latent.source)
        yield f"source={written}"
    if latent.history:
        yield f"history={latent.history!r}"
