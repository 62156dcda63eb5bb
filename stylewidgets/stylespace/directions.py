"""Style channels as directions, and what one does as a value. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..latent.direction import Direction
from .channel import Channel, num_channels

if TYPE_CHECKING:
    from ..session.session import GeneratorSession
    from .samples import Statistics


class Effect(NamedTuple):
    """pictures: uint8 [k, H, W, 3], one for each strength. heat: float32 [H, W], how much the picture changes, in grey
    levels of 255: mean over the colours, largest over the strengths. sigmas: the strengths [k]."""

    pictures: NDArray[np.uint8]
    heat: NDArray[np.float32]
    sigmas: NDArray[np.float32]


def edit_direction(
    session: GeneratorSession, channels: Mapping[Channel, float], stats: Statistics, name: str | None = None
) -> Direction:
    """A direction in s that moves several channels at once: one unit of strength adds ``weight * std_c`` to each.

    Args:
        channels: weight in σ of every channel, such as ``{Channel(6, 501): 1.0}``.
        stats: of `statistics`, for the σ.
        name: of the direction; that of its channels when None.

    Raises:
        ValueError: no channels, none with a weight, or one that does not exist.
    """
    weights = {Channel(*channel): float(weight) for channel, weight in channels.items() if weight}
    if not weights:
        raise ValueError("give at least one channel with a weight that is not 0, such as {Channel(6, 501): 1.0}")
    vector = np.zeros(num_channels(session.layers), np.float32)
    for channel, weight in weights.items():
        i = channel.flat(session.layers)
        vector[i] = weight * stats.std[i]
    words = ", ".join(c.name(session.layers) + ("" if w == 1 else f" × {w:.3g}") for c, w in weights.items())
    label = words if len(words) <= 80 else words[:79] + "…"
    return Direction(name or label, vector, 1.0, "s", source=f"style channels {words}")
