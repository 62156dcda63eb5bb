"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .domain import READER_VERSION, WORLD_VERSION
    from .drawing.camera import Camera
    from .drawing.renderer import LANDMARKS, OUTPUTS, REGIONS, Render, render
    from .drawing.truth import body_uv, head_uv
    from .reading.estimates import Estimate, estimate
    from .world.captions import caption
    from .world.correlations import correlate, correlation_matrix, mix
    from .world.dataset import AvatarDataset
    from .world.edits import edit_factors, edit_truth
    from .world.factors import CORRELATIONS, EMBED_SIZE, FACTORS, INDEX, NUM_FACTORS, Factor
    from .world.groups import Group, register_group
    from .world.rows import by_name, defaults, embed, from_uniform
    from .world.sampling import sample

_NAMES = {
    "domain": ("READER_VERSION", "WORLD_VERSION"),
    "drawing.camera": ("Camera",),
    "drawing.renderer": ("LANDMARKS", "OUTPUTS", "REGIONS", "Render", "render"),
    "drawing.truth": ("body_uv", "head_uv"),
    "reading.estimates": ("Estimate", "estimate"),
    "world.captions": ("caption",),
    "world.correlations": ("correlate", "correlation_matrix", "mix"),
    "world.dataset": ("AvatarDataset",),
    "world.edits": ("edit_factors", "edit_truth"),
    "world.factors": ("CORRELATIONS", "EMBED_SIZE", "FACTORS", "INDEX", "NUM_FACTORS", "Factor"),
    "world.groups": ("Group", "register_group"),
    "world.rows": ("by_name", "defaults", "embed", "from_uniform"),
    "world.sampling": ("sample",),
}

__all__ = [
    "CORRELATIONS",
    "EMBED_SIZE",
    "FACTORS",
    "INDEX",
    "LANDMARKS",
    "NUM_FACTORS",
    "OUTPUTS",
    "READER_VERSION",
    "REGIONS",
    "WORLD_VERSION",
    "AvatarDataset",
    "Camera",
    "Estimate",
    "Factor",
    "Group",
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
    "register_group",
    "render",
    "sample",
]


def __getattr__(name: str) -> object:
    # At first use: torch takes seconds, and a session on another machine asks only what the domain is called.
    for module, names in _NAMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
