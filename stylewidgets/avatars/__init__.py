"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from stylewidgets.avatars.dataset import AvatarDataset, caption
from stylewidgets.avatars.factors import (
    EMBED_SIZE,
    FACTORS,
    INDEX,
    NUM_FACTORS,
    Factor,
    defaults,
    embed,
    from_uniform,
    sample,
)
from stylewidgets.avatars.renderer import LANDMARKS, REGIONS, Render, render

__all__ = ["EMBED_SIZE", "FACTORS", "INDEX", "LANDMARKS", "NUM_FACTORS", "REGIONS", "AvatarDataset", "Factor", "Render",
           "caption", "defaults", "embed", "from_uniform", "render", "sample"]
