"""StyleGAN2 (Karras et al., CVPR 2020)."""

from __future__ import annotations

from .config import StyleGAN2Config, infer_config
from .generator import StyleGAN2

__all__ = ["StyleGAN2", "StyleGAN2Config", "infer_config"]
