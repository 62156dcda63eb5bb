"""What papers say about the order of methods, held against pairs of figures on the same pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..intervals import Ratio, ratio
from .measure import CHANGES
from .pictures import GENERATED, INSIDE, OUTSIDE

AGREES, TIE, DENIES = "as reported", "cannot be told", "the other way round"
ABDAL = "Abdal et al. 2019"
TOV = "Tov et al. 2021"
ROICH = "Roich et al. 2022"
FIT = ("mse", "perceptual")
EDIT = ("change_error", "edit_side")


class Expected(NamedTuple):
    """What papers say: `worse` has more of each of the figures than `better`."""

    figures: tuple[str, ...]
    worse: str
    better: str
    source: str


EXPECTED = (
    Expected(FIT, "Image2StyleGAN W", "Image2StyleGAN W+", ABDAL),
    Expected(FIT, "projector W", "projector W+", f"{ABDAL}; {ROICH}"),
    Expected(FIT, "fast W", "fast W+", ABDAL),
    Expected(("mse",), "Image2StyleGAN W+", "Image2StyleGAN S", "Wu et al. 2021"),
    Expected(("mse",), "Image2StyleGAN W+", "Image2StyleGAN++", "Abdal et al. 2020"),
    Expected(FIT, "projector W+", "PTI", ROICH),
    Expected(("mse",), "e4e", "pSp", TOV),
    Expected(("mse",), "pSp", "ReStyle", "Alaluf et al. 2021"),
    Expected(("mse",), "ReStyle", "hybrid 50", "Zhu et al. 2020"),
    Expected(EDIT, "Image2StyleGAN W+", "Image2StyleGAN W", f"{TOV}; {ROICH}"),
    Expected(EDIT, "projector W+", "projector W", f"{TOV}; {ROICH}"),
    Expected(EDIT, "fast W+", "fast W", f"{TOV}; {ROICH}"),
    Expected(EDIT, "projector W+", "PTI", ROICH),
    Expected(EDIT, "pSp", "e4e", TOV),
    Expected(("realism",), "projector W+", "projector W", TOV),
    Expected(("realism",), "pSp", "e4e", TOV),
)
PAIRS = (
    ("Image2StyleGAN W+", "Image2StyleGAN W"),
    ("projector W+", "projector W"),
    ("fast W+", "fast W"),
    ("hybrid 200", "hybrid 50"),
    ("hybrid 50", "Image2StyleGAN W"),
    ("Image2StyleGAN S", "Image2StyleGAN W+"),
    ("Image2StyleGAN++", "Image2StyleGAN W+"),
    ("PTI", "projector W"),
    ("e4e", "pSp"),
    ("ReStyle", "pSp"),
)
"""Methods that are told as ratios, the first over the second."""


def values(rows: Mapping[str, Any], name: str, kind: str, figure: str, names: list[str]) -> NDArray[np.float64]:
    """A figure of these pictures, nan where there is none. "change_error smile" is that of one edit."""
    whole, _, edit = figure.partition(" ")
    found = [rows[name][kind][picture] for picture in names]
    some = [one.get(CHANGES, {}).get(edit) if edit else one.get(whole) for one in found]
    return np.array([np.nan if value is None else float(value) for value in some])


def shared(rows: Mapping[str, Any], kind: str, *names: str) -> list[str]:
    """Pictures of a kind that all these methods were measured on."""
    sets = [rows.get(name, {}).get(kind, {}) for name in names]
    return [picture for picture in sets[0] if all(picture in one for one in sets)]


def paired(
    rows: Mapping[str, Any], a: str, b: str, kind: str, figure: str, names: list[str] | None = None
) -> Ratio | None:
    """One method over another on these pictures, or on all; None where fewer than two have the figure of both."""
    names = shared(rows, kind, a, b) if names is None else names
    try:
        return ratio(values(rows, a, kind, figure, names), values(rows, b, kind, figure, names))
    except ValueError:
        return None


class Verdict(NamedTuple):
    """Of one expectation and figure. ratio: worse over better, so that more than 1 is as reported."""

    expected: Expected
    kind: str
    figure: str
    ratio: Ratio

    @property
    def word(self) -> str:
        """An interval that holds 1 decides nothing."""
        if self.ratio.of_means.low > 1:
            return AGREES
        return DENIES if self.ratio.of_means.high < 1 else TIE


def verdicts(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    """Each expectation whose two rows were measured, by kind of picture."""
    for kind in (OUTSIDE, INSIDE, GENERATED):
        for one in EXPECTED:
            for figure in one.figures:
                found = paired(rows, one.worse, one.better, kind, figure)
                if found is not None:
                    yield Verdict(one, kind, figure, found)
