"""The figures of dragging as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..editing.report import markdown
from .pairs import COUNTS

BARS = {"1": 0.30, "5": 0.40}
"""Mean distance that may be left, as a share of that of no edit."""


def distances(found: Mapping[str, Any]) -> str:
    """A line for each kind of picture and number of points."""
    head = [
        "pictures",
        "points",
        "pairs",
        "no edit px",
        "direction px",
        "drag px",
        "of no edit",
        "asked",
        "believed px",
    ]
    head += ["grey: no edit", "direction", "drag", "identity: no edit", "direction", "drag", "steps", "steps/s"]
    lines = []
    for kind, rows in found["rows"].items():
        for name in COUNTS:
            cells = [row["points"][name] for row in rows]
            if not cells:
                continue
            px = {what: _mean(cells, what, "distance") for what in ("no edit", "direction", "drag")}
            share = px["drag"] / px["no edit"]
            bar = BARS.get(name)
            ratio = f"{share:.2f}" if bar is None or share <= bar else f"**{share:.2f}**"
            steps = _mean(cells, "drag", "steps")
            lines.append(
                [
                    kind,
                    name,
                    str(len(cells)),
                    *(f"{x:.2f}" for x in px.values()),
                    ratio,
                    "–" if bar is None else f"{bar:.2f}",
                ]
                + [f"{_mean(cells, 'drag', 'believed'):.2f}"]
                + [f"{_mean(cells, what, 'grey'):.1f}" for what in px]
                + [f"{_mean(cells, what, 'identity'):.2f}" for what in px]
                + [f"{steps:.0f}", f"{steps / max(_mean(cells, 'drag', 'seconds'), 1e-9):.1f}"]
            )
    return markdown(head, lines)


def floors(found: Mapping[str, Any]) -> str:
    """What reading costs, and what inversion cost."""
    head = [
        "pictures",
        "moved px",
        "read off the target px",
        "read off the first render px",
        "inversion, grey",
    ]
    lines = []
    for kind, rows in found["rows"].items():
        values = [[row["moved"], *row["floor"], row["inversion"]] for row in rows]
        if values:
            moved, target, first, inversion = np.mean(values, axis=0)
            lines.append([kind, f"{moved:.1f}", f"{target:.2f}", f"{first:.2f}", f"{inversion:.1f}"])
    return markdown(head, lines)


def by_factor(found: Mapping[str, Any]) -> str:
    """Distance that is left as a share of no edit, by what the pair differs in."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for rows in found["rows"].values():
        for row in rows:
            groups.setdefault(row["factor"], []).append(row["points"])
    lines = []
    for name, cells in groups.items():
        of = [[cell[count] for cell in cells] for count in COUNTS]
        shares = [_mean(each, "drag", "distance") / _mean(each, "no edit", "distance") for each in of]
        lines.append([name, str(len(cells)), *(f"{share:.2f}" for share in shares)])
    return markdown(["factor", "pairs", *(f"{name} point{'s' * (name != '1')}" for name in COUNTS)], lines)


def _mean(cells: Sequence[Mapping[str, Any]], what: str, key: str) -> float:
    return float(np.mean([cell[what][key] for cell in cells]))
