"""Codes and directions of other tools: read, and written so that those tools read them. Nothing in a file is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .codes import read_latent, read_latents
    from .vectors import read_directions
    from .writing import save_code, save_direction

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"codes": "read_latent read_latents", "vectors": "read_directions", "writing": "save_code save_direction"},
)
