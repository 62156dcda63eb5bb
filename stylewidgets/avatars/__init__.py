"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .drawing.camera import Camera
from .drawing.renderer import LANDMARKS, OUTPUTS, REGIONS, Render, render
from .drawing.truth import body_uv, head_uv
from .world.captions import caption
from .world.correlations import CORRELATIONS, correlate, correlation_matrix, mix
from .world.dataset import AvatarDataset
from .world.edits import edit_factors, edit_truth
from .world.factors import (
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

if TYPE_CHECKING:
    from .reading.estimates import Estimate, estimate

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
        return getattr(import_module("stylewidgets.avatars.reading.estimates"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
