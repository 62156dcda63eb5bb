"""One table for a generator: for every factor its best channel, and what channel and W boundaries move besides."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..directions import boundary, sample_w
from ..latents import Direction
from . import cache
from .channel import Channel
from .dependency import Dependency, Faces, reach
from .effects import edit_direction
from .factors import effect_ranking, factor_effects
from .ranking import Ranking
from .readings import Reader, avatar_reader, read_samples
from .spaces import SPACES, disentanglement
from .statistics import Statistics, statistics

FORMAT = 1
CHANGE = 0.5
"""Standard deviations that every edit moves its target by, so that dependencies can be compared. Half of one: further out
single channels of a small generator bend, and some do not get there at all."""

TELL = Callable[[str, int, int], None]


class Curve(NamedTuple):
    """An edit's attribute dependency: at the common target change, and along its strengths.

    strength, mean, largest: of the weakest edit that moves the target by CHANGE standard deviations; NaN if none does.
    """

    strength: float
    mean: float
    largest: float
    strengths: tuple[float, ...]
    changes: tuple[float, ...]
    means: tuple[float, ...]
    largests: tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """One factor. channel: (layer, channel), `sign` the side that raises the factor. boundary: of W alone, as InterFaceGAN
    fits it. shipped: the direction that comes with the weights, or None."""

    factor: str
    channel: tuple[int, int]
    name: str
    sign: int
    effect: float
    style: Curve
    boundary: Curve
    shipped: Curve | None = None

    @property
    def better(self) -> bool:
        """Whether the channel moves less besides than the boundary does."""
        return self.style.mean < self.boundary.mean or (np.isfinite(self.style.mean) and not np.isfinite(self.boundary.mean))


@dataclass(frozen=True)
class Report:
    """Channels and dependencies by factor, and DCI by space: (disentanglement, completeness, informativeness).

    Attributes:
        weights: fingerprint of the generator that it is about.
        samples, faces: in the population, and that edits were measured on.
    """

    weights: str
    samples: int
    faces: int
    rows: tuple[Row, ...] = ()
    dci: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    change: float = CHANGE

    def row(self, factor: str) -> Row:
        """The row of a factor. ValueError with the nearest name."""
        from .._checks import unknown_name

        for row in self.rows:
            if row.factor == factor:
                return row
        raise unknown_name("factor in the report", factor, [row.factor for row in self.rows])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as JSON."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {"format": FORMAT, **asdict(self)}
        data["rows"] = [{k: v._asdict() if isinstance(v, Curve) else v for k, v in vars(row).items()} for row in self.rows]
        path.write_text(json.dumps(_rounded(data), indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Report:
        """Read a file that `save` wrote. ValueError when it is something else."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if data.pop("format") > FORMAT:
                raise ValueError("it was written by a newer version")
            rows = tuple(_row(row) for row in data.pop("rows"))
            scores = {space: tuple(values) for space, values in data.pop("dci").items()}
            return cls(rows=rows, dci=scores, **data)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} is not a StyleSpace report ({error})") from error

    def markdown(self) -> str:
        """The tables as text."""
        lines = ["| factor | channel | mean-AD of the channel | of the W boundary | of the shipped direction |",
                 "|---|---|---|---|---|"]
        for row in self.rows:
            best = "**" if row.better else ""
            shipped = "" if row.shipped is None else _figure(row.shipped.mean)
            sign = "+" if row.sign > 0 else "−"
            lines.append(f"| {row.factor.replace('_', ' ')} | {row.name} ({row.channel[0]}_{row.channel[1]}) {sign} | "
                         f"{best}{_figure(row.style.mean)}{best} | {_figure(row.boundary.mean)} | {shipped} |")
        lines += ["", "| space | disentanglement | completeness | informativeness |", "|---|---|---|---|"]
        lines += [f"| {space} | {d:.2f} | {c:.2f} | {i:.2f} |" for space, (d, c, i) in self.dci.items()]
        return "\n".join(lines) + "\n"


def path_of(session: Any) -> Path:
    """Where the report of a bundled generator is kept."""
    from ..weights import FOLDER

    return FOLDER / f"{session.name}.stylespace.json"


def report(session: Any, reader: Reader | None = None, **options: Any) -> Report:
    """The report that ships with a bundled generator, else a new one (minutes); see `make_report`."""
    path = path_of(session)
    if reader is None and not options and path.is_file():
        found = Report.load(path)
        if found.weights == cache.weights_of(session):
            return found
    return make_report(session, reader, **options)


