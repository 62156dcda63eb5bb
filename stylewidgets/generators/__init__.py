"""Generator families as plain torch modules, a folder for each, and the protocol that all of them share."""

from __future__ import annotations

from .families import Family, register
from .protocol import Generator, HasLayers, HasPreview, HasScene, HasSource, HasView, Layer, Rays, State
from .style_based import StyleBased

__all__ = [
    "Family",
    "Generator",
    "HasLayers",
    "HasPreview",
    "HasScene",
    "HasSource",
    "HasView",
    "Layer",
    "Rays",
    "State",
    "StyleBased",
    "register",
]
