"""Style mixing: some layers of a picture from one source, the rest from another (Karras et al., CVPR 2019, section 3.1)."""

from __future__ import annotations

from .figure import figure, save_figure, sheet
from .grid import HEADER, MixGrid, Place, check_grid
from .mix import mix, mix_cell
from .renderer import GridRenderer
from .sources import as_source, convert_mask, layer_mask, mask_of

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
