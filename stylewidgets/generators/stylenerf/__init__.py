"""StyleNeRF: scenes in space, told by w."""

from __future__ import annotations

from .config import StyleNeRFConfig, infer_config
from .generator import StyleNeRF
from .rendering import RenderOptions

__all__ = ["RenderOptions", "StyleNeRF", "StyleNeRFConfig", "infer_config"]
