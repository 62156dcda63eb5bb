"""What identifies the weights that directions were found in."""

from __future__ import annotations

from ..generators.identity import fingerprint

__all__ = ["fingerprint"]
