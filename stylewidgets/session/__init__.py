"""`GeneratorSession`, the only door to a model, and `load`, which makes one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load import load
    from .session import GeneratorSession

__all__ = ["GeneratorSession", "load"]


def __getattr__(name: str) -> object:
    # At first use: torch takes seconds, and a widget whose session draws elsewhere needs none.
    if name == "GeneratorSession":
        return import_module(".session", __name__).GeneratorSession
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
