"""How strong a direction is: strength 1 is to do about as much for every sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...directions._sampling import styles_of
from ...jobs import Job, Progress
from ...session.session import GeneratorSession
from .measuring import look
from .table import ChannelTable

if TYPE_CHECKING:
    from .encoder import Encoder

EFFECT = 2.0
"""What strength 1 does: the pictures come nearer to the words by so many standard deviations in which faces differ there."""
MOST = 12.0
"""The published α is −10 to 10 in its notebooks; beyond, pictures come apart."""
ENOUGH = 0.95
"""The part of it that counts as all."""
ALMOST = 0.85
"""Where all of it is out of reach, the part of what can be reached that will do: the rest would cost much larger steps."""
FACES, SEED = 6, 77
STEPS = 6
NEAR = 0.35
"""Two α whose ratio is that near to 1 are joined by a straight line."""


class Scale(NamedTuple):
    """α for strength 1, and the part of `EFFECT` that it reaches; less than 1 where even `MOST` is not enough."""

    alpha: float
    reached: float


def usual(table: ChannelTable, change: NDArray[np.float64]) -> float:
    """The standard deviation along Δt over the generator's faces, times `EFFECT`."""
    along = float(change @ table.spread.astype(np.float64) @ change)
    return EFFECT * float(np.sqrt(max(along, 1e-12)))


def predicted(
    table: ChannelTable, weights: NDArray[np.float64], relevance: NDArray[np.float64], change: NDArray[np.float64]
) -> Scale:
    """The scale from the table alone, as if channels added up."""
    slope = float(np.abs(weights * relevance * table.lengths).sum())
    if not slope > 0:
        return Scale(MOST, 0.0)
    alpha = usual(table, change) / slope
    return Scale(min(alpha, MOST), min(1.0, MOST / alpha))


def measured(
    session: GeneratorSession,
    encoder: Encoder,
    table: ChannelTable,
    weights: NDArray[np.float64],
    change: NDArray[np.float64],
    first: float,
) -> Job[Scale]:
    """The scale found by drawing a few faces: the smallest α that reaches the usual effect, to about 5 %, else `ALMOST` the most.

    Args:
        first: α to begin with.
    """
    wanted = usual(table, change)
    base = styles_of(session, session.sample_w(FACES, SEED).cpu().numpy())
    vector = (weights * table.sigma).astype(np.float32)

    def gain(alpha: float) -> float:
        rows = torch.from_numpy(base + np.float32(alpha) * vector).to(session.device)
        return float((look(session, encoder, rows) @ change).mean() - start)

    start = float((look(session, encoder, torch.from_numpy(base).to(session.device)) @ change).mean())
    low, high = (0.0, 0.0), None
    tried: list[tuple[float, float]] = []
    alpha = float(np.clip(first, 0.25, MOST))
    for step in range(STEPS):
        yield Progress(step, STEPS, "how strong it is")
        point = (alpha, gain(alpha))
        tried.append(point)
        if point[1] >= wanted:
            high = point
        elif high is None or alpha > low[0]:
            low = point
        if high is None:
            if alpha >= MOST:
                break
            alpha = min(MOST, 2 * alpha)
        else:
            alpha = low[0] + (wanted - low[1]) / max(high[1] - low[1], 1e-12) * (high[0] - low[0])
            if high[0] - low[0] <= NEAR * high[0]:
                break
    if high is not None:
        return Scale(alpha, 1.0)
    most = max(each[1] for each in tried)
    if most <= 0:
        return Scale(tried[0][0], 0.0)
    alpha, reached = min(each for each in tried if each[1] >= ALMOST * most)
    return Scale(alpha, reached / wanted)
