"""StyleGAN (Karras et al., CVPR 2019)."""

from __future__ import annotations

from .config import StyleGAN1Config, infer_config
from .generator import StyleGAN1

__all__ = ["StyleGAN1", "StyleGAN1Config", "infer_config"]
