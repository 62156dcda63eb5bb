"""Equal wanted change for all: how much to ask of an editor so that, on average, it does what was wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...avatars.reading.factor_net import ReadingNet
from ...session.session import GeneratorSession
from .editors import Editor, carried_out
from .faces import Faces, wanted
from .readings import Array, Readings, Ruler, read

ROUNDS = 4
MOST = 6.0
"""An editor is never asked for more than so many times what was wanted: what takes more cannot do it."""
ENOUGH = 0.1
"""Relative miss of the mean at which the search ends."""


@dataclass(frozen=True)
class Strength:
    """factor: what wishes are multiplied by; raw: the share of the wish that was done with the factor 1; reached: with
    `factor`, on the faces that it was found on."""

    factor: float
    raw: float
    reached: float


def calibrate(
    editor: Editor,
    attribute: str,
    session: GeneratorSession,
    judge: ReadingNet,
    faces: Faces,
    before: Readings,
    ruler: Ruler,
) -> Strength:
    """The factor under which an attribute moves, on average over faces that are scored nowhere, as far as is wanted.

    A search by secants that only goes up: the share that is done grows with the factor until an editor is exhausted.

    Args:
        faces: other ones than those of the table.
        before: what the judge reads of them unedited.
    """
    tried = {0.0: 0.0}
    factor = 1.0
    for _ in range(ROUNDS):
        tried[factor] = float(share(editor, attribute, factor, session, judge, faces, before, ruler).mean())
        if abs(tried[factor] - 1) <= ENOUGH:
            break
        factor = next_factor(tried)
        if factor in tried:
            break
    best = min((f for f in tried if f), key=lambda f: abs(tried[f] - 1))
    return Strength(best, tried[1.0], tried[best])


def next_factor(tried: dict[float, float]) -> float:
    """Where to look next: between the two neighbours of what is wanted, else beyond the largest, at most `MOST`."""
    order = sorted(tried)
    for low, high in zip(order, order[1:], strict=False):
        if tried[low] < 1 <= tried[high]:
            return low + (high - low) * (1 - tried[low]) / (tried[high] - tried[low])
    last = order[-1]
    return float(min(MOST, last * np.clip(1 / max(tried[last], 1e-3), 1.2, 3.0)))


def share(
    editor: Editor,
    attribute: str,
    factor: float,
    session: GeneratorSession,
    judge: ReadingNet,
    faces: Faces,
    before: Readings,
    ruler: Ruler,
) -> Array:
    """How much of the wanted change was done, [N]."""
    size = wanted(attribute)
    wishes = [{attribute: float(side) * size * factor} for side in faces.sides[attribute]]
    edited = carried_out(session, editor, faces.latents, wishes)
    moved = ruler.moved(attribute, before, read(judge, session, edited))
    return np.asarray(moved * faces.sides[attribute] / size)
