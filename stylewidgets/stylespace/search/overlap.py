"""How well gradient maps fit regions, summed over pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ATTENUATION = 2.0  # the d of the paper's overlap coefficient n / o^d: a small region counts for more than a large one


class Overlaps:
    """Sums over pictures for every channel and region; `with_picture` returns new ones.

    A channel's gradient map is cut at the height that leaves as many cells as the region has (o); n of them lie in the
    region. The overlap coefficient is n / o² (Wu et al., 2021); the region with the largest one wins the picture.
    """

    def __init__(self, regions: int, channels: int) -> None:
        self.regions, self.channels, self.pictures = regions, channels, 0
        self._present = np.zeros(regions)
        self._wins, self._fit, self._inside, self._strength = (np.zeros((channels, regions)) for _ in range(4))

    def with_picture(self, maps: NDArray[np.float32], cells: NDArray[np.uint8]) -> Overlaps:
        """With one more picture: gradient maps [S, h, w] and labels [h, w] of the same cells."""
        new = Overlaps(self.regions, self.channels)
        flat, labels = maps.reshape(len(maps), -1), cells.reshape(-1)
        rank = np.empty(flat.shape, np.int32)
        np.put_along_axis(
            rank, np.argsort(-flat, axis=1, kind="stable"), np.arange(flat.shape[1], dtype=np.int32)[None], axis=1
        )
        areas = np.bincount(labels, minlength=self.regions)[: self.regions]
        fit, inside, strength = (np.zeros_like(self._fit) for _ in range(3))
        whole = np.maximum(flat.sum(axis=1), 1e-30)
        for region in np.flatnonzero(areas):
            members = labels == region
            fit[:, region] = (rank[:, members] < areas[region]).sum(axis=1)
            inside[:, region] = flat[:, members].sum(axis=1) / whole
            strength[:, region] = flat[:, members].mean(axis=1)
        coefficient = fit / np.maximum(areas, 1) ** ATTENUATION
        wins = np.zeros_like(fit)
        wins[np.arange(len(fit)), coefficient.argmax(axis=1)] = 1
        wins[~flat.any(axis=1)] = 0  # a channel that does nothing fits nowhere
        new.pictures, new._present = self.pictures + 1, self._present + (areas > 0)
        new._wins, new._fit = self._wins + wins, self._fit + fit / np.maximum(areas, 1)
        new._inside, new._strength = self._inside + inside, self._strength + strength
        return new

    def share(self) -> NDArray[np.float64]:
        """[S, regions]: in which share of the pictures that have the region it wins; NaN for one that is in none."""
        return self._wins / np.where(self._present > 0, self._present, np.nan)

    def overlap(self, region: int) -> NDArray[np.float64]:
        """[S]: mean share of the channel's strongest cells that lie in the region."""
        return self._mean(self._fit, region)

    def inside(self, region: int) -> NDArray[np.float64]:
        """[S]: mean share of the whole gradient that lies in the region."""
        return self._mean(self._inside, region)

    def strength(self, region: int) -> NDArray[np.float64]:
        """[S]: mean gradient in the region."""
        return self._mean(self._strength, region)

    def _mean(self, sums: NDArray[np.float64], region: int) -> NDArray[np.float64]:
        count = self._present[region]
        return np.asarray(sums[:, region] / count if count else np.full(self.channels, np.nan))
