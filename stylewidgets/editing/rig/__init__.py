"""StyleRig: pose, expression and light by their values (Tewari et al., CVPR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from ...latent.rig import RigEdit
    from .machine import Rig

__getattr__, __dir__, __all__ = attach(__name__, {"machine": "Rig", "...latent.rig": "RigEdit"})
