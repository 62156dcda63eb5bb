"""From a latent to bytes on the wire: ladder, pump, encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from ..film import export, mp4, video
    from .renderer import LiveRenderer

# Films were in this room once, and are found by their names still.
__getattr__, __dir__, __all__ = attach(__name__, {"renderer": "LiveRenderer", "..film": "video mp4 export"})
