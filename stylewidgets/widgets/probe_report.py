"""How well the spaces of a generator keep attributes apart: the figures of the StyleSpace paper, and their picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import stylespace
from ..directions import sample_w
from ..directions.layers import named_ranges
from ..stylespace.readings import read_w

CURVES = 4
"""Attributes whose dependency is drawn."""

STRENGTHS = (1.0, 2.0, 4.0, 8.0)
SPACE_COLOURS = {"Z": "#9e9e9e", "W": "#6a9fd8", "W+": "#3f6fb5", "S": "#d9480f"}
Callback = Callable[..., None]


@dataclass(frozen=True, eq=False)
class ProbeReport:
    """DCI of each space, and the dependency curves of channels and of directions in w for the same attributes.

    Attributes:
        dci: `stylespace.DCI` by space.
        channels, boundaries: `stylespace.Dependency` by attribute; `boundaries` only where there is a direction.
        names: of the channels, by attribute.
        samples: how many pictures it rests on.
    """

    dci: Mapping[str, Any]
    channels: Mapping[str, Any]
    boundaries: Mapping[str, Any]
    names: Mapping[str, str]
    samples: int

    def line(self) -> str:
        """The result in one line."""
        order = sorted(self.dci, key=lambda space: -self.dci[space].disentanglement)
        return "disentanglement: " + " > ".join(f"{space} {self.dci[space].disentanglement:.2f}" for space in order)

    def figure(self) -> Any:
        """Return a `matplotlib.figure.Figure`: bars of the three figures, and the curves."""
        from matplotlib.figure import Figure

        made = Figure(figsize=(9.5, 3.6), layout="constrained")
        bars, curves = made.subplots(1, 2)
        _draw_bars(bars, self.dci, self.samples)
        _draw_curves(curves, self)
        return made


def report(session: Any, stats: Any, reader: Any, callback: Callback) -> ProbeReport:
    """Make the report.

    Codes of Z, W and S are those of `stats`. A sampled w+ repeats one w, so W+ is measured on mixed styles: one w each for the
    coarse, middle and fine rows.

    Args:
        callback: callback(done, total), total 0 where it is not known.
    """
    readings = stylespace.read_samples(session, stats, reader, callback=callback)
    scale = readings.std(axis=0)
    z = np.random.RandomState(stats.seed).randn(stats.n, session.z_dim)
    found = {}
    for space, codes in (("Z", z), ("W", stats.w), ("S", stats.values.astype(np.float32))):
        found[space] = stylespace.dci(codes, readings, callback=callback)
    mixed, rows = mixed_w(session, stats)
    found["W+"] = stylespace.dci(mixed, read_w(session, reader, rows, callback=callback), callback=callback)
    channels, boundaries, names = _curves(session, stats, reader, scale, callback)
    return ProbeReport({space: found[space] for space in SPACE_COLOURS}, channels, boundaries, names, stats.n)


def mixed_w(session: Any, stats: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Codes [n, 3 w_dim] and rows of w+ [n, num_ws, w_dim] of mixed styles."""
    ranges = list(named_ranges(session.num_ws).values())
    parts = [stats.w, *(sample_w(session, stats.n, stats.seed + 1 + k) for k in range(len(ranges) - 1))]
    rows = np.empty((stats.n, session.num_ws, session.w_dim), np.float32)
    for (first, last), part in zip(ranges, parts, strict=True):
        rows[:, first:last] = part[:, None]
    return np.concatenate(parts, axis=1).astype(np.float32), rows


def _curves(
    session: Any, stats: Any, reader: Any, scale: Any, callback: Callback
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """The dependencies of the attributes with the strongest channels; first those that have a direction."""
    effects = stylespace.factor_effects(session, stats, reader, scale, callback=callback)
    rankings = stylespace.effect_ranking(session, stats, effects, reader)
    best = {name: ranking.channels[0] for name, ranking in rankings.items() if len(ranking.order)}
    merit = {name: float(rankings[name].values[rankings[name].order[0]]) for name in best}
    chosen = sorted(best, key=lambda name: (name not in session.directions, -merit[name]))[:CURVES]
    channels, boundaries, names = {}, {}, {}
    for name in chosen:
        channel = best[name]
        side = float(rankings[name].sign[channel.flat(session.layers)]) or 1.0
        names[name] = channel.paper
        shared = {"scale": scale, "callback": callback}
        channels[name] = stylespace.attribute_dependency(
            session, channel, stats, reader, name, strengths=[side * s for s in STRENGTHS], **shared
        )
        if name in session.directions:
            direction = session.directions[name]
            boundaries[name] = stylespace.attribute_dependency(
                session, direction, stats, reader, name, strengths=[s / 2 for s in STRENGTHS], **shared
            )
    return channels, boundaries, names


def _draw_bars(axes: Any, dci: Mapping[str, Any], samples: int) -> None:
    words = ("disentanglement", "completeness", "informativeness")
    width = 0.8 / len(dci)
    for number, (space, values) in enumerate(dci.items()):
        x = np.arange(3) + (number - (len(dci) - 1) / 2) * width
        drawn = axes.bar(
            x, [getattr(values, word) for word in words], width * 0.94, label=space, color=SPACE_COLOURS[space]
        )
        axes.bar_label(drawn, fmt="%.2f", fontsize=7)
    axes.set_xticks(np.arange(3), words)
    axes.set_ylim(0, 1.08)
    axes.legend(ncols=len(dci), fontsize=8, frameon=False, loc="upper left")
    axes.set_title(f"DCI over {samples} pictures", fontsize=10)


def _draw_curves(axes: Any, report: ProbeReport) -> None:
    colours = ("#d9480f", "#1565c0", "#2e7d32", "#7b1fa2")
    for colour, (name, curve) in zip(colours, report.channels.items(), strict=False):
        _draw_curve(axes, curve, color=colour, label=f"{name}: {report.names[name]}")
        if name in report.boundaries:
            _draw_curve(axes, report.boundaries[name], color=colour, linestyle="--", label=f"{name}: in w")
    axes.set_xlabel("change of the attribute (σ)")
    axes.set_ylabel("mean change of the others (σ)")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_title("attribute dependency, lower is better", fontsize=10)
    axes.legend(fontsize=7, frameon=False)


def _draw_curve(axes: Any, curve: Any, **style: Any) -> None:
    axes.plot([0, *curve.change], [0, *curve.mean], marker=".", **style)


def figure_png(figure: Any) -> bytes:
    """Return a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=120, facecolor="white")
    return buffer.getvalue()
