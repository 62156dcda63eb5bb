"""Machines that edit: each is an `Editor`, whose kind is made known to sessions by `register`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .dragging import Drag, Way, drag
    from .flow import Flow, FlowEdit
    from .parts.catalogue import Catalogue
    from .parts.gallery import Gallery
    from .parts.index import GalleryIndex
    from .parts.parts import Parts
    from .protocol import Editor, register
    from .rig import Rig, RigEdit
    from .words import Mapper, Words

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "dragging": "Drag Way drag",
        "flow": "Flow FlowEdit",
        "parts": "",
        "parts.catalogue": "Catalogue",
        "parts.gallery": "Gallery",
        "parts.index": "GalleryIndex",
        "parts.parts": "Parts",
        "protocol": "Editor register",
        "rig": "Rig RigEdit",
        "words": "Mapper Words",
    },
)
