"""Encoders: networks that answer with a code at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from . import runs

__getattr__, __dir__, __all__ = attach(__name__, {"runs": ""})
