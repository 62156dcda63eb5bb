"""The figures of inversions as text, as a table for a page, and as a plot of the trade-off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...inversion import METHODS
from ..report import table
from .rows import GENERATED, RENDERS, checks

COLUMNS = {
    "MSE": ("mse", "{:.4f}"),
    "PSNR": ("psnr", "{:.1f}"),
    "SSIM": ("ssim", "{:.3f}"),
    "perceptual": ("perceptual", "{:.3f}"),
    "identity": ("identity", "{:.2f}"),
    "w dist.": ("w_distance", "{:.2f}"),
    "realism": ("realism", "{:.2f}"),
    "transfer": ("edit_transfer", "{:.2f}"),
    "edit err.": ("edit_error", "{:.3f}"),
    "edited": ("edit_perceptual", "{:.3f}"),
    "s/picture": ("processor_seconds", "{:.2f}"),
}
_COLOURS = {"encoder": "C0", "hybrid": "C1", "optimisation": "C2"}


def text_of(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables, and what the papers say against what was found."""
    parts = [
        table(
            f"Inversion of {kind} pictures, medians" if kind == GENERATED else f"Inversion of {kind}, medians",
            ("", *COLUMNS),
            [(name, *_cells(row.get(kind, {}))) for name, row in found.items()],
        )
        for kind in (GENERATED, RENDERS)
    ]
    lines = [f"  {'as reported' if same else 'NOT so     '}  {words}" for same, words in checks(found)]
    return "\n".join([*parts, "Against what the papers report", "", *lines])


def markdown(found: Mapping[str, Mapping[str, Any]], kind: str) -> str:
    """The table of a kind of pictures for a page."""
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(_cells(row.get(kind, {})))} |" for name, row in found.items()]
    return "\n".join(lines) + "\n"


def plot(found: Mapping[str, Mapping[str, Any]], path: Path) -> Path:
    """Distortion against editability, a point for each method: good is to the lower left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 5), layout="constrained")
    for kind, axes in zip((GENERATED, RENDERS), figure.subplots(1, 2), strict=True):
        points = []
        for name, row in found.items():
            x, y = (row.get(kind, {}).get(figure_name) for figure_name in ("perceptual", "edit_error"))
            if x is None or y is None:
                continue
            axes.scatter([x], [y], s=46, color=_COLOURS[METHODS[row["method"]].kind], zorder=3)
            points.append((y, x, name))
        for k, (y, x, name) in enumerate(
            sorted(points)
        ):  # to both sides in turns, so that neighbours in height do not meet
            side = 1 if k % 2 else -1
            axes.annotate(
                name,
                (x, y),
                xytext=(7 * side, 0),
                textcoords="offset points",
                fontsize=8,
                va="center",
                ha="left" if side > 0 else "right",
            )
        axes.margins(x=0.3, y=0.12)
        axes.set_xscale("log")
        axes.set_xlabel("distortion: perceptual distance, median (log)")
        axes.set_ylabel("edit error, σ of factor readings, median")
        axes.set_title("generated pictures (w known)" if kind == GENERATED else "renders (factors known)")
        axes.grid(alpha=0.3)
    marks = [figure.axes[0].scatter([], [], color=colour, label=kind) for kind, colour in _COLOURS.items()]
    figure.axes[0].legend(handles=marks, fontsize=8)
    figure.savefig(path, dpi=110)
    return path


def _cells(figures: Mapping[str, Any]) -> list[str]:
    return [
        form.format(figures[key]) if isinstance(figures.get(key), (int, float)) else "–"
        for key, form in COLUMNS.values()
    ]
