"""Generator families as plain torch modules, a folder for each, and the protocol that all of them share."""

from __future__ import annotations

from .protocol import Generator, Layer, State

__all__ = ["Generator", "Layer", "State"]
