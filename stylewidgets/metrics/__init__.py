"""Measures of generators: distributions, coverage, smoothness, memorisation. Those that see through the factor network of the
avatars live in `stylewidgets.avatars.scoring` and are found here by name as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

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
    from .colour import cielab, colour_difference
    from .coverage import precision_recall
    from .equivariance import translation_equivariance
    from .frechet_distance import frechet, frechet_gaussian

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "colour": "cielab colour_difference",
        "equivariance": "translation_equivariance",
        "frechet_distance": "frechet frechet_gaussian",
        "coverage": "precision_recall",
        # only by name, at first use: this room stands below the avatars
        "..avatars.scoring.distributions": "Distance circular_wasserstein factor_distances total_variation wasserstein",
        "..avatars.scoring.edits": "EditReport edit_report",
        "..avatars.scoring.features": "Look look perceptual_distance",
        "..avatars.scoring.neighbours": "Neighbours nearest nearest_renders",
        "..avatars.scoring.path_length": "path_length",
    },
)
