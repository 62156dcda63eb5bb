"""Generator families as plain torch modules, a folder for each, and the protocol that all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .families import Family, register
    from .protocol import Generator, HasLayers, HasPreview, HasScene, HasSource, HasView, Layer, Rays, State
    from .style_based import StyleBased

# At first use: what a layer is can be known without torch.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "families": "Family register",
        "protocol": "Generator HasLayers HasPreview HasScene HasSource HasView Layer Rays State",
        "style_based": "StyleBased",
        **dict.fromkeys(("config", "identity", "layers", "mapping", "noise"), ""),
    },
)
