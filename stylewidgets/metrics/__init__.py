"""Measures of generators and of edits: distributions, coverage, smoothness, memorisation, attribute dependency."""

from __future__ import annotations

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
from .coverage import precision_recall
from .equivariance import translation_equivariance
from .frechet_distance import frechet, frechet_gaussian

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
