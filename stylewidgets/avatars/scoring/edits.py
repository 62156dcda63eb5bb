"""What an edit of avatars did: the wanted factor, everything else (attribute dependency), and who it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.checks import unknown_name
from ..reading.calibration import residual
from ..reading.estimates import Errors, as_pictures, reader
from ..reading.factor_net import FactorRegressor, factor_of
from ..reading.reader import READABLE
from ..world.factors import FACTORS, INDEX, NAMES, Factor
from .changes import deviation
from .features import look

Array = NDArray[np.float64]

IDENTITY = (
    "skin_tone",
    "face_width",
    "jaw",
    "hair_style",
    "hair_hue",
    "hair_lightness",
    "eye_size",
    "iris_hue",
    "brow_thickness",
    "nose_size",
    "beard",
)
"""The factors that say who it is, whatever the pose, the light, the expression and the clothes."""


@dataclass(frozen=True, eq=False)
class EditReport:
    """What the factor network reads of an edit, as means over N pairs of pictures.

    Attributes:
        wanted: the factor, or "factor: category".
        moved: its change in natural units (degrees the shorter way round; of a category the change of its probability).
        moved_sigma: its change in standard deviations of the avatar world (of a category: of its log-odds).
        others: |change| / σ of every other factor, by name, the largest first. A factor with several readings (sine and
            cosine, one log-odds a category) counts once, at the one that moves most.
        dependency: mean attribute dependency, the mean over pictures and other factors of |change| / σ (Wu et al. 2021).
        dependency_max: the mean over pictures of the largest of them.
        identity: cosine of the standardised readings of `IDENTITY` without the wanted factor: 1 the same person, about 0
            two at random.
    """

    wanted: str
    moved: float
    moved_sigma: float
    others: dict[str, float]
    dependency: float
    dependency_max: float
    identity: float

    @property
    def relative(self) -> float:
        """Mean attribute dependency for each σ that the wanted factor moved; infinite when it did not move."""
        size = abs(self.moved_sigma)
        return self.dependency / size if size > 1e-9 else float("inf")

    def __str__(self) -> str:
        worst = next(iter(self.others), "")
        most = f", most {worst.replace('_', ' ')} {self.others[worst]:.2f} σ" if worst else ""
        return (
            f"{self.wanted.replace('_', ' ')} {self.moved:+.3g} ({self.moved_sigma:+.2f} σ) · others "
            f"{self.dependency:.2f} σ{most} ({self.relative:.2f} per σ wanted) · identity {self.identity:.2f}"
        )


def edit_report(before: object, after: object, wanted: str, network: str | Path | None = None) -> EditReport:
    """Measure an edit on pictures of avatars.

    Args:
        before, after: as many pictures each, as `avatars.estimate` takes them.
        wanted: the factor that was to change ("smile", "hat"), or one of its categories ("hat: cap"). A categorical factor
            alone means any category but "none".
        network: as in `avatars.estimate`.

    Raises:
        ValueError: unknown names, with the nearest one; a categorical factor without "none" and no category; different
            numbers of pictures.
    """
    net, errors = reader(network)
    factor, category = _wanted(wanted)
    first, second = as_pictures(before), as_pictures(after)
    if len(first) != len(second) or not len(first):
        raise ValueError(f"as many pictures before as after are needed; {len(first)} and {len(second)} were given")
    raw = [look(net, x).raw for x in (first, second)]
    scores = [_standardised(net.readings(x), errors) for x in raw]
    change = {name: np.abs(scores[1][name] - scores[0][name]) for name in scores[0]}
    groups: dict[str, list[Array]] = {}
    for name, values in change.items():
        groups.setdefault(factor_of(name), []).append(values)
    strongest = {
        name: np.max(rows, axis=0)
        for name, rows in groups.items()
        if name != factor.name and errors.factors[name].score >= READABLE
    }
    table = np.stack(list(strongest.values()))
    others = {name: float(values.mean()) for name, values in strongest.items()}
    moved, in_sigma = _moved(net, errors, raw, scores, factor, category)
    return EditReport(
        wanted,
        moved,
        in_sigma,
        dict(sorted(others.items(), key=lambda item: -item[1])),
        float(table.mean()),
        float(table.max(axis=0).mean()),
        float(_identity(scores, factor.name, errors).mean()),
    )


def _wanted(wanted: str) -> tuple[Factor, str]:
    name, _, category = (part.strip() for part in wanted.partition(":"))
    if name not in INDEX:
        raise unknown_name("factor", name, NAMES)
    factor = FACTORS[INDEX[name]]
    if factor.kind != "categorical" and category:
        raise ValueError(f"{name} has no categories; give {name!r} alone")
    if factor.kind == "categorical" and category and category not in factor.categories:
        raise unknown_name(name, category, factor.categories)
    if factor.kind == "categorical" and not category and "none" not in factor.categories:
        raise ValueError(
            f"say which category of {name} was wanted, as in '{name}: {factor.categories[0]}'; "
            f"there are {', '.join(factor.categories)}"
        )
    return factor, category


def _moved(
    net: FactorRegressor,
    errors: Errors,
    raw: list[torch.Tensor],
    scores: list[dict[str, Array]],
    factor: Factor,
    category: str,
) -> tuple[float, float]:
    """Mean change of the wanted factor in natural units and in standard deviations."""
    name = factor.name
    if factor.kind == "categorical":
        sign, chosen = (1, category) if category else (-1, "none")
        column = factor.categories.index(chosen)
        before, after = (net.probabilities(x)[name][:, column] for x in raw)
        key = f"{name}: {chosen}"
        return sign * float((after - before).mean()), sign * float((scores[1][key] - scores[0][key]).mean())
    before, after = (net.natural(x)[name] for x in raw)
    way = float(residual(factor.kind, after, before).mean())
    if factor.kind == "circular":
        return way, way / deviation(factor)
    return way, way / errors.readings[name][1]


def _standardised(scores: dict[str, Any], errors: Errors) -> dict[str, Array]:
    """Readings [N] in standard deviations from the mean of the avatar world."""
    return {
        name: (values.astype(np.float64) - errors.readings[name][0]) / max(errors.readings[name][1], 1e-9)
        for name, values in scores.items()
    }


def same_person(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Cosines [N] of the standardised readings of `IDENTITY` of pictures [N, 3, H, W]: 1 the same head, about 0 two at
    random."""
    net, errors = reader()
    scores = [_standardised(net.readings(look(net, as_pictures(x)).raw), errors) for x in (a, b)]
    return torch.from_numpy(_identity(scores, "", errors))


def _identity(scores: list[dict[str, Array]], wanted: str, errors: Errors) -> Array:
    names = [
        name
        for name in scores[0]
        if factor_of(name) in IDENTITY
        and factor_of(name) != wanted
        and errors.factors[factor_of(name)].score >= READABLE
    ]
    before, after = (np.stack([s[name] for name in names], axis=1) for s in scores)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.asarray((before * after).sum(axis=1) / np.maximum(lengths, 1e-12))
