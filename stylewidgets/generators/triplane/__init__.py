"""Tri-planes: EG3D (Chan et al., CVPR 2022)."""

from __future__ import annotations

from .config import TriPlaneConfig, infer_config
from .generator import TriPlane

__all__ = ["TriPlane", "TriPlaneConfig", "infer_config"]
