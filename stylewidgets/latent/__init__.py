"""One picture as a value: `Latent`, with codes, directions, edits and the view. Knows no torch module."""

from __future__ import annotations

from .latent import MAX_SEED, NOISE_MODES, SPACES, Code, Direction, Edit, Latent
from .view import IDENTITY, Transform

__all__ = ["IDENTITY", "MAX_SEED", "NOISE_MODES", "SPACES", "Code", "Direction", "Edit", "Latent", "Transform"]
