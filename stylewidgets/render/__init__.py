"""From a latent to bytes on the wire: ladder, pump, encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .renderer import LiveRenderer

__getattr__, __dir__, __all__ = attach(__name__, {"renderer": "LiveRenderer"})
