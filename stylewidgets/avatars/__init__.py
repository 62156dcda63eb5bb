"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from stylewidgets.avatars.factors import FACTORS, INDEX, NUM_FACTORS, Factor, defaults, embed, from_uniform, sample

__all__ = ["FACTORS", "INDEX", "NUM_FACTORS", "Factor", "defaults", "embed", "from_uniform", "sample"]
