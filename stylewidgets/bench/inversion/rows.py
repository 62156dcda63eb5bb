"""The lines of the table of inversions, the settings that each is measured with, and what papers say about their order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...core.checks import unknown_name
from ...inversion import METHODS
from ...session.session import GeneratorSession
from ...settings import Method

GENERATED, RENDERS = "generated", "renders"
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
}
STYLE_SPACE = 1.5
"""Factor of the rate in s, whose numbers are larger than those of w."""


class Row(NamedTuple):
    """One line of the table: a method with settings."""

    name: str
    method: str
    settings: Mapping[str, Any]


class Expected(NamedTuple):
    """What papers say: by `figure`, `worse` is worse than `better`. lower: whether less is better."""

    figure: str
    worse: str
    better: str
    lower: bool
    source: str


EXPECTED = (
    Expected("perceptual", "projector W", "projector W+", True, "Abdal et al. 2019; Roich et al. 2022, table 1"),
    Expected("mse", "projector W", "projector W+", True, "Abdal et al. 2019; Roich et al. 2022, table 1"),
    Expected("perceptual", "Image2StyleGAN W", "Image2StyleGAN W+", True, "Abdal et al. 2019"),
    Expected("mse", "Image2StyleGAN W", "Image2StyleGAN W+", True, "Abdal et al. 2019"),
    Expected("perceptual", "fast W", "fast W+", True, "Abdal et al. 2019"),
    Expected("mse", "fast W", "fast W+", True, "Abdal et al. 2019"),
    Expected("perceptual", "projector W+", "PTI", True, "Roich et al. 2022, table 1"),
    Expected("mse", "projector W+", "PTI", True, "Roich et al. 2022, table 1"),
    Expected("mse", "projector W", "PTI", True, "Roich et al. 2022, table 1"),
    Expected("mse", "Image2StyleGAN W+", "Image2StyleGAN++", True, "Abdal et al. 2020"),
    Expected("mse", "e4e", "psp", True, "Tov et al. 2021"),
    Expected("mse", "psp", "restyle", True, "Alaluf et al. 2021"),
    Expected("mse", "restyle", "hybrid", True, "Zhu et al. 2020"),
    Expected("edit_error", "projector W+", "projector W", True, "Tov et al. 2021; Roich et al. 2022"),
    Expected("edit_error", "Image2StyleGAN W+", "Image2StyleGAN W", True, "Tov et al. 2021; Roich et al. 2022"),
    Expected("edit_error", "fast W+", "fast W", True, "Tov et al. 2021; Roich et al. 2022"),
    Expected("edit_error", "projector W+", "PTI", True, "Roich et al. 2022"),
    Expected("edit_error", "PTI", "projector W", True, "Roich et al. 2022"),
    Expected("edit_error", "psp", "e4e", True, "Tov et al. 2021"),
    Expected("edit_transfer", "projector W+", "projector W", False, "Tov et al. 2021; Roich et al. 2022"),
    Expected("edit_transfer", "projector W+", "PTI", False, "Roich et al. 2022"),
    Expected("realism", "projector W+", "projector W", True, "Tov et al. 2021"),
    Expected("realism", "psp", "e4e", True, "Tov et al. 2021"),
)


def rows(session: GeneratorSession, most: int | None, chosen: Sequence[str] | None = None) -> list[Row]:
    """What to measure on a generator.

    Args:
        session: the generator.
        most: steps of each optimisation, and half as many where `SECOND` says so; None for the papers'.
        chosen: methods; None for all that can be used.

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
    return found


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


def checks(found: Mapping[str, Mapping[str, Any]]) -> list[tuple[bool, str]]:
    """Each expectation whose two rows were measured: whether it holds, and in words with both figures."""
    made = []
    for kind in (RENDERS, GENERATED):
        for one in EXPECTED:
            a, b = (found.get(name, {}).get(kind, {}).get(one.figure) for name in (one.worse, one.better))
            if a is None or b is None:
                continue
            same = (a > b) if one.lower else (a < b)
            figure = one.figure.replace("_", " ")
            words = f"{kind}: {figure} of {one.worse} ({a:.4g}) worse than of {one.better} ({b:.4g})  [{one.source}]"
            made.append((same, words))
    return made
