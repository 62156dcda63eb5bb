"""StyleFlow: attributes moved by a conditional normalising flow (Abdal et al., ACM TOG 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from ...latent.flow import FlowEdit
    from .machine import Flow

__getattr__, __dir__, __all__ = attach(__name__, {"machine": "Flow", "...latent.flow": "FlowEdit"})
