"""Figures for papers and notebooks, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..channel import Channel
from ..channel_statistics import Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..effects import Effect
    from .table import Report, Row

KINDS = {"style": ("style channel", "C0"), "boundary": ("W boundary", "C1"), "shipped": ("shipped direction", "C2")}
NAMES = {"z": "Z", "w": "W", "s": "S", "w expanded": "W expanded", "w+ mixed": "W+ (mixed)", "s mixed": "S (mixed)"}


def histogram_figure(stats: Statistics, channels: Sequence[Channel], values: ArrayLike | None = None) -> Figure:
    """How channels are spread over the samples, in σ. `values`: flat s [S] of a picture to mark."""
    figure, axes = _axes(1, len(channels), 2.6, 1.9)
    for axis, channel in zip(axes[0], channels, strict=True):
        i = channel.flat(stats.layers)
        axis.hist((stats.samples(channel) - stats.mean[i]) / stats.std[i], bins=40, color="0.6")
        if values is not None:
            axis.axvline(float(stats.in_sigma(values)[i]), color="C3")
        axis.set_title(channel.name(stats.layers), fontsize=9)
        axis.set_xlabel("σ", fontsize=8)
        axis.set_yticks([])
    return figure


def effect_figure(effects: Sequence[Effect], titles: Sequence[str]) -> Figure:
    """A row for each effect: its pictures, then where the picture changes."""
    figure, axes = _axes(len(effects), 1 + max(len(e.sigmas) for e in effects), 1.5, 1.55)
    for row, found, title in zip(axes, effects, titles, strict=True):
        for axis in row:
            axis.axis("off")
        for axis, picture, sigma in zip(row, found.pictures, found.sigmas, strict=False):
            axis.imshow(picture)
            axis.set_title(f"{sigma:+.3g} σ", fontsize=8)
        row[-1].imshow(found.heat, cmap="magma", vmin=0)
        row[-1].set_title("change", fontsize=8)
        row[0].text(-0.08, 0.5, title, rotation=90, va="center", ha="right", fontsize=8, transform=row[0].transAxes)
    return figure


def dependency_figure(report: Report, factors: Sequence[str]) -> Figure:
    """Mean-AD against the change of the target, one panel for each factor: lower is better."""
    figure, axes = _axes(1, len(factors), 2.5, 2.2)
    _draw_curves(axes[0], report, [report.row(factor) for factor in factors])
    return figure


def dci_figure(scores: dict[str, tuple[float, float, float]]) -> Figure:
    """Disentanglement, completeness and informativeness of each space as bars."""
    figure, axes = _axes(1, 1, 5.5, 2.4)
    _draw_dci(axes[0][0], scores)
    return figure


def gaps_figure(report: Report) -> Figure:
    """Mean-AD of all factors at the same change of each: channel, W boundary, shipped direction. Left is better."""
    figure, axes = _axes(1, 1, 6.5, 0.9 + 0.19 * len(report.rows))
    _draw_gaps(axes[0][0], report)
    return figure


def report_figure(report: Report) -> Figure:
    """All of a report on one page: DCI, the dependencies of all factors, and the curves of the four clearest ones.

    A `matplotlib.figure.Figure` that is no part of pyplot, so it may be made on any thread and nothing keeps it.
    """
    from matplotlib.figure import Figure

    rows = sorted((row for row in report.rows if np.isfinite(row.style.mean)), key=lambda row: row.ratio)
    figure = Figure(figsize=(10.0, max(4.6, 1.6 + 0.19 * len(rows)) + 2.4), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[max(4.6, 1.6 + 0.19 * len(rows)), 2.4])[:, 0]
    left, right = top.subplots(1, 2)
    _draw_dci(left, report.dci)
    _draw_gaps(right, report)
    if rows:
        panels = bottom.subplots(1, min(4, len(rows)), squeeze=False)[0]
        _draw_curves(panels, report, rows[: len(panels)])
    return figure


def _draw_curves(axes: Sequence[Axes], report: Report, rows: Sequence[Row]) -> None:
    for axis, row in zip(axes, rows, strict=True):
        for kind, (words, colour) in KINDS.items():
            curve = getattr(row, kind)
            if curve is not None:
                points = sorted(zip((0.0, *curve.changes), (0.0, *curve.means), strict=True))
                axis.plot(*zip(*points, strict=True), marker=".", color=colour, label=words)
        axis.set_xlim(0, 1.25 * report.change)
        axis.set_title(f"{row.factor.replace('_', ' ')}, {row.name}", fontsize=8)
        axis.set_xlabel("change of the target (σ)", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel("mean-AD", fontsize=8)
    axes[-1].legend(fontsize=7, frameon=False)


def _draw_gaps(axis: Axes, report: Report) -> None:
    rows = sorted(report.rows, key=lambda row: -row.ratio)
    for kind, (words, colour) in KINDS.items():
        curves = [getattr(row, kind) for row in rows]
        shown = [
            (curve.mean, place) for place, curve in enumerate(curves) if curve is not None and np.isfinite(curve.mean)
        ]
        if shown:
            x, y = zip(*shown, strict=True)
            axis.scatter(x, y, s=22, color=colour, label=words, zorder=3, alpha=0.85)
    axis.set_yticks(range(len(rows)), [row.factor.replace("_", " ") for row in rows], fontsize=7)
    if rows:
        axis.axhspan(len(rows) - len(report.better) - 0.5, len(rows) - 0.5, color="C0", alpha=0.08, linewidth=0)
        axis.legend(fontsize=7, frameon=False, loc="lower right")
        axis.set_xscale("log")
        axis.set_xticks(ticks := [0.02, 0.05, 0.1, 0.2, 0.5, 1.0], [f"{t:g}" for t in ticks], fontsize=7)
        axis.minorticks_off()
        axis.set_ylim(-0.7, len(rows) - 0.3)
    axis.grid(axis="x", alpha=0.3)
    axis.set_xlabel(
        f"mean change of the others when the factor moves by {report.change:g} σ (shaded: channel ahead)", fontsize=7
    )


def _draw_dci(axis: Axes, scores: dict[str, tuple[float, float, float]]) -> None:
    width = 0.8 / 3
    for k, words in enumerate(("disentanglement", "completeness", "informativeness")):
        places = np.arange(len(scores)) + (k - 1) * width
        bars = axis.bar(places, [float(values[k]) for values in scores.values()], width * 0.92, label=words)
        axis.bar_label(bars, fmt="%.2f", fontsize=6)
    axis.set_xticks(range(len(scores)), [NAMES.get(space, space).replace(" ", "\n") for space in scores], fontsize=8)
    axis.set_ylim(0, 1.1)
    if scores:
        axis.legend(fontsize=7, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.2))


def _axes(rows: int, columns: int, width: float, height: float) -> tuple[Figure, list[list[Axes]]]:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False, layout="constrained"
    )
    return figure, axes.tolist()
