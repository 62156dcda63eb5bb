"""Measures of generators and of edits: distributions, coverage, smoothness, memorisation, attribute dependency."""

from __future__ import annotations

from .distributions import Distance, circular_wasserstein, factor_distances, total_variation, wasserstein
from .edits import EditReport, edit_report
from .equivariance import translation_equivariance
from .features import Look, look, perceptual_distance
from .frechet import frechet, frechet_gaussian
from .neighbours import Neighbours, nearest, nearest_renders
from .path_length import path_length
from .precision_recall import precision_recall

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
