"""The factor network lives in `stylewidgets.avatars.reading.factor_net`; these are its names for the commands that train."""

from __future__ import annotations

from ..avatars.reading.factor_net import (
    BUNDLED,
    FORMAT,
    KIND,
    FactorRegressor,
    Head,
    load_regressor,
    make_heads,
    resize,
    save_regressor,
)

__all__ = [
    "BUNDLED",
    "FORMAT",
    "KIND",
    "FactorRegressor",
    "Head",
    "load_regressor",
    "make_heads",
    "resize",
    "save_regressor",
]
