"""Sentences and pictures in one space: `load()` gives the small encoder that ships, or a public CLIP network.

from stylewidgets import text

encoder = text.load()
text.similarity(encoder.texts(["a smiling face"]), encoder.pictures(pictures))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .clip.network import pooled
    from .clip.published import start_download
    from .encoder import Pair, TextEncoder, change, similarity
    from .loading import load, names
    from .ranking import Found, find, rank

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "encoder": "Pair TextEncoder change similarity",
        "clip.network": "pooled",
        "clip.published": "start_download",
        "loading": "load names",
        "ranking": "Found find rank",
    },
)
