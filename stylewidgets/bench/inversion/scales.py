"""How realism is distributed: over a generator's own codes, and over the inversions of each method. Two scales, since a search
ends further out than any code of the mapping network, however well its picture fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import load
from ...directions import sample_w
from ...inversion import METHODS
from ...inversion.evaluation.realism import code_statistics, flat_styles
from ...inversion.evaluation.scales import MOST, QUANTILES
from ...session.session import GeneratorSession
from .papers import values
from .pictures import INSIDE, OUTSIDE

CODES = 2000
SEED = 11
"""Of codes that `code_statistics` was not made from."""
GENERATORS = ("avatar-64", "avatar-128", "avatar-64-stylegan3", "avatar-64-hair-style")
ENOUGH = 8
"""Pictures from which a method has a scale."""


def scales(session: GeneratorSession, rows: Mapping[str, Any]) -> dict[str, Any]:
    """What `inversion.evaluation.scales` reads: of bundled generators and of the methods that were measured.

    Args:
        session: the generator of the rows.
        rows: figures as `measure` leaves them.
    """
    inversions = []
    for name, row in rows.items():
        inside, outside = (values(rows, name, kind, "realism", list(row.get(kind, {}))) for kind in (INSIDE, OUTSIDE))
        if len(inside) < ENOUGH:
            continue
        about = METHODS[row["method"]].checked(row["settings"])
        if about.get("encoder", "bundled") != "bundled":
            continue
        one = {"method": row["method"], "space": about.get("space", ""), "steps": about.get("steps", 1)}
        one |= {"pictures": len(inside), "median": float(np.median(inside)), "most": float(np.quantile(inside, MOST))}
        if len(outside) >= ENOUGH:
            one["outside"] = float(np.median(outside))
            one["told apart"] = separation(inside, outside)
        inversions.append(one)
    return {
        "generator": session.name,
        "codes": {name: _codes(load(name)) for name in GENERATORS},
        "inversions": inversions,
    }


def separation(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """How often a picture outside has more than one inside, ties by half: 0.5 is chance, 1 is always (the AUC)."""
    more = outside[:, None] > inside[None]
    same = outside[:, None] == inside[None]
    return float((more + same / 2).mean())


def _codes(session: GeneratorSession) -> dict[str, float]:
    w = sample_w(session, CODES, seed=SEED)
    far = code_statistics(session).mahalanobis(flat_styles(session, "w", w))
    return {name: float(np.quantile(far, share)) for name, share in QUANTILES.items()}
