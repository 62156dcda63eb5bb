"""How far a code is from the generator's own, as a light with words: a newcomer cannot know what 1.3 means."""

from __future__ import annotations

import html
from collections.abc import Mapping

from ..kit.views.cards import FAIR, GOOD, POOR

USUAL = 1.3
"""Where green ends if a generator was not measured: 99 of 100 of its own codes are nearer. By 2000 fresh codes of each bundled
generator 1.28 to 1.31."""
FAR = 2.7
"""Where red begins, in ends of green: there lie half of the codes that the projector finds in w+ (3.5), the method with the
lowest transfer of edits. See docs/inversion.md."""

WARNED = 3.0
"""Realism past which the light is red, even where a generator's own codes spread wide."""

WORDS = {
    GOOD: ("like its own", "like the generator's own faces: 99 of 100 of those are as near"),
    FAIR: (
        "unusual",
        "further out than 99 of 100 of the generator's own faces, as most codes that are searched: try an edit",
    ),
    POOR: (
        "far out",
        "Warning: far from the generator's own faces, so that edits may fall short. A search in w stays nearer",
    ),
}


def light(figures: Mapping[str, float]) -> str:
    """Green, amber or red for the figures of a result: "realism", and "usual_realism" where it was measured."""
    far = figures["realism"] / figures.get("usual_realism", USUAL)
    if far > FAR or figures["realism"] > WARNED:
        return POOR
    return GOOD if far <= 1 else FAIR


def short(figures: Mapping[str, float]) -> str:
    """The light in one or two words."""
    return WORDS[light(figures)][0]


def sentence(figures: Mapping[str, float]) -> str:
    """HTML of the light and what it means; "" where the realism is not known."""
    if "realism" not in figures:
        return ""
    colour = light(figures)
    words = html.escape(f"{WORDS[colour][1]} (realism {figures['realism']:.1f})")
    return f'<div class="sw-note"><span class="stylewidgets-light" data-light="{colour}"></span>{words}</div>'
