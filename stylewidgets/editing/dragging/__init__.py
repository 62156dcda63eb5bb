"""Dragging points of a picture (DragGAN)."""

from __future__ import annotations

from ...core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"settings": "METHOD SETTINGS", "run": "Drag drag", "way": "Way"})
