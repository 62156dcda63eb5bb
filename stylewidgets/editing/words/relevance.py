"""The arithmetic of global directions: which style channels go where a sentence points (Patashnik et al. 2021, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MORE_THAN = 20
"""Automatic β leaves more channels than this."""
MORE = (80, 240)
"""As many are taken where so few do not do enough: a head that becomes bald takes many channels."""
BETAS = tuple(round(0.05 + 0.01 * i, 2) for i in range(86))
"""β that the automatic one is looked for among: 0.05 to 0.90. Public CLIP's lies at 0.1 to 0.3, a small encoder's higher."""
STILL = 1e-6
"""Embeddings that differ by less are the same."""


class NothingRelevant(ValueError):
    """No channel's relevance reaches β.

    Attributes:
        largest: the largest |relevance| of any channel.
    """

    def __init__(self, largest: float, beta: float) -> None:
        self.largest = largest
        lower = "a smaller beta takes more channels" if largest > 0 else "the table of channels has nothing for it"
        super().__init__(f"no channel passes beta {beta:g}: the largest relevance is {largest:.3f}; {lower}")


def channel_moves(features: ArrayLike, equal: bool = False) -> Array:
    """Where each channel takes pictures in the encoder's space, [C, d], of any length; Δi has the same way and the length 1.

    Every embedding is brought to length 1, then follows the mean over pictures of the difference.

    Args:
        features: [C, n, 2, d], embeddings of n pictures with the channel below and above its mean.
        equal: bring each picture's difference to length 1 first, as the published code does. Else a picture on which a channel
            does hardly anything, which way is chance, hardly counts.
    """
    ends = unit(np.asarray(features, np.float64))
    moves = ends[:, :, 1] - ends[:, :, 0]
    return np.asarray((unit(moves) if equal else moves).mean(axis=1))


def text_direction(neutral: ArrayLike, target: ArrayLike) -> Array:
    """Δt [d] of length 1, from embeddings [m, d] of the two texts in m sentences each.

    Raises:
        ValueError: the texts say the same to the encoder.
    """
    ends = [unit(unit(np.asarray(texts, np.float64)).mean(axis=0)) for texts in (neutral, target)]
    change = ends[1] - ends[0]
    if not np.linalg.norm(change) > STILL:
        raise ValueError("the two texts mean the same to the encoder, so there is no way from one to the other")
    return unit(change)


def automatic_beta(relevance: ArrayLike, more_than: int = MORE_THAN, betas: Sequence[float] = BETAS) -> float:
    """The largest of `betas` that leaves more than so many channels; the first of them where none does."""
    sizes = np.abs(np.asarray(relevance, np.float64))
    return max((beta for beta in betas if int((sizes >= beta).sum()) > more_than), default=betas[0])


def weights(relevance: ArrayLike, beta: float) -> Array:
    """Weight of each channel, [C]: relevance where its size is at least β, else 0; the strongest has the size 1.

    Raises:
        NothingRelevant: no channel reaches β, or all that do are 0.
    """
    given = np.asarray(relevance, np.float64)
    sizes = np.abs(given)
    kept = np.where(sizes >= beta, given, 0.0)
    largest = float(sizes.max(initial=0.0))
    if not np.abs(kept).max(initial=0.0) > 0:
        raise NothingRelevant(largest, beta)
    return np.asarray(kept / np.abs(kept).max())


@dataclass(frozen=True, eq=False)
class Relevance:
    """How much each style channel has to do with a change of words.

    Attributes:
        values: [S], Δi · Δt from −1 to 1; 0 for channels that nobody measured.
        change: Δt, [d].
        neutral, target: the texts.
    """

    values: Array
    change: Array
    neutral: str
    target: str

    @cached_property
    def largest(self) -> float:
        """The largest |relevance|."""
        return float(np.abs(self.values).max(initial=0.0))

    @cached_property
    def beta(self) -> float:
        """The automatic β: see `automatic_beta`. Where none of `BETAS` leaves enough channels, the one that does; where fewer
        than it wants are measured, an eighth of them is enough."""
        known = int((self.values != 0).sum())
        enough = min(MORE_THAN, max(known // 8, 0))
        sizes = np.sort(np.abs(self.values))[::-1]
        return min(automatic_beta(self.values, enough), float(sizes[enough])) if sizes[enough] > 0 else BETAS[0]

    @cached_property
    def wider(self) -> tuple[float, ...]:
        """Smaller β, which as many channels as in `MORE` pass."""
        sizes = np.sort(np.abs(self.values))[::-1]
        return tuple(
            float(sizes[count - 1]) for count in MORE if count <= len(sizes) and 0 < sizes[count - 1] < self.beta
        )

    def places(self, beta: float | None = None) -> NDArray[np.intp]:
        """Places of the channels that pass β (None: the automatic one), the most relevant first."""
        sizes = np.abs(self.values)
        kept = np.flatnonzero((sizes >= (self.beta if beta is None else beta)) & (sizes > 0))
        return kept[np.argsort(-sizes[kept], kind="stable")]


def unit(x: Array) -> Array:
    """Rows of length 1; those of length 0 stay."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(x / np.where(length > 0, length, 1.0))
