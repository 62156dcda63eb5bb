"""The lines of Python that make a picture again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...latent.latent import Latent

WIDTH = 100


def code(session: Any, latent: Latent) -> str:
    """Return Python that reproduces `session.render(latent)` bit by bit, in a fresh process on the same device.

    Directions that the session brings along are taken by name. A direction or a code that exists only here is
    written out in full, as `Latent.from_json`. Edits of strength 0 leave no trace in the picture and none here.
    """
    latent = latent.replace(edits=tuple(edit for edit in latent.edits if edit.strength != 0))
    by_name = all(session.directions.get(edit.direction.name) == edit.direction for edit in latent.edits)
    named = latent.code is None and by_name
    lines = ["import stylewidgets as sw", "", *_session_lines(session), ""]
    lines += _named_lines(latent) if named else _json_lines(latent)
    lines.append("image = session.render(latent)")
    return "\n".join(lines) + "\n"


def _session_lines(session: Any) -> list[str]:
    """`session = sw.load(...)`, or a comment where the session was not loaded from anything that has a name."""
    source = getattr(session, "source", None)
    if source is None:
        name = f" ({session.name})" if session.name else ""
        return [f"# session: your GeneratorSession{name}; it was not made by sw.load"]
    arguments = [] if source == "" else [repr(str(source))]
    if session.precision != "auto":
        arguments.append(f"precision={session.precision!r}")
    return [f"session = sw.load({', '.join(arguments)})"]


def _named_lines(latent: Latent) -> Iterator[str]:
    yield f"latent = session.latent({', '.join(_arguments(latent))})"
    for edit in latent.edits:
        words = [f"session.directions[{edit.direction.name!r}]", repr(edit.strength)]
        if edit.layers is not None:
            words.append(f"layers={edit.layers!r}")
        yield f"latent = latent.with_edit({', '.join(words)})"


def _arguments(latent: Latent) -> Iterator[str]:
    """The arguments of `session.latent` that differ from its defaults; the seed always."""
    if latent.blend:
        yield f"blend={latent.blend!r}"
    else:
        yield f"seed={latent.seed!r}"
    plain = Latent()
    for name in ("psi", "cutoff", "label", "noise_mode", "noise_seed"):
        value = getattr(latent, name)
        if value != getattr(plain, name):
            yield f"{name}={value!r}"
    if latent.transform:
        yield f"transform=sw.{latent.transform!r}"


def _json_lines(latent: Latent) -> Iterator[str]:
    text = latent.to_json()
    yield "latent = sw.Latent.from_json("
    for start in range(0, len(text), WIDTH):
        yield f"    {text[start : start + WIDTH]!r}"
    yield ")"
