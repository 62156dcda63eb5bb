"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stylewidgets.avatars.camera import Camera
from stylewidgets.avatars.captions import caption
from stylewidgets.avatars.correlations import CORRELATIONS, correlate, correlation_matrix, mix
from stylewidgets.avatars.dataset import AvatarDataset
from stylewidgets.avatars.edits import edit_factors, edit_truth
from stylewidgets.avatars.factors import (
    EMBED_SIZE,
    FACTORS,
    INDEX,
    NUM_FACTORS,
    Factor,
    by_name,
    defaults,
    embed,
    from_uniform,
    sample,
)
from stylewidgets.avatars.renderer import LANDMARKS, OUTPUTS, REGIONS, Render, render
from stylewidgets.avatars.truth import body_uv, head_uv

if TYPE_CHECKING:
    from stylewidgets.avatars.estimates import Estimate, estimate

__all__ = [
    "CORRELATIONS",
    "EMBED_SIZE",
    "FACTORS",
    "INDEX",
    "LANDMARKS",
    "NUM_FACTORS",
    "OUTPUTS",
    "REGIONS",
    "AvatarDataset",
    "Camera",
    "Estimate",
    "Factor",
    "Render",
    "body_uv",
    "by_name",
    "caption",
    "correlate",
    "correlation_matrix",
    "defaults",
    "edit_factors",
    "edit_truth",
    "embed",
    "estimate",
    "from_uniform",
    "head_uv",
    "mix",
    "render",
    "sample",
]


def __getattr__(name: str) -> Any:
    # The factor network is a file of its own: whoever only draws avatars does not need it.
    if name in ("Estimate", "estimate"):
        return getattr(import_module("stylewidgets.avatars.estimates"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
