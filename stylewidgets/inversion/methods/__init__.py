"""The optimisations, a file for each method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from . import hybrid, image2stylegan_pp, pivotal, two_phases

__getattr__, __dir__, __all__ = attach(
    __name__, {"hybrid": "", "image2stylegan_pp": "", "pivotal": "", "two_phases": ""}
)
