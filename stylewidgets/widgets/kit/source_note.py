"""What a widget about codes says of a generator that draws a source: what it cannot do there, and that nobody is there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parts import note

if TYPE_CHECKING:
    import ipywidgets as widgets

    from ...session.session import GeneratorSession

NOBODY = (
    "Nobody is drawn yet: session.put(...) takes an avatar or a person from files, and then this is to be opened again. "
    "LatentExplorer chooses somebody by hand."
)


def nobody(session: GeneratorSession) -> bool:
    """Whether pictures are drawn from a source, and none was given yet."""
    return session.needs_source and session.first_source is None


def source_note(session: GeneratorSession, words: str) -> tuple[widgets.HTML, ...]:
    """A note with these words, or that nobody is there; nothing for generators without a source."""
    if not session.needs_source:
        return ()
    return (note(NOBODY if nobody(session) else words),)
