"""What realism usually is, as measured: of a generator's own codes, and of what each method ends as.

The numbers are in ``scales.json``, which ``stylewidgets bench inversion --scales`` writes.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("scales.json")
QUANTILES = {"median": 0.5, "95 %": 0.95, "99 %": 0.99}
"""Of codes."""
MOST = 0.9
"""Share of inversions that are not further out than `Usual.most`."""


class Usual(NamedTuple):
    """Realism of a method's inversions of pictures that the generator can draw.

    Attributes:
        median: half of them are nearer.
        most: nine of ten are nearer.
        steps, pictures: that it was measured with.
        outside: median of pictures with something that the generator has never seen; nan where none was inverted.
        told_apart: how often such a picture ends further out than one inside; 0.5 is chance.
    """

    median: float
    most: float
    steps: int
    pictures: int
    outside: float = math.nan
    told_apart: float = math.nan


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def of_codes(generator: str) -> dict[str, float] | None:
    """Quantiles of a bundled generator's own codes, by the names of `QUANTILES`; None for others."""
    found: dict[str, float] | None = _table()["codes"].get(generator)
    return found


def of_inversions(generator: str, method: str, space: str = "", steps: int = 1) -> Usual | None:
    """The scale of a method, of the measured number of steps that is nearest; None where there is none.

    Args:
        generator: its name. Those whose codes were measured share a scale of inversions, that of the bench's generator.
        method: its name.
        space: of its code; it says nothing of methods that have one only.
        steps: that it took.
    """
    if of_codes(generator) is None:
        return None
    mine = [one for one in _table()["inversions"] if one["method"] == method and one["space"] in ("", space)]
    if not mine:
        return None
    near = min(mine, key=lambda one: abs(math.log(max(one["steps"], 1) / max(steps, 1))))
    return Usual(
        near["median"],
        near["most"],
        near["steps"],
        near["pictures"],
        near.get("outside") or math.nan,
        near.get("told apart") or math.nan,
    )
