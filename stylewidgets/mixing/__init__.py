"""Style mixing: some layers of a picture from one source, the rest from another (Karras et al., CVPR 2019, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .cells import as_source, check_grid, convert_mask, layer_mask, mask_of, mix, mix_cell
    from .figures import figure, save_figure, sheet
    from .grid import HEADER, MixGrid, Place
    from .renderer import GridRenderer

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "cells": "as_source check_grid convert_mask layer_mask mask_of mix mix_cell",
        "figures": "figure save_figure sheet",
        "grid": "HEADER MixGrid Place",
        "renderer": "GridRenderer",
    },
)
