"""Attribute dependency: how much else an edit moves (Wu et al., 2021, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...domain import Reader
from ...jobs import Job, Progress, Work, part
from ...latent.latent import Direction
from ...session.session import GeneratorSession
from ..channel import Channel
from ..channel_statistics import Statistics
from ..effects import edit_direction
from .readings import read_w

Array = NDArray[np.float64]
Point = tuple[float, float, float, Array]
Row = tuple[float, float, float, float, Array]


@dataclass(frozen=True, eq=False)
class Dependency:
    """The curve of one edit, a row for each strength.

    Attributes:
        target: the reading that was to be moved.
        strengths: [k], in units of the direction.
        change: [k], mean change of the target in its standard deviations.
        mean: [k], mean-AD: the mean over faces and other attributes of |change| in standard deviations.
        largest: [k], max-AD: the mean over faces of the largest of them.
        changes: [k, F], mean change of every reading in its standard deviations.
    """

    target: str
    strengths: Array
    change: Array
    mean: Array
    largest: Array
    changes: Array

    def at(self, change: float = 1.0) -> tuple[float, float]:
        """(mean-AD, max-AD) at the weakest edit that moves the target by `change` standard deviations; NaN if none does.

        In straight lines between the strengths that were measured, from nothing at strength 0.
        """
        _, mean, largest = self.reached(change)
        return mean, largest

    def reached(self, change: float) -> tuple[float, float, float]:
        """(strength, mean-AD, max-AD) as of `at`."""
        order = np.argsort(np.abs(self.strengths))
        columns = (self.strengths[order], self.mean[order], self.largest[order])
        found = first_reached(self.change[order], change, *columns) if change > 0 else None
        return (found[0], found[1], found[2]) if found else (np.nan, np.nan, np.nan)


def first_reached(moved: NDArray[np.floating], goal: float, *columns: NDArray[np.floating]) -> list[float] | None:
    """The columns [k] where `moved` [k] first is at the goal, in straight lines between the rows, from 0; None if never."""
    above = np.flatnonzero(moved >= goal)
    if not len(above):
        return None
    rows = np.concatenate([np.zeros((1, 1 + len(columns))), np.stack([moved, *columns], axis=1)])
    before, here = rows[above[0]], rows[above[0] + 1]
    share = (goal - before[0]) / (here[0] - before[0])
    return [float(value) for value in (before + share * (here - before))[1:]]


class Faces:
    """Faces that edits are measured on, and their readings before any edit.

    Args:
        session: a GeneratorSession.
        reader: of the attributes.
        w: [n, w_dim] of the faces.
        scale: [F] standard deviations of the readings over the population.
        stats: for channels.
    """

    def __init__(
        self,
        session: GeneratorSession,
        reader: Reader,
        w: NDArray[np.float32],
        scale: NDArray[np.floating],
        stats: Statistics,
    ) -> None:
        self.session, self.reader, self.stats = session, reader, stats
        self.w, self.scale = np.asarray(w, np.float32), np.maximum(np.asarray(scale, np.float64), 1e-12)
        self._before: NDArray[np.float32] | None = None

    @Work
    def changes(self, direction: Direction, strength: float) -> Job[Array]:
        """Change [n, F] of all readings, in their standard deviations."""
        if self._before is None:
            self._before = yield from read_w.steps(self.session, self.reader, self.w)
        drawn = partial(moved_styles, self.session, direction, strength)
        after = yield from read_w.steps(self.session, self.reader, self.w, drawn, "edited faces")
        return (after - self._before).astype(np.float64) / self.scale

    @Work
    def point(self, direction: Direction, strength: float, target: str) -> Job[Point]:
        """(target change, mean-AD, max-AD, mean change [F]) of one edit."""
        change = yield from self.changes.steps(direction, strength)
        j = self.reader.index(target)
        others = strongest_by_group(np.abs(change), self.reader, j)
        if not others.shape[1]:
            raise ValueError("the reader knows no other attribute, so nothing can depend on the edit")
        return (float(change[:, j].mean()), float(others.mean()), float(others.max(axis=1).mean()), change.mean(axis=0))


@Work
def attribute_dependency(
    session: GeneratorSession,
    direction: Direction | Channel,
    stats: Statistics,
    reader: Reader,
    target: str,
    *,
    strengths: Sequence[float] = (1, 2, 4, 8, 16),
    n: int = 32,
    scale: NDArray[np.floating] | None = None,
    faces: Faces | None = None,
) -> Job[Dependency]:
    """Mean-AD and max-AD of an edit against the change of its target, comparable between channels and boundaries.

    For every face, mean-AD is the mean over all other attributes of |change| / σ, max-AD the largest; σ is the standard
    deviation of the reading over the population. An attribute with several readings counts once, at the one that moves most.

    Args:
        direction: in s or w, or a channel. Give strengths of the side that raises the target.
        stats: the population; its last n faces are edited unless `faces` says which.
        reader: of the attributes.
        target: name of the reading that the edit is meant to move.
        strengths: in units of the direction.
        scale: [F] σ of the readings; read from 256 samples of `stats` when None.

    A run that is stopped has the curve of the strengths so far as its result.
    """
    if isinstance(direction, Channel):
        direction = edit_direction(session, {direction: 1.0}, stats)
    if faces is None:
        if scale is None:
            scale = (yield from read_w.steps(session, reader, stats.w[:256])).std(axis=0)
        faces = Faces(session, reader, stats.w[-n:], scale, stats)
    rows: list[Row] = []
    for i, strength in enumerate(strengths):
        job = faces.point.steps(direction, float(strength), target)
        rows.append((float(strength), *(yield from part(job, done=i, total=len(strengths), words="strengths"))))
        yield Progress(i + 1, len(strengths), "strengths", partial=lambda: curve(target, rows))
    return curve(target, rows)


@Work
def reach(
    faces: Faces,
    direction: Direction,
    target: str,
    change: float = 1.0,
    *,
    start: float = 1.0,
    limit: float = 30.0,
    tries: int = 5,
) -> Job[Dependency]:
    """The curve of an edit up to where the target has moved by `change`, found by growing the strength from `start`.

    Goes to the side that raises the target. Gives up at strength `limit`, or when `tries` edits did not suffice.
    """
    first = yield from faces.point.steps(direction, start, target)
    sign = 1.0 if first[0] * start >= 0 else -1.0
    rows = [(start, *first)] if sign * start > 0 else []
    size = 1.05 * change / max(abs(first[0]), 1e-9) * abs(start)
    hopeless = size > 3 * limit  # by its slope it would take far more than the limit
    done = hopeless or (bool(rows) and change <= first[0] < 1.2 * change)
    for _ in range(0 if done else tries):
        size = float(np.clip(size, 0.05, limit))
        rows.append((sign * size, *(yield from faces.point.steps(direction, sign * size, target))))
        moved = rows[-1][1]
        if change <= moved < 1.2 * change or (size >= limit and moved < change):
            break
        size = _next(rows, change, size, moved)
    return curve(target, sorted(rows or [(start, *first)], key=lambda row: abs(row[0])))


def _next(rows: Sequence[Row], change: float, size: float, moved: float) -> float:
    """The strength to try next: a little past where the line between two that enclose the change says, else further out."""
    above = min((row for row in rows if row[1] >= change), key=lambda row: abs(row[0]), default=None)
    if above is None:
        return size * min(3.0, max(1.2, 1.1 * change / max(moved, 1e-6)))
    inner = [row for row in rows if row[1] < change and abs(row[0]) < abs(above[0])]
    low, at = max(((abs(row[0]), row[1]) for row in inner), default=(0.0, 0.0))
    part = (1.05 * change - at) / (above[1] - at)
    return low + (abs(above[0]) - low) * min(0.9, part)


def curve(target: str, rows: Sequence[Row]) -> Dependency:
    """A `Dependency` of (strength, change, mean-AD, max-AD, changes) rows."""
    strengths, change, mean, largest, changes = zip(*rows, strict=True)
    return Dependency(
        target, np.array(strengths), np.array(change), np.array(mean), np.array(largest), np.stack(changes)
    )


def strongest_by_group(size: Array, reader: Reader, j: int) -> Array:
    """[n, attributes without that of reading j]: |change| [n, F], the largest of each attribute's readings."""
    groups = np.array(reader.attributes)
    names = [group for group in dict.fromkeys(reader.attributes) if group != groups[j]]
    if not names:
        return np.zeros((len(size), 0))
    return np.stack([size[:, groups == name].max(axis=1) for name in names], axis=1)


def moved_styles(session: GeneratorSession, direction: Direction, strength: float, w: Tensor) -> list[Tensor]:
    """Styles [n, C_l] of faces w [n, w_dim] with an edit, the same as those of a `Latent` with it."""
    if direction.space == "z":
        raise ValueError(f"direction {direction.name!r} moves z, which faces given by w do not have")
    first, last = direction.layers or (0, session.num_ws)
    codes = w[:, None].expand(-1, session.num_ws, -1)
    step = torch.tensor(np.asarray(direction.vector), device=session.device, dtype=torch.float32) * (
        strength * direction.sigma
    )
    if direction.space == "w":
        rows = codes.clone()
        rows[:, first:last] += step.expand(session.num_ws, -1)[first:last]
        return session.styles(rows)
    parts = torch.split(step[None], [layer.channels for layer in session.layers], dim=1)
    styles = session.styles(codes)
    return [
        s + part if first <= layer.ws_index < last else s
        for s, part, layer in zip(styles, parts, session.layers, strict=True)
    ]
