"""`GeneratorSession`, the only door to a model, and `load`, which makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .session import GeneratorSession

# At first use: torch takes seconds, and a widget whose session draws elsewhere needs none.
__getattr__, __dir__, __all__ = attach(__name__, {"session": "GeneratorSession", "load": ""})
