"""The lines of the table of inversions, and the settings that each is measured with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...core.checks import unknown_name
from ...inversion import METHODS
from ...inversion.encoders import small
from ...session.session import GeneratorSession
from ...settings import Method

TESTED = 200
"""Steps at which the rates below were tried."""
RATES: Mapping[str, Mapping[str, float]] = {
    "projector": {"rate": 0.2},
    "image2stylegan": {"rate": 0.2},
    "image2stylegan++": {"rate": 0.2},
    "pti": {"rate": 1e-3, "pivot_rate": 0.2},
}
"""Learning rates for about `TESTED` steps: the best, or near it, of some between 0.05 and 1.2 (tuning: 3e-4 to 3e-3) on three
renders that are not among the targets."""
PHASES: Mapping[str, str] = {
    "steps": "rate",
    "noise_steps": "noise_rate",
    "pivot_steps": "pivot_rate",
    "start_steps": "",
}
"""Settings that count steps, and the learning rate that goes with each."""
SECOND = (("image2stylegan++", "noise_steps"), ("pti", "steps"), ("fast", "steps"))
"""Phases that begin where another ended get half of the steps; so does the fast projector."""
VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "projector": {"projector W": {"space": "w"}, "projector W+": {"space": "w+"}},
    "fast": {"fast W": {"space": "w"}, "fast W+": {"space": "w+"}},
    "image2stylegan": {
        "Image2StyleGAN W": {"space": "w"},
        "Image2StyleGAN W+": {"space": "w+"},
        "Image2StyleGAN S": {"space": "s"},
    },
    "image2stylegan++": {"Image2StyleGAN++": {}},
    "pti": {"PTI": {}},
    "hybrid": {"hybrid 50": {"steps": 50}, "hybrid 200": {"steps": 200}},
    "psp": {"pSp": {}},
    "restyle": {"ReStyle": {}},
}
FIRST = ("image2stylegan", "hybrid", "psp", "e4e", "restyle", "projector", "pti")
"""Methods in the order in which they are measured; the others come behind."""
STYLE_SPACE = 1.5
"""Factor of the rate in s, whose numbers are larger than those of w."""


class Row(NamedTuple):
    """One line of the table: a method with settings."""

    name: str
    method: str
    settings: Mapping[str, Any]


def rows(
    session: GeneratorSession,
    most: int | None,
    chosen: Sequence[str] | None = None,
    encoders: Mapping[str, Path] | None = None,
) -> list[Row]:
    """What to measure on a generator, in the order of the catalogue.

    Args:
        session: the generator.
        most: steps of each optimisation, and half as many where `SECOND` says so; None for the papers'.
        chosen: methods; None for all that can be used.
        encoders: files of encoders that are measured beside the bundled ones, by the names of their rows.

    Raises:
        ValueError: an unknown method.
    """
    for name in chosen or ():
        if name not in METHODS:
            raise unknown_name("inversion method", name, METHODS)
    found = []
    for name, method in METHODS.items():
        if (chosen is not None and name not in chosen) or method.why_not(session):
            continue
        fewer = {} if most is None or method.kind == "encoder" else fewer_steps(method, most)
        for title, settings in VARIANTS.get(name, {name: {}}).items():
            own = dict(fewer)
            if settings.get("space") == "s" and "rate" in own:
                own["rate"] *= STYLE_SPACE
            found.append(Row(title, name, {**own, **settings}))
    for title, path in (encoders or {}).items():
        found.append(Row(title, small.header(path)[0].kind, {"encoder": str(path)}))
    return found


def in_order(found: Sequence[Row]) -> list[Row]:
    """Rows in the order in which they are measured: what decides most comes first, and of S after W and W+."""
    places = {name: place for place, name in enumerate(FIRST)}
    late = {"image2stylegan": ("s",)}

    def key(row: Row) -> tuple[bool, int]:
        return row.settings.get("space") in late.get(row.method, ()), places.get(row.method, len(FIRST))

    return sorted(found, key=key)


def fewer_steps(method: Method, most: int) -> dict[str, Any]:
    """Settings with at most so many steps, and the learning rates that go with them.

    With as many steps as the paper a rate is the paper's, with `TESTED` or fewer that of `RATES`; in between it is
    interpolated, both on logarithmic scales.
    """
    known = {s.name: float(s.default) for s in method.settings if isinstance(s.default, (int, float))}
    settings: dict[str, Any] = {}
    for steps, rate in PHASES.items():
        limit = max(1, most // 2) if (method.name, steps) in SECOND else most
        if steps not in known or known[steps] <= limit:
            continue
        settings[steps] = limit
        tested = RATES.get(method.name, {}).get(rate)
        if tested is not None:
            part = math.log(max(limit / TESTED, 1)) / math.log(max(known[steps] / TESTED, 2))
            settings[rate] = tested * (known[rate] / tested) ** min(part, 1)
    return settings
