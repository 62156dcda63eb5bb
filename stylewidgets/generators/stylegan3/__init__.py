"""StyleGAN3 (Karras et al., NeurIPS 2021)."""

from __future__ import annotations

from .config import StyleGAN3Config, infer_config
from .generator import StyleGAN3

__all__ = ["StyleGAN3", "StyleGAN3Config", "infer_config"]
