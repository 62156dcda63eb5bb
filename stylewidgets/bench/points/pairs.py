"""Two renders that differ in one geometric factor: handles are landmarks of the first, targets those of the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...avatars.drawing.landmarks import LANDMARKS
from ...avatars.drawing.renderer import render
from ...avatars.world.factors import FACTORS, INDEX

Floats = NDArray[np.float64]

FACTOR_NAMES = ("yaw", "mouth_open", "pitch", "face_width", "roll", "brow_height")
"""What a pair may differ in, in turns."""
LEAST = 4.0
"""Pixels that the landmark which moves farthest moves at least."""
SHARES = (0.35, 0.5, 0.65, 0.8, 1.0)
"""How much of the way to the farther end of its range a factor goes: the first that moves a landmark far enough."""
IN_SIGHT = 0.12
"""Depth in head units by which a landmark may lie behind what is drawn there, to count as seen."""
APART = 3.0
"""Pixels that handles are apart at least."""
COUNTS: dict[str, int] = {"1": 1, "5": 5, "all": len(LANDMARKS)}


@dataclass(frozen=True, eq=False)
class Pair:
    """One pair.

    Attributes:
        factor: what differs, by name.
        before, after: rows of factors, [F].
        landmarks: exact places in pixels, float64 [2, K, 2], (row, column), 0 the middle of the first pixel.
        seen: which landmarks can be dragged, in the order in which they are taken: those that move most first, apart from
            each other.
    """

    factor: str
    before: Tensor
    after: Tensor
    landmarks: Floats
    seen: tuple[int, ...]

    def chosen(self, count: int) -> list[int]:
        """Places of the landmarks that are dragged, at most so many."""
        return list(self.seen[:count])

    @property
    def moved(self) -> float:
        """Pixels that the landmark which moves farthest moves."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0], axis=1)[list(self.seen)].max())


def pairs(factors: Tensor, side: int, names: Sequence[str] = FACTOR_NAMES) -> Mapping[int, Pair]:
    """A pair for each row of factors [N, F] where one of the factors moves a landmark far enough: row → pair. Rows take the
    factors in turns."""
    found = {}
    for k, row in enumerate(factors):
        turns = [names[(k + step) % len(names)] for step in range(len(names))]
        made = next((pair for name in turns if (pair := pair_of(row, name, side)) is not None), None)
        if made is not None:
            found[k] = made
    return found


def pair_of(row: Tensor, name: str, side: int) -> Pair | None:
    """The smallest change of one factor that moves a landmark at least `LEAST` pixels; None where none does."""
    factor, at = FACTORS[INDEX[name]], INDEX[name]
    now = float(row[at])
    end = factor.high if factor.high - now > now - factor.low else factor.low
    rows = row.repeat(len(SHARES) + 1, 1)
    rows[1:, at] = now + torch.tensor(SHARES, dtype=torch.float32, device="cpu") * (end - now)
    drawn = render(rows, side, supersample=1, outputs=("landmarks", "depth", "camera", "points"))
    places = to_rows(drawn.landmarks)
    depth = drawn.camera.project(drawn.points)[..., 2]
    visible = _visible(places, depth.numpy(), drawn.depth.numpy())
    for k in range(1, len(rows)):
        both = np.stack([places[0], places[k]])
        seen = _in_turn(both, visible[0] & visible[k])
        if seen and np.linalg.norm(both[1] - both[0], axis=1)[seen[0]] >= LEAST:
            return Pair(name, rows[0], rows[k], both, tuple(seen))
    return None


def to_rows(landmarks: Tensor) -> Floats:
    """Places (x, y) from the picture's edge → (row, column) from the middle of its first pixel, float64."""
    return np.asarray(landmarks.double().numpy()[..., ::-1] - 0.5)


def _visible(places: Floats, depth: NDArray[np.float32], drawn: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether landmarks [N, K] are inside of the picture and nothing lies before them."""
    side = drawn.shape[-1]
    whole = places.round().astype(int)
    inside = ((whole >= 1) & (whole < side - 1)).all(-1)
    row, column = whole.clip(0, side - 1).transpose(2, 0, 1)
    return np.asarray(inside & (depth <= drawn[np.arange(len(drawn))[:, None], row, column] + IN_SIGHT))


def _in_turn(both: Floats, visible: NDArray[np.bool_]) -> list[int]:
    """Landmarks that can be dragged, those that move most first, none too near to one that is taken already."""
    moved = np.linalg.norm(both[1] - both[0], axis=1)
    taken: list[int] = []
    for k in np.argsort(-moved, kind="stable"):
        near = [j for j in taken if np.linalg.norm(both[0, j] - both[0, k]) < APART]
        if visible[k] and not near:
            taken.append(int(k))
    return taken
