"""Measures of generators: distributions, coverage, smoothness, memorisation. Those that see through the factor network of the
avatars live in `stylewidgets.avatars.scoring` and are found here by name as well."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .equivariance import translation_equivariance
from .frechet import frechet, frechet_gaussian
from .precision_recall import precision_recall

if TYPE_CHECKING:
    from ..avatars.scoring.distributions import (
        Distance,
        circular_wasserstein,
        factor_distances,
        total_variation,
        wasserstein,
    )
    from ..avatars.scoring.edits import EditReport, edit_report
    from ..avatars.scoring.features import Look, look, perceptual_distance
    from ..avatars.scoring.neighbours import Neighbours, nearest, nearest_renders
    from ..avatars.scoring.path_length import path_length

__all__ = [
    "Distance",
    "EditReport",
    "Look",
    "Neighbours",
    "circular_wasserstein",
    "edit_report",
    "factor_distances",
    "frechet",
    "frechet_gaussian",
    "look",
    "nearest",
    "nearest_renders",
    "path_length",
    "perceptual_distance",
    "precision_recall",
    "total_variation",
    "translation_equivariance",
    "wasserstein",
]

_OF_AVATARS = {
    "distributions": ("Distance", "circular_wasserstein", "factor_distances", "total_variation", "wasserstein"),
    "edits": ("EditReport", "edit_report"),
    "features": ("Look", "look", "perceptual_distance"),
    "neighbours": ("Neighbours", "nearest", "nearest_renders"),
    "path_length": ("path_length",),
}


def __getattr__(name: str) -> object:
    # Only by name, at first use: this room stands below the avatars.
    for module, names in _OF_AVATARS.items():
        if name in names:
            return getattr(import_module(f"stylewidgets.avatars.scoring.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
