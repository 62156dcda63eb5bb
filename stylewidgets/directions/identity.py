"""What identifies the weights that directions were found in."""

from __future__ import annotations

from ..session.inside import module_fingerprint as fingerprint

__all__ = ["fingerprint"]
