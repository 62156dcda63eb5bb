"""How a report is made: for every factor its best channel, and what channel and W boundaries move besides; then DCI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import domain
from ...directions import boundary, sample_w
from ...domain import Reader
from ...jobs import Job, Progress, Work, part
from ...latent.latent import Direction
from ...session.session import GeneratorSession
from .. import cache
from ..channel import Channel
from ..channel_statistics import Statistics, statistics
from ..effects import edit_direction
from ..search.factors import effect_ranking, factor_effects
from .dependency import Dependency, Faces, curve, first_reached, reach, strongest_by_group
from .readings import read_samples
from .spaces import SPACES, disentanglement
from .table import CHANGE, Curve, Report, Row, row_from, row_to, shipped_report

STRENGTHS = (-5.0, -14.0, 5.0, 14.0)
"""In σ: at what strengths candidates are tried, on each side from weak to strong."""

TOGETHER = 16
"""Candidates that go to disk together."""


@Work
def report(session: GeneratorSession, reader: Reader | None = None, **options: Any) -> Job[Report]:
    """The report that ships with a bundled generator, else a new one (minutes); see `make_report`."""
    found = shipped_report(session) if reader is None and not options else None
    return found if found is not None else (yield from make_report.steps(session, reader, **options))


@Work
def make_report(
    session: GeneratorSession,
    reader: Reader | None = None,
    *,
    samples: int = 2000,
    faces: int = 48,
    trial: int = 8,
    candidates: int = 12,
    seed: int = 0,
    include_torgb: bool = True,
    spaces: Sequence[str] | None = None,
    rows: bool = True,
    cached: bool = True,
) -> Job[Report]:
    """Find the best channel of each factor and measure its attribute dependency beside that of W boundaries; then DCI.

    Candidates are the channels whose gradient moves the factor most in proportion to all others. They are moved to both
    sides on `trial` faces; the one with the smallest mean-AD where the factor has moved by CHANGE standard deviations is
    measured again on `faces` others, as the boundaries are. The boundary of a factor is that of InterFaceGAN, not conditioned
    on other factors: between the fifth of the samples that have most of it and the fifth that have least.

    Args:
        reader: differentiable; that of the generator's domain when None.
        samples: faces of the population: for σ, for the boundaries and for DCI.
        faces, trial: faces that edits are measured on.
        candidates: channels tried for each factor.
        seed: of all faces.
        include_torgb: whether channels of ToRGB layers may be chosen. The paper leaves them out of its search by place; for
            factors that are a colour they are often the cleanest.
        spaces: for DCI; all of `spaces.SPACES` when None (z only for generators without labels), () for none.
        rows: whether to make the table of factors.
        cached: keep readings and finished rows on disk, so that one that was stopped goes on where it was.
    """
    stamp = None
    if reader is None:
        known = domain.of(session)
        if known is None or known.reader is None:
            raise ValueError("the attributes of what this generator draws are not known: give a reader")
        reader, stamp = known.reader(), known.stamp(readings=True)
    stats = yield from part(statistics.steps(session, samples, seed=seed))
    found: list[Row] = []
    if rows:
        found = yield from _Rows(session, stats, reader, faces, trial, candidates, seed, include_torgb, cached).make()
    scores: dict[str, tuple[float, float, float]] = {}
    chosen = [space for space in SPACES if space != "z" or not session.c_dim] if spaces is None else spaces
    for space in chosen:
        job = disentanglement.steps(session, stats, reader, spaces=(space,), cached=cached)
        one = (yield from part(job, done=len(scores), total=len(chosen), words="DCI"))[space]
        scores[space] = (one.disentanglement, one.completeness, one.informativeness)
    yield Progress(len(scores), len(chosen), "DCI")
    return Report(session.fingerprint(), samples, faces, tuple(found), scores, domain=stamp)


def targets_of(reader: Reader) -> list[str]:
    """The readings that get a row: one for each attribute, of an angle its cosine, of categories all others than "none"."""
    result = []
    for group in dict.fromkeys(reader.attributes):
        mine = [name for name, attribute in zip(reader.names, reader.attributes, strict=True) if attribute == group]
        result.append(next((name for name in mine if name == group), mine[-1]))
    return result


def direction_name(reading: str) -> str:
    """The name that the shipped directions give to a reading."""
    name = reading.replace("_", " ").replace(":", "")
    return name[:-4] + (" red" if name.endswith("cos") else " lime") if name.endswith((" cos", " sin")) else name


@dataclass
class _Rows:
    session: GeneratorSession
    stats: Statistics
    reader: Reader
    faces: int
    trial: int
    candidates: int
    seed: int
    include_torgb: bool
    cached: bool

    def make(self) -> Job[list[Row]]:
        """The rows of the targets that have a channel; finished ones are on disk."""
        self.targets, rows = targets_of(self.reader), list[Row]()
        readings = yield from read_samples.steps(self.session, self.stats, self.reader, cached=self.cached)
        scale = readings.std(axis=0)
        w = sample_w(self.session, self.faces, self.seed + 12)
        many = Faces(self.session, self.reader, w, scale, self.stats)
        trials: Trials | None = None
        for number, target in enumerate(self.targets):
            yield Progress(number, len(self.targets), "channels")
            row = self._kept(target)
            if row is None:
                trials = trials or (yield from self._trials(scale))
                job = self._row(target, readings[:, self.reader.index(target)], trials, many)
                row = yield from part(job, done=number, total=len(self.targets), words="channels")
                self._keep(target, row)
            rows += row
        yield Progress(len(self.targets), len(self.targets), "channels")
        return rows

    def _trials(self, scale: NDArray[np.floating]) -> Job[Trials]:
        effects = yield from factor_effects.steps(self.session, self.stats, self.reader, scale, faces=self.trial)
        rankings = effect_ranking(
            self.session, self.stats, effects, self.reader, include_torgb=self.include_torgb, least=CHANGE / 30
        )
        few = Faces(self.session, self.reader, sample_w(self.session, self.trial, self.seed + 11), scale, self.stats)
        wanted = {target: [channel for channel, _ in rankings[target].top(self.candidates)] for target in self.targets}
        changes = yield from self._changes(
            few, sorted({channel for channels in wanted.values() for channel in channels})
        )
        return Trials(self.reader, wanted, changes, effects.mean(axis=0))

    def _changes(self, few: Faces, channels: list[Channel]) -> Job[dict[Channel, NDArray[np.float32]]]:
        """Change [strengths, faces, F] of all readings by every channel; what was measured before is on disk."""
        found: dict[Channel, NDArray[np.float32]] = {}
        for start in range(0, len(channels), TOGETHER):
            group = channels[start : start + TOGETHER]
            name = self._key("trial", channels=[c.paper for c in group], faces=self.trial, strengths=STRENGTHS)
            kept = cache.read(name)
            if kept is None:
                rows = []
                for i, channel in enumerate(group):
                    direction, changed = edit_direction(self.session, {channel: 1.0}, self.stats), []
                    for strength in STRENGTHS:
                        job = few.changes.steps(direction, strength)
                        changed.append(
                            (yield from part(job, done=start + i, total=len(channels), words="trying channels"))
                        )
                    rows.append(np.stack(changed))
                kept = {"changes": np.stack(rows).astype(np.float32)}
                cache.write(name, **kept)
            found.update(zip(group, kept["changes"], strict=True))
        yield Progress(len(channels), len(channels), "trying channels")
        return found

    def _row(self, target: str, readings: NDArray[np.floating], trials: Trials, many: Faces) -> Job[list[Row]]:
        """The row of a target; none if no channel moves it far enough."""
        best = trials.best(target)
        if best is None:
            return []
        channel, start = best
        style = yield from measured(many, edit_direction(self.session, {channel: 1.0}, self.stats), target, start)
        if not np.isfinite(style.mean):
            return []  # it was luck on the few
        normal = yield from boundary.steps(self.stats.w, readings, name=target)
        shipped = self.session.directions.get(direction_name(target))
        plain = yield from measured(many, normal, target, CHANGE)
        known = None if shipped is None else (yield from measured(many, shipped, target, CHANGE))
        effect = float(trials.effects[channel.flat(self.session.layers), self.reader.index(target)])
        return [
            Row(
                target,
                (channel.layer, channel.channel),
                channel.name(self.session.layers),
                1 if style.strength > 0 else -1,
                effect,
                style,
                plain,
                known,
            )
        ]

    def _key(self, kind: str, **arguments: object) -> str:
        keep, known = self.cached and bool(self.reader.key), {"reader": self.reader.key, "samples": self.stats.n}
        return cache.key(self.session, kind, keep, **known, seed=self.seed, **arguments)

    def _row_key(self, target: str) -> str:
        shipped = self.session.directions.get(direction_name(target))
        return self._key(
            "row",
            target=target,
            faces=self.faces,
            trial=self.trial,
            candidates=self.candidates,
            torgb=self.include_torgb,
            change=CHANGE,
            shipped=None if shipped is None else np.asarray(shipped.vector).tobytes().hex(),
        )

    def _kept(self, target: str) -> list[Row] | None:
        found = cache.read(self._row_key(target))
        return None if found is None else [row_from(row) for row in json.loads(found["rows"].tobytes())]

    def _keep(self, target: str, row: list[Row]) -> None:
        text = json.dumps([row_to(each) for each in row])
        cache.write(self._row_key(target), rows=np.frombuffer(text.encode(), np.uint8))


@dataclass(frozen=True)
class Trials:
    """What candidates did to a few faces.

    Attributes:
        candidates: by target.
        changes: by channel, [strengths, faces, F] for STRENGTHS, in standard deviations of the readings.
        effects: [S, F], mean gradient in the same unit by one σ.
    """

    reader: Reader
    candidates: dict[str, list[Channel]]
    changes: dict[Channel, NDArray[np.float32]]
    effects: NDArray[np.float32]

    def best(self, target: str) -> tuple[Channel, float] | None:
        """The channel with the smallest mean-AD where the target has moved by CHANGE, and the strength that does it."""
        found = [
            (dependency, channel, strength)
            for channel in self.candidates[target]
            for dependency, strength in self._reached(channel, self.reader.index(target))
        ]
        return min(found)[1:] if found else None

    def _reached(self, channel: Channel, j: int) -> Iterator[tuple[float, float]]:
        """Mean-AD and strength at CHANGE to either side, in straight lines between the strengths that were tried."""
        changes = self.changes[channel]
        for side in (-1, 1):
            mine = [k for k, strength in enumerate(STRENGTHS) if strength * side > 0]
            moved = changes[mine, :, j].mean(axis=1)
            others = [strongest_by_group(np.abs(changes[k]), self.reader, j).mean() for k in mine]
            found = first_reached(moved, CHANGE, np.array(others), np.array(STRENGTHS)[mine])
            if found:
                yield found[0], found[1]


def measured(faces: Faces, direction: Direction, target: str, start: float = 1.0) -> Job[Curve]:
    """The curve of an edit up to the common change, which it has at a strength of about `start`."""
    found: Dependency = yield from reach.steps(faces, direction, target, CHANGE, start=start)
    if len(found.strengths) < 3:
        half = float(found.strengths[-1]) / 2
        rows = [(half, *(yield from faces.point.steps(direction, half, target)))]
        rows += list(zip(found.strengths, found.change, found.mean, found.largest, found.changes, strict=True))
        found = curve(target, sorted(rows, key=lambda row: abs(row[0])))
    columns = (found.strengths, found.change, found.mean, found.largest)
    return Curve(*found.reached(CHANGE), *(tuple(float(v) for v in column) for column in columns))