def make_report(
    session: Any, reader: Reader | None = None, *, samples: int = 2000, faces: int = 48, trial: int = 16, candidates: int = 6,
    seed: int = 0, spaces: Sequence[str] | None = None, rows: bool = True, tell: TELL | None = None,
) -> Report:
    """Find the best channel of each factor and measure its attribute dependency beside that of W boundaries; then DCI.

    Candidates are the channels whose gradient moves the factor most in proportion to all others. Each is made to move the
    factor by CHANGE standard deviations on `trial` faces; the one with the smallest mean-AD is measured again on `faces`
    others, as the boundaries are.

    Args:
        reader: differentiable; the factors of avatars when None.
        samples: faces of the population: for σ, for the boundaries and for DCI.
        faces, trial: faces that edits are measured on.
        candidates: channels tried for each factor.
        seed: of all faces.
        spaces: for DCI; all of `spaces.SPACES` when None, () for none.
        rows: whether to make the table of factors.
        tell: tell(words, done, total); a `Stopped` from it goes on to the caller.
    """
    reader = reader or avatar_reader()
    tell = tell or (lambda words, done, total: None)
    stats = statistics(session, samples, seed=seed)
    readings = read_samples(session, stats, reader, callback=lambda done, total: tell("reading faces", done, total))
    found: list[Row] = []
    if rows:
        found = list(_rows(session, stats, reader, readings, faces, trial, candidates, seed, tell))
    scores: dict[str, tuple[float, float, float]] = {}
    chosen = SPACES if spaces is None else spaces
    for i, space in enumerate(chosen):
        one = disentanglement(session, stats, reader, spaces=(space,))[space]
        scores[space] = (one.disentanglement, one.completeness, one.informativeness)
        tell("DCI", i + 1, len(chosen))
    return Report(cache.weights_of(session), samples, faces, tuple(found), scores)


def targets_of(reader: Reader) -> list[str]:
    """The readings that get a row: one for each attribute, of an angle its cosine, of categories all others than "none"."""
    result = []
    for group in dict.fromkeys(reader.attributes):
        mine = [name for name, attribute in zip(reader.names, reader.attributes, strict=True) if attribute == group]
        result.append(next((name for name in mine if name == group), mine[-1]))
    return result


def _rows(
    session: Any, stats: Statistics, reader: Reader, readings: NDArray[Any], faces: int, trial: int, candidates: int,
    seed: int, tell: TELL,
) -> Any:
    scale = readings.std(axis=0)
    effects = factor_effects(session, stats, reader, scale, callback=lambda done, total: tell("gradients", done, total))
    rankings = effect_ranking(session, stats, effects, reader, least=CHANGE / 30)
    few = Faces(session, reader, sample_w(session, trial, seed + 11), scale, stats)
    many = Faces(session, reader, sample_w(session, faces, seed + 12), scale, stats)
    targets = targets_of(reader)
    for number, target in enumerate(targets):
        chosen = _best_channel(few, rankings[target], target, candidates)
        j = reader.index(target)
        if chosen is not None:
            channel, sign = chosen
            style = measured(many, edit_direction(session, {channel: 1.0}, stats), target)
            normal = boundary(stats.w, readings[:, j], name=target)
            shipped = session.directions.get(direction_name(target))
            if np.isfinite(style.mean):  # else it was luck on the few
                yield Row(
                    target, (channel.layer, channel.channel), channel.name(session.layers), sign,
                    float(rankings[target].table["effect"][channel.flat(session.layers)]), style,
                    measured(many, normal, target), None if shipped is None else measured(many, shipped, target),
                )
        tell("channels", number + 1, len(targets))


def _best_channel(faces: Faces, ranking: Ranking, target: str, candidates: int) -> tuple[Channel, int] | None:
    """The channel with the smallest mean-AD at the common change among the first of a ranking, and its sign."""
    best: tuple[float, Channel, int] | None = None
    for channel, _ in ranking.top(candidates):
        flat = channel.flat(faces.session.layers)
        sign = 1 if ranking.sign[flat] >= 0 else -1
        direction = edit_direction(faces.session, {channel: 1.0}, faces.stats)
        mean = reach(faces, direction, target, CHANGE).at(CHANGE)[0]
        if np.isfinite(mean) and (best is None or mean < best[0]):
            best = (mean, channel, sign)
    return None if best is None else best[1:]


def measured(faces: Faces, direction: Direction, target: str) -> Curve:
    """The curve of an edit, from a quarter of the common change to all of it."""
    found: Dependency = reach(faces, direction, target, CHANGE)
    mean, largest = found.at(CHANGE)
    change = np.concatenate([[0.0], found.change])
    reached = np.flatnonzero(change >= CHANGE)
    strength = float("nan")
    if len(reached):
        i = int(reached[0])
        t = (CHANGE - change[i - 1]) / (change[i] - change[i - 1])
        sizes = np.concatenate([[0.0], found.strengths])
        strength = float(sizes[i - 1] + t * (sizes[i] - sizes[i - 1]))
    columns = (found.strengths, found.change, found.mean, found.largest)
    return Curve(strength, mean, largest, *(tuple(float(v) for v in column) for column in columns))


def direction_name(reading: str) -> str:
    """The name that the shipped directions give to a reading."""
    name = reading.replace("_", " ").replace(":", "")
    return name[:-4] + (" red" if name.endswith("cos") else " lime") if name.endswith((" cos", " sin")) else name


def _row(data: dict[str, Any]) -> Row:
    def one(values: dict[str, Any] | None) -> Curve | None:
        if values is None:
            return None
        known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in values.items()}
        arrays: dict[str, Any] = {k: tuple(v) for k, v in known.items() if isinstance(v, list)}
        return Curve(**(known | arrays))

    curves = {key: one(data[key]) for key in ("style", "boundary", "shipped")}
    return Row(**{**data, **curves, "channel": tuple(data["channel"])})


def _rounded(value: Any) -> Any:
    """With five digits, and null for what is not a number: JSON has no NaN."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, (list, tuple)) else value


def _figure(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "not reached"
