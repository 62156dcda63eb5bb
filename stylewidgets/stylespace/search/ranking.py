"""The outcome of a search: a number for every channel, and the channels in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..channel import Channel, is_torgb

if TYPE_CHECKING:
    from ...generators.protocol import Layer

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Channels in the order of a measure.

    Attributes:
        measure: what `values` are, in words.
        layers: of the session.
        values: float32 [S], one for each channel; NaN where it is not known or not ranked (ToRGB by default).
        order: indices in the flat s, best first; those with NaN are not in it.
        sign: float32 [S], +1 or -1: to which side to edit for what was asked, 0 where that has no sense.
        table: more figures by name, each [S].
        done, total: how much of the work is in it; equal when it is finished.
    """

    measure: str
    layers: tuple[Layer, ...]
    values: Array
    order: NDArray[np.int64]
    sign: Array
    table: Mapping[str, Array] = field(default_factory=dict)
    done: int = 1
    total: int = 1

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All ranked channels, best first."""
        return tuple(Channel.of(i, self.layers) for i in self.order)

    def top(self, count: int = 10) -> list[tuple[Channel, float]]:
        """The first channels and their values."""
        return [(Channel.of(i, self.layers), float(self.values[i])) for i in self.order[:count]]

    def row(self, channel: Channel) -> dict[str, float]:
        """All that is known of one channel: its value under the name of the measure, its sign, and the table."""
        i = channel.flat(self.layers)
        shown = {self.measure: float(self.values[i]), "sign": float(self.sign[i])}
        return shown | {name: float(column[i]) for name, column in self.table.items()}

    def __repr__(self) -> str:
        best = ", ".join(f"{c.name(self.layers)} {v:.3g}" for c, v in self.top(3))
        return f"Ranking({self.measure}: {best}{', …' if len(self.order) > 3 else ''})"


def ranked(
    measure: str,
    layers: Sequence[Layer],
    values: NDArray[np.floating],
    *,
    sign: NDArray[np.floating] | None = None,
    torgb: bool = False,
    **table: NDArray[np.floating],
) -> Ranking:
    """A `Ranking` by falling values; ToRGB channels and those without a finite value are left out."""
    kept = np.isfinite(values)
    if not torgb:
        kept &= ~is_torgb(layers)
    shown = np.where(kept, values, np.nan).astype(np.float32)
    order = np.argsort(-np.where(kept, values, -np.inf), kind="stable")[: int(kept.sum())]
    signs = np.zeros(len(values)) if sign is None else np.sign(sign)
    return Ranking(
        measure,
        tuple(layers),
        shown,
        order,
        signs.astype(np.float32),
        {name: np.asarray(column, np.float32) for name, column in table.items()},
    )
