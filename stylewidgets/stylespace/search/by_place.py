"""A ranking of channels by place, as a value. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..channel import Channel
from .overlap import Overlaps
from .ranking import Ranking, ranked
from .regions import index_of

VISIBLE = 0.25
"""Grey levels of 255 in the region by one σ that a channel must move to be ranked before those that nobody would see."""

Floats = NDArray[np.floating]
QUICK = 16
"""Random projections of the first estimate."""


@dataclass(frozen=True, eq=False, repr=False)
class LocalRanking(Ranking):
    """A ranking by place, complete or on the way.

    `values` is the share of the channel's strongest cells that lie in the region, 0 to 1: as many cells count as the region
    has, so 1 is a perfect fit. While `stage` is "quick" it is an estimate: the share of the gradient's energy.
    `table` has "inside" (share of the whole change that lies in the region) and "strength" (mean change in the region by
    one σ, in grey levels of 255), and with several regions "wins": share of the pictures in which this region is the one that
    the channel fits best.

    Attributes:
        stage: "quick" or "maps".
        regions: names of the labels.
        target: label that was asked for.
        pictures: how many pictures are in it.
        share: float32 [S, regions], for each label the share of the pictures in which it wins (NaN where it is in none).
    """

    stage: str = "quick"
    regions: tuple[str, ...] = ()
    target: int = 1
    pictures: int = 0
    share: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    overlaps: Overlaps | None = None
    include_torgb: bool = False

    def accepted(self, share: float = 0.5, margin: float = 0.25) -> tuple[Channel, ...]:
        """The locally active channels by the paper's rule: the region wins in more than `share` of the pictures, and in
        `margin` more than any other region. In the order of the ranking."""
        if not self.share.size:
            return ()
        own = self.share[:, self.target]
        others = np.nan_to_num(np.delete(self.share, self.target, axis=1), nan=0.0).max(axis=1, initial=0.0)
        good = np.nan_to_num(own, nan=0.0) > share
        good &= np.nan_to_num(own, nan=0.0) - others > margin
        return tuple(Channel.of(i, self.layers) for i in self.order if good[i])

    def for_region(self, target: str | int) -> LocalRanking:
        """The same maps, ranked for another label. ValueError where there is none, or no maps yet."""
        if self.overlaps is None:
            raise ValueError("the maps are not there yet; take a later ranking of the search")
        found = from_maps(self.overlaps, index_of(target, self.regions), self)
        return replace(found, done=self.done, total=self.total)


def from_maps(overlaps: Overlaps, target: int, like: LocalRanking) -> LocalRanking:
    """What the maps of whole pictures say of a label; the rest is as in `like`."""
    share, overlap = overlaps.share(), overlaps.overlap(target)
    inside, strength = overlaps.inside(target), overlaps.strength(target) * 127.5
    wins = {"wins": share[:, target]} if len(like.regions) > 2 else {}
    return replace(
        ordered(like, overlap, strength, inside, **wins),
        stage="maps",
        pictures=overlaps.pictures,
        share=share.astype(np.float32),
        overlaps=overlaps,
        target=target,
    )


def ordered(like: LocalRanking, values: Floats, strength: Floats, inside: Floats, **wins: Floats) -> LocalRanking:
    """By `wins` if there are several regions, then by value, then by `inside`; after all of them what nobody would see."""
    found = ranked("overlap", like.layers, values, torgb=like.include_torgb, inside=inside, strength=strength, **wins)
    best_last = (inside, values, *wins.values())
    order = np.lexsort((*(-np.nan_to_num(key) for key in best_last), strength < VISIBLE))
    order = order[np.isin(order, found.order)]
    return replace(like, values=found.values, order=order, sign=found.sign, table=found.table)
