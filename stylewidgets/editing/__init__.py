"""Machines that edit: each is an `Editor`, whose kind is made known to sessions by `register`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .flow import Flow, FlowEdit
    from .protocol import Editor, register
    from .words import Mapper, Words

__getattr__, __dir__, __all__ = attach(
    __name__, {"flow": "Flow FlowEdit", "protocol": "Editor register", "words": "Mapper Words"}
)
