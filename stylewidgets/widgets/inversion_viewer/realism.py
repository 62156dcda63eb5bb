"""How like the generator's own faces a code is, as a light with words: a newcomer cannot know what 1.3 means."""

from __future__ import annotations

import html

from ..kit.views.cards import FAIR, GOOD, POOR

TYPICAL, UNUSUAL = 1.25, 1.75
"""Ends of green and amber, in the units of `inversion.evaluate`: 1 is typical of the generator's own codes, 2 is far out."""

WORDS = {
    GOOD: ("like its own", "like the generator's own faces: edits will work"),
    FAIR: ("a little unusual", "a little unusual for this generator: edits may come out weaker"),
    POOR: ("far from its own", "far from the generator's own faces: it may look right, but edits may break it"),
}


def light(realism: float) -> str:
    """Green, amber or red for the figure `realism` of a result."""
    return GOOD if realism <= TYPICAL else FAIR if realism <= UNUSUAL else POOR


def short(realism: float) -> str:
    """The light in two or three words."""
    return WORDS[light(realism)][0]


def sentence(realism: float) -> str:
    """HTML of the light and what it means."""
    colour = light(realism)
    words = f"{WORDS[colour][1]} ({realism:.1f})"
    return (
        f'<div class="sw-note"><span class="stylewidgets-light" data-light="{colour}"></span>{html.escape(words)}</div>'
    )
