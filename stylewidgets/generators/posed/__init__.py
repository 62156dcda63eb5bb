"""Pose with Style: a person in another pose."""

from __future__ import annotations

from .config import PosedConfig, infer_config
from .generator import Posed

__all__ = ["Posed", "PosedConfig", "infer_config"]
