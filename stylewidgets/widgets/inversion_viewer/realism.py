"""How far a code is from the generator's own, as a light with words: a newcomer cannot know what 2.4 means.

There are two scales. One is of the generator's own codes, measured on the generator at hand. The other is of what the method
usually ends as, which is further out even where it fits well; ``inversion.evaluation.scales`` has it as measured.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

from ...inversion.evaluation.scales import of_inversions
from ..kit.views.cards import FAIR, GOOD, POOR

USUAL = 1.3
"""Where green ends if a generator was not measured: 99 of 100 of its own codes are nearer. By 2000 fresh codes of each bundled
generator 1.26 to 1.28."""
FAR = 2.7
"""Where red begins for a method without a scale of its own, in ends of green: past that lay half of the codes that the projector
found in w+. See docs/inversion.md."""

WARNED = 3.0
"""Realism past which the light is red then, even where a generator's own codes spread wide."""

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
BY_METHOD = {
    FAIR: ("as usual", "further out than the generator's own faces, as is usual after this method"),
    POOR: (
        "far out",
        "Warning: further out than nine of ten results of this method on pictures that the generator can draw: try an edit",
    ),
}
"""Where the method has a scale."""


def scale(generator: str, method: str, space: str, steps: int) -> dict[str, float]:
    """What is usual after a method, as figures that `light` and `sentence` understand; {} where it was not measured."""
    usual = of_inversions(generator, method, space, steps)
    return {} if usual is None else {"method_realism": usual.median, "method_realism_most": usual.most}


def light(figures: Mapping[str, float]) -> str:
    """Green, amber or red for the figures of a result: "realism", "usual_realism" where the generator was measured, and those
    of `scale`."""
    far = figures["realism"] / _usual(figures)
    if far <= 1:
        return GOOD
    most = figures.get("method_realism_most")
    red = far > FAR or figures["realism"] > WARNED if most is None else figures["realism"] > most
    return POOR if red else FAIR


def short(figures: Mapping[str, float]) -> str:
    """The light in one or two words."""
    return _words(figures)[0]


def sentence(figures: Mapping[str, float]) -> str:
    """HTML of the light and what it means; "" where the realism is not known."""
    if "realism" not in figures:
        return ""
    told = f"realism {figures['realism']:.1f}; its own faces up to {_usual(figures):.1f}"
    if "method_realism_most" in figures:
        told += f", this method mostly up to {figures['method_realism_most']:.1f}"
    words = html.escape(f"{_words(figures)[1]} ({told})")
    return f'<div class="sw-note"><span class="stylewidgets-light" data-light="{light(figures)}"></span>{words}</div>'


def _usual(figures: Mapping[str, float]) -> float:
    return figures.get("usual_realism") or USUAL  # 0: whatever the code, the generator draws one picture


def _words(figures: Mapping[str, float]) -> tuple[str, str]:
    colour = light(figures)
    return BY_METHOD.get(colour, WORDS[colour]) if "method_realism_most" in figures else WORDS[colour]
