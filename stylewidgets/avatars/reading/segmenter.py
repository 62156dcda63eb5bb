"""Which pixel shows what, for generators of avatars: the factors are read off the picture and drawn again."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..drawing.renderer import REGIONS, render
from ..world.factors import FACTORS
from .factor_net import FactorRegressor, load_regressor

MERGED = {"mouth_inner": "mouth", "eye_right": "eyes", "eye_left": "eyes"}
"""Regions that are too small for the cells of a search, and what they are counted with."""


class AvatarSegmenter:
    """A picture uint8 [H, W, 3] → labels uint8 [H, W], an index into `names`.

    The factor network reads the factors of the picture, and the segmentation of the avatar with these factors is drawn: exact
    for what was drawn, off by as much as the reading is for the picture.

    Args:
        regressor: a `FactorRegressor`; None for the bundled one.
        merge: lips with the inner mouth and the two eyes are one region each.
    """

    def __init__(self, regressor: FactorRegressor | None = None, *, merge: bool = True) -> None:
        self._regressor = regressor
        wanted = [MERGED.get(name, name) if merge else name for name in REGIONS]
        self.names: tuple[str, ...] = tuple(dict.fromkeys(wanted))
        self._index = np.array([self.names.index(name) for name in wanted], np.uint8)

    def factors(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Factors [n, F] of pictures uint8 [n, H, W, 3] in natural units, within their ranges."""
        if self._regressor is None:
            self._regressor = load_regressor()  # not before it is asked: a list of the names must be quick
        x = (torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() - 127.5) / 127.5
        found = self._regressor.predict(x)
        columns = [
            np.clip(found[f.name], f.low, f.high) if f.name in found else np.full(len(x), f.default) for f in FACTORS
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Labels [H, W] of one picture."""
        factors = torch.from_numpy(self.factors(picture[None]))
        drawn = render(factors, max(picture.shape[:2]), outputs=("segmentation",)).segmentation[0].cpu().numpy()
        labels: NDArray[np.uint8] = self._index[drawn]
        return labels
