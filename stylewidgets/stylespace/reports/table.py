"""One table for a generator: for every factor its best channel, and what channel and W boundaries move besides."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ... import domain
from ...core import files
from ...core.checks import unknown_name
from ...core.values import rounded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...session.session import GeneratorSession

FORMAT = 1
CHANGE = 0.5
"""Standard deviations that every edit moves its target by, so that dependencies can be compared. Half of one: further out
single channels of a small generator bend, and some do not get there at all."""


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
        return self.style.mean < self.boundary.mean or (
            np.isfinite(self.style.mean) and not np.isfinite(self.boundary.mean)
        )

    @property
    def ratio(self) -> float:
        """Mean-AD of the channel over that of the boundary: below 1 the channel is cleaner. 0 where no boundary got there."""
        if not np.isfinite(self.style.mean):
            return float("inf")
        return float(self.style.mean / self.boundary.mean) if np.isfinite(self.boundary.mean) else 0.0


@dataclass(frozen=True)
class Report:
    """Channels and dependencies by factor, and DCI by space: (disentanglement, completeness, informativeness).

    Attributes:
        weights: fingerprint of the generator that it is about.
        samples, faces: in the population, and that edits were measured on.
        domain: `Domain.stamp` of the readings; None in reports of version 0.1 and of readers of the user's own.
    """

    weights: str
    samples: int
    faces: int
    rows: tuple[Row, ...] = ()
    dci: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    change: float = CHANGE
    domain: dict[str, object] | None = None

    def row(self, factor: str) -> Row:
        """The row of a factor. ValueError with the nearest name."""
        for row in self.rows:
            if row.factor == factor:
                return row
        raise unknown_name("factor in the report", factor, [row.factor for row in self.rows])

    @property
    def better(self) -> tuple[Row, ...]:
        """The rows in which the channel moves less besides than the W boundary does, the clearest first."""
        return tuple(sorted((row for row in self.rows if row.better), key=lambda row: row.ratio))

    def line(self) -> str:
        """The result in one line."""
        words = [f"channels move less besides than the W boundary for {len(self.better)} of {len(self.rows)} factors"]
        order = sorted((s for s in self.dci if s in ("z", "w", "s")), key=lambda space: -self.dci[space][0])
        if order:
            words.append(
                "disentanglement: " + " > ".join(f"{space.upper()} {self.dci[space][0]:.2f}" for space in order)
            )
        return "; ".join(words if self.rows else words[1:])

    def figure(self) -> Figure:
        """A `matplotlib.figure.Figure`: DCI, dependencies of all factors, and the curves of four of them."""
        from .figures import report_figure

        return report_figure(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as JSON."""
        files.as_path(path).parent.mkdir(parents=True, exist_ok=True)
        data = {"format": FORMAT, **asdict(self)}
        data["rows"] = [row_to(row) for row in self.rows]
        return files.write(path, json.dumps(rounded(data), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Report:
        """Read a file that `save` wrote. ValueError when it is something else."""
        with files.reading(path, "StyleSpace report", "Accepted are files written by Report.save") as found:
            data = files.parsed(found.read_text(encoding="utf-8"))
            if data.pop("format") > FORMAT:
                raise ValueError("it was written by a newer version")
            domain.check(data.get("domain"), "it")
            rows = tuple(row_from(row) for row in data.pop("rows"))
            scores = {space: tuple(values) for space, values in data.pop("dci").items()}
            return cls(rows=rows, dci=scores, **data)

    def markdown(self) -> str:
        """The tables as text."""
        lines = [
            "| factor | channel | mean-AD of the channel | of the W boundary | of the shipped direction |",
            "|---|---|---|---|---|",
        ]
        for row in self.rows:
            best = "**" if row.better else ""
            shipped = "" if row.shipped is None else _figure(row.shipped.mean)
            sign = "+" if row.sign > 0 else "−"
            lines.append(
                f"| {row.factor.replace('_', ' ')} | {row.name} ({row.channel[0]}_{row.channel[1]}) {sign} | "
                f"{best}{_figure(row.style.mean)}{best} | {_figure(row.boundary.mean)} | {shipped} |"
            )
        lines += ["", "| space | disentanglement | completeness | informativeness |", "|---|---|---|---|"]
        lines += [f"| {space} | {d:.2f} | {c:.2f} | {i:.2f} |" for space, (d, c, i) in self.dci.items()]
        return "\n".join(lines) + "\n"


def path_of(session: GeneratorSession) -> Path:
    """Where the report of a bundled generator is kept."""
    from ...weights import FOLDER

    return FOLDER / f"{session.name}.stylespace.json"


def shipped_report(session: GeneratorSession) -> Report | None:
    """The report that comes with a bundled generator, if it is of these very weights."""
    path = path_of(session)
    found = Report.load(path) if path.is_file() else None
    return found if found is not None and found.weights == session.fingerprint() else None


def row_to(row: Row) -> dict[str, Any]:
    """A row as plain values; see `row_from`."""
    return {key: value._asdict() if isinstance(value, Curve) else value for key, value in vars(row).items()}


def row_from(data: dict[str, Any]) -> Row:
    """A row of plain values, in which what is not a number may be null."""

    def one(values: dict[str, Any] | None) -> Curve | None:
        if values is None:
            return None
        known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in values.items()}
        arrays: dict[str, Any] = {k: tuple(v) for k, v in known.items() if isinstance(v, list)}
        return Curve(**(known | arrays))

    curves = {key: one(data[key]) for key in ("style", "boundary", "shipped")}
    return Row(**{**data, **curves, "channel": tuple(data["channel"])})


def _figure(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "not reached"
