"""Style mixing: some layers of a picture from one source, the rest from another (Karras et al., CVPR 2019, section 3.1)."""

from __future__ import annotations

from .cells import as_source, check_grid, convert_mask, layer_mask, mask_of, mix, mix_cell
from .figures import figure, save_figure, sheet
from .grid import HEADER, MixGrid, Place
from .renderer import GridRenderer

__all__ = [
    "HEADER",
    "GridRenderer",
    "MixGrid",
    "Place",
    "as_source",
    "check_grid",
    "convert_mask",
    "figure",
    "layer_mask",
    "mask_of",
    "mix",
    "mix_cell",
    "save_figure",
    "sheet",
]
