"""Faces in photographs: found, and cropped as FFHQ is."""

from __future__ import annotations

from ...core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"align": "", "mtcnn": ""})
