"""Local edits: the eyes of one picture in another (Editing in Style, Retrieve in Style)."""

from __future__ import annotations

from ...core.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "catalogue": "Catalogue",
        "clusters": "Clusters cluster",
        "fitting": "",
        "gallery": "Gallery",
        "index": "GalleryIndex",
        "parts": "Parts",
        "published": "",
        "rules": "",
    },
)
