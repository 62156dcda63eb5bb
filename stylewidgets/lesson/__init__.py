"""The lesson on inversion (notebook 04): its checks, its pictures, and what moves in it. ``lesson = sw.lesson``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from . import checks
    from .challenge import Challenge, three
    from .channels import channel_figure
    from .mending import Broken, broken
    from .ours import losses_of, use
    from .pictures import curves, map_of, row
    from .plane import Landscape, landscape
    from .tradeoff import Measured, measured
    from .views.chain import Chain
    from .views.easel import Easel
    from .views.path import PathPlayer

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "challenge": "Challenge three",
        "channels": "channel_figure",
        "plane": "Landscape landscape",
        "tradeoff": "Measured measured",
        "mending": "Broken broken",
        "ours": "losses_of use",
        "pictures": "curves map_of row",
        "views.chain": "Chain",
        "views.easel": "Easel",
        "views.path": "PathPlayer",
        "checks": "",
    },
)
