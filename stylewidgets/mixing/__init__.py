"""Style mixing: some layers of a picture from one source, the rest from another (Karras et al., CVPR 2019, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .cells import mix, mix_cell
    from .figures import figure, save_figure, sheet
    from .grid import HEADER, MixGrid, Place, check_grid
    from .renderer import GridRenderer
    from .sources import as_source, convert_mask, layer_mask, mask_of

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "cells": "mix mix_cell",
        "figures": "figure save_figure sheet",
        "grid": "HEADER MixGrid Place check_grid",
        "renderer": "GridRenderer",
        "sources": "as_source convert_mask layer_mask mask_of",
    },
)
