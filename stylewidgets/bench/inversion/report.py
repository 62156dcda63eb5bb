"""The figures of inversions as tables in Markdown, and as a plot of the trade-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ...inversion import METHODS
from .papers import PAIRS, paired, shared, values, verdicts
from .pictures import GENERATED, INSIDE, KINDS, OUTSIDE

COLUMNS = {
    "MSE": ("mse", "{:.4f}"),
    "PSNR": ("psnr", "{:.1f}"),
    "perceptual": ("perceptual", "{:.3f}"),
    "w dist.": ("w_distance", "{:.2f}"),
    "realism": ("realism", "{:.2f}"),
    "change": ("change_error", "{:.2f}"),
    "smile": ("change_error smile", "{:.2f}"),
    "transfer": ("edit_transfer", "{:.2f}"),
    "side": ("edit_side", "{:.3f}"),
    "identity": ("identity", "{:.2f}"),
    "s/picture": ("processor_seconds", "{:.1f}"),
}
COMPARED = {
    "MSE": "mse",
    "perceptual": "perceptual",
    "change": "change_error",
    "change, smile": "change_error smile",
    "side": "edit_side",
    "realism": "realism",
}
PIXELS = {title: COMPARED[title] for title in ("MSE", "change", "change, smile")}
_COLOURS = {"encoder": "C0", "hybrid": "C1", "optimisation": "C2"}
Rows = Mapping[str, Any]
"""Method → {"method", "settings", kind: {picture: figures}}."""


def text_of(rows: Rows, unseen: Mapping[str, float]) -> dict[str, str]:
    """All tables, by the names of their places in the page.

    Args:
        rows: as `measure` leaves them.
        unseen: how much of each picture outside is, see `control.amounts`.
    """
    made = {}
    for kind in (OUTSIDE, INSIDE, GENERATED):
        made[kind] = overview(rows, kind)
        made[f"{kind} pairs"] = pairs(rows, kind)
    return made | {"halves": halves(rows, unseen), "order": order(rows)}


def overview(rows: Rows, kind: str) -> str:
    """A line for each method: median and mean of each figure."""
    names = [name for name, row in rows.items() if row.get(kind)]
    if not names:
        return "Not measured yet."
    held = {title: form for title, (figure, form) in COLUMNS.items() if _any(rows, names, kind, figure)}
    lines = [
        [name, str(len(rows[name][kind])), *(_cell(rows, name, kind, COLUMNS[t][0], form) for t, form in held.items())]
        for name in names
    ]
    return markdown(["", "pictures", *held], lines)


def pairs(rows: Rows, kind: str) -> str:
    """A line for each pair of methods: ratios of means with intervals, and in how many pictures the first has more."""
    found = {(a, b): shared(rows, kind, a, b) for a, b in PAIRS}
    measured = [pair for pair, names in found.items() if len(names) > 1]
    if not measured:
        return "Not measured yet."
    lines = []
    for a, b in measured:
        cells = [paired(rows, a, b, kind, figure) for figure in COMPARED.values()]
        lines.append([f"{a} / {b}", *("–" if cell is None else str(cell) for cell in cells)])
    return markdown(["", *COMPARED], lines)


def halves(rows: Rows, unseen: Mapping[str, float]) -> str:
    """The pairs on the half of the pictures outside that has more of what is unseen, and on the other half."""
    middle = float(np.median(list(unseen.values()))) if unseen else 0.0
    lines = []
    for (a, b), (words, much) in product(PAIRS, {"much": True, "little": False}.items()):
        names = [name for name in shared(rows, OUTSIDE, a, b) if name in unseen and (unseen[name] > middle) == much]
        if len(names) > 1:
            cells = [paired(rows, a, b, OUTSIDE, figure, names) for figure in PIXELS.values()]
            lines.append([f"{a} / {b}", words, *("–" if cell is None else str(cell) for cell in cells)])
    return markdown(["", "unseen", *PIXELS], lines) if lines else "Not measured yet."


def order(rows: Rows) -> str:
    """What papers report against what was found: more than 1 is as reported."""
    lines = [
        [one.kind, one.figure.replace("_", " "), f"{one.expected.worse} / {one.expected.better}", str(one.ratio)]
        + [f"**{one.word}**", one.expected.source]
        for one in verdicts(rows)
    ]
    return (
        markdown(["pictures", "figure", "worse / better", "ratio", "", "source"], lines)
        if lines
        else "Not measured yet."
    )


def plot(rows: Rows, path: Path) -> Path:
    """Distortion against the error of the change, a point for each method: good is to the lower left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 5), layout="constrained")
    for kind, axes in zip((INSIDE, OUTSIDE), figure.subplots(1, 2), strict=True):
        points = []
        for name, row in rows.items():
            if not row.get(kind):
                continue
            x, y = (float(np.nanmean(values(rows, name, kind, f, list(row[kind])))) for f in ("mse", "change_error"))
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
        axes.axhline(1, color="0.6", linewidth=1, linestyle="--")
        axes.margins(x=0.3, y=0.12)
        axes.set_xscale("log")
        axes.set_xlabel("distortion: mean square error, mean (log)")
        axes.set_ylabel("error of the change, mean; 1 is no edit")
        axes.set_title(f"{kind}: {KINDS[kind]}", fontsize=9)
        axes.grid(alpha=0.3)
    marks = [figure.axes[0].scatter([], [], color=colour, label=kind) for kind, colour in _COLOURS.items()]
    figure.axes[0].legend(handles=marks, fontsize=8)
    figure.savefig(path, dpi=110)
    return path


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table for a page."""
    return "\n".join(
        [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(line)} |" for line in lines)]
    )


def _any(rows: Rows, names: Sequence[str], kind: str, figure: str) -> bool:
    return any(np.isfinite(values(rows, name, kind, figure, list(rows[name][kind]))).any() for name in names)


def _cell(rows: Rows, name: str, kind: str, figure: str, form: str) -> str:
    some = values(rows, name, kind, figure, list(rows[name][kind]))
    known = some[np.isfinite(some)]
    return f"{form.format(np.median(known))} ({form.format(known.mean())})" if len(known) else "–"
