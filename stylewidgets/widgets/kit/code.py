"""The lines of Python that make a picture again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...latent.expression import source_code
from ...latent.latent import Latent

if TYPE_CHECKING:
    from ...session.session import GeneratorSession


WIDTH = 100


def code(session: GeneratorSession, latent: Latent) -> str:
    """Return Python that reproduces `session.render(latent)` bit by bit, in a fresh process on the same device.

    Directions that the session brings along are taken by name, those of few channels by their channels. What exists only
    here is written out in full, as JSON. Edits of strength 0 leave no trace in the picture and none here.
    """
    edits = [edit for edit in latent.edits if edit.strength]
    lines = ["import stylewidgets as sw", "", *_session_lines(session), ""]
    lines.append(f"latent = {source_code(session, latent)}")
    lines += [f"latent = latent.with_edit({edit.code(session)})" for edit in edits]
    lines.append("image = session.render(latent)")
    return "\n".join(lines) + "\n"


def _session_lines(session: GeneratorSession) -> list[str]:
    """`session = sw.load(...)`, or a comment where the session was not loaded from anything that has a name."""
    source = getattr(session, "source", None)
    if session.device.type == "remote":
        return [f"session = sw.connect({session.address!r}, model={session.model!r})"]  # type: ignore[attr-defined]
    if source is None:
        name = f" ({session.name})" if session.name else ""
        return [f"# session: your GeneratorSession{name}; it was not made by sw.load"]
    arguments = [] if source == "" else [repr(str(source))]
    if session.precision != "auto":
        arguments.append(f"precision={session.precision!r}")
    return [f"session = sw.load({', '.join(arguments)})"]
