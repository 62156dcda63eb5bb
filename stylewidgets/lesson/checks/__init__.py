"""Checks of the lesson's exercises, in the order of the lesson. Each takes an answer first, and returns a `Reply`.

What is true is computed, from the generator or from figures that were measured; no answer is written down here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from .codes import adain, stations
    from .descent import by_hand, loss, overshoot, rate, search
    from .figures import better, purpose, spaces
    from .pictures import mend, passes, threshold

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "codes": "stations adain",
        "descent": "by_hand loss search rate overshoot",
        "figures": "spaces better purpose",
        "pictures": "passes mend threshold",
    },
)
