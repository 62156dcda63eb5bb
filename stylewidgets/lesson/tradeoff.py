"""The trade-off as it was measured on many pictures: too long for a lesson, so the figures come with it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILE = Path(__file__).parent / "tradeoff.json"
FIGURES = {
    "mse": "distortion (mean squared error)",
    "change": "error of the change, six edits (1 is as wrong as none)",
    "smile": "error of the change, smile (1 is as wrong as none)",
    "realism": "realism",
}
DRAWS, SEED, WITHIN = 1000, 0, 0.9
"""Bootstrap over pictures, and the share of it between the ends of an interval: as in the bench, so that both print the same."""
KINDS = ("inside", "outside")
"""Of what the generator has learnt, and with something that it has never seen."""


@dataclass(frozen=True)
class Ratio:
    """One method over another on the same pictures.

    Attributes:
        value: the mean of one over the mean of the other.
        low, high: ends of its interval, 90 % of a bootstrap over pictures.
        larger: in how many pictures the first has more.
        pictures: how many there are.
    """

    value: float
    low: float
    high: float
    larger: int
    pictures: int

    @property
    def smaller_one(self) -> int | None:
        """0 if the first is surely smaller, 1 if the second is, None where the interval leaves it open."""
        return 0 if self.high < 1 else 1 if self.low > 1 else None

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}], more in {self.larger} of {self.pictures}"


@dataclass(frozen=True, eq=False)
class Measured:
    """Figures by method, kind of picture and picture.

    Attributes:
        command: what made them.
        rows: method → kind → picture → {"mse", "change", "smile", "realism"}; a figure that there is none of is missing.
            "change" is the median of several edits: one that hardly shows, as that of hair under a hat, has an error of any size.
    """

    command: str
    rows: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]

    @property
    def kinds(self) -> list[str]:
        """Of pictures, that there are figures of."""
        return list(dict.fromkeys(kind for by_kind in self.rows.values() for kind in by_kind))

    def figures(self, method: str, figure: str, kind: str) -> dict[str, float]:
        """By picture."""
        return {name: row[figure] for name, row in self.rows[method].get(kind, {}).items() if figure in row}

    def mean(self, method: str, figure: str, kind: str) -> float:
        """Over pictures."""
        return float(np.mean(list(self.figures(method, figure, kind).values())))

    def ratio(self, a: str, b: str, figure: str, kind: str) -> Ratio:
        """Method a over method b, on the pictures that both have. ValueError for fewer than two."""
        x, y = self.figures(a, figure, kind), self.figures(b, figure, kind)
        pairs = np.array([(x[name], y[name]) for name in x if name in y])
        if len(pairs) < 2:
            raise ValueError(f"{a} and {b} have {len(pairs)} pictures {kind} in common; two are needed")
        drawn = np.random.RandomState(SEED).randint(0, len(pairs), (DRAWS, len(pairs)))
        spread = pairs[drawn, 0].mean(axis=1) / pairs[drawn, 1].mean(axis=1)
        low, high = np.quantile(spread, [(1 - WITHIN) / 2, (1 + WITHIN) / 2])
        first, second = pairs.T
        return Ratio(
            float(first.mean() / second.mean()), float(low), float(high), int((first > second).sum()), len(pairs)
        )

    def _repr_markdown_(self) -> str:
        kinds = self.kinds
        head = ["method", *(f"{figure}<br>{kind}" for kind in kinds for figure in FIGURES)]
        lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        for method, by_kind in self.rows.items():
            told = [
                _told(self, method, figure, kind) if kind in by_kind else "–" for kind in kinds for figure in FIGURES
            ]
            lines.append(f"| {' | '.join([method, *told])} |")
        counts = {kind: max(len(by_kind.get(kind, {})) for by_kind in self.rows.values()) for kind in kinds}
        count = ", ".join(f"{n} pictures {kind}" for kind, n in counts.items())
        return "\n".join([*lines, "", f"Means of {count}. Made by `{self.command}`."])

    def figure(self, kind: str = "outside", edit: str = "change") -> Figure:
        """Distortion against the error of the edit, "change" or "smile", a point for each method."""
        from .pictures import panels

        made, (axis,) = panels(1, 5.5, 3.4)
        edit_name = FIGURES[edit].replace(" (", "\n(")
        for method, by_kind in self.rows.items():
            if kind in by_kind:
                x, y = self.mean(method, "mse", kind), self.mean(method, edit, kind)
                axis.plot(x, y, "o")
                axis.annotate(method, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=8)
        axis.set_xlabel(f"{FIGURES['mse']} →  worse", fontsize=8)
        axis.set_ylabel(f"{edit_name} →  worse", fontsize=8)
        axis.margins(0.12)  # room for the names
        axis.axhline(1, color="grey", lw=0.8, ls=":")
        return made


def _told(measured: Measured, method: str, figure: str, kind: str) -> str:
    return f"{measured.mean(method, figure, kind):.3g}" if measured.figures(method, figure, kind) else "–"


def measured(path: Path = FILE) -> Measured:
    """The figures that come with the package."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Measured(data["command"], data["methods"])


def extract(found: Mapping[str, Any], methods: Mapping[str, str], command: str) -> dict[str, Any]:
    """What the lesson needs of the JSON of ``stylewidgets bench inversion``: figures of the pictures that all methods have.

    Args:
        found: its rows, method → kind → picture → figures.
        methods: of them, and how the lesson calls each.
        command: that made it.
    """
    rows: dict[str, dict[str, Any]] = {called: {} for called in methods.values()}
    for kind in KINDS:
        common = set.intersection(*(set(found[name].get(kind, {})) for name in methods))
        for name, called in methods.items() if len(common) > 1 else ():
            rows[called][kind] = {one: _kept(row) for one, row in found[name][kind].items() if one in common}
    return {"command": command, "methods": rows}


def _kept(row: Mapping[str, Any]) -> dict[str, float]:
    edits = {name: error for name, error in row.get("changes", {}).items() if error is not None}
    given = {
        "mse": row.get("mse"),
        "change": float(np.median(list(edits.values()))) if edits else None,
        "smile": edits.get("smile"),
        "realism": row.get("realism"),
    }
    return {name: float(f"{value:.4g}") for name, value in given.items() if value is not None and np.isfinite(value)}


def main(arguments: list[str] | None = None) -> None:
    """Write the file of the lesson anew.

    ``python -m stylewidgets.lesson.tradeoff --command "stylewidgets bench inversion …" --methods NAME=CALLED … -- FILE …``
    """
    parser = argparse.ArgumentParser(description="Write the table of the lesson from figures of the bench.")
    parser.add_argument("--command", required=True, help="what made the figures")
    parser.add_argument("--methods", nargs="+", required=True, help="such as 'Image2StyleGAN W+=W+'")
    parser.add_argument(
        "files", nargs="+", type=Path, help="JSON of the bench; rows of later ones join those of earlier ones"
    )
    args = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    for path in args.files:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        found |= {name: row for name, row in rows.items() if any(row.get(kind) for kind in KINDS)}
    made = extract(found, dict(one.split("=", 1) for one in args.methods), args.command)
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
