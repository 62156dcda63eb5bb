"""Animation between latents, and files of it."""

from __future__ import annotations

from ..core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"video": "", "mp4": "", "export": ""})
