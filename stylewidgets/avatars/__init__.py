"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .drawing.camera import Camera
    from .drawing.renderer import (
        LANDMARKS,
        OUTPUTS,
        REGIONS,
        Render,
        render,
    )
    from .drawing.truth import body_uv, head_uv
    from .reading.estimates import Estimate, estimate
    from .world.captions import caption
    from .world.correlations import (
        CORRELATIONS,
        correlate,
        correlation_matrix,
        mix,
    )
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

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "drawing.camera": "Camera",
        "drawing.renderer": "LANDMARKS OUTPUTS REGIONS Render render",
        "drawing.truth": "body_uv head_uv",
        "reading.estimates": "Estimate estimate",
        "world.captions": "caption",
        "world.correlations": "CORRELATIONS correlate correlation_matrix mix",
        "world.dataset": "AvatarDataset",
        "world.edits": "edit_factors edit_truth",
        "world.factors": "EMBED_SIZE FACTORS INDEX NUM_FACTORS Factor by_name defaults embed from_uniform sample",
    },
)
