"""The figures, put together over rows, and as tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...avatars.surface import GARMENTS
from ..editing.report import markdown
from ..editing.summary import mean
from .measure import FLOOR, PATTERNS

WORDS = {
    "source copied": "the source, copied",
    "carried, exact": "the source carried, exact way",
    "carried, atlas": "the source carried, atlas",
    "network, exact": "the network, exact way",
    "network, atlas": "the network, atlas",
    "network, no transfer": "the network, nothing taken",
}
_COLUMNS = {"psnr": 1, "body": 1, "ssim": 3, "perceptual": 3, "hidden": 1}
Figures = Mapping[str, Any]


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """What `measure` found, over its rows.

    Returns:
        "rows": how many there are of each kind; "means": by kind, way and name of the figure [mean, lower, upper end of the
        bootstrap interval]; "frechet" by way.
    """
    return {
        "rows": {kind: len(rows) for kind, rows in found["rows"].items() if rows},
        "means": {kind: _over(rows) for kind, rows in found["rows"].items() if rows},
        "frechet": dict(found.get("frechet", {})),
    }


def _over(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[float]]]:
    made: dict[str, dict[str, list[float]]] = {}
    for way, figures in rows[0].items():
        for key in figures:
            values = [row[way][key] for row in rows if row[way][key] is not None]
            if values:
                made.setdefault(way, {})[key] = list(mean(np.asarray(values, np.float64)))
    return made


def tables(figures: Figures) -> dict[str, str]:
    """Each table of a `summary` by its name on the page; those that nothing was measured for say so."""
    made: dict[str, tuple[Callable[[Figures], str], str]] = {
        "pairs": (reposed, "pairs"),
        "parts": (parts, "clothes"),
        "patterns": (patterns, "stripes"),
        "letters": (letters, "letters"),
    }
    return {
        name: text(figures) if kind in figures["means"] else "Not measured yet." for name, (text, kind) in made.items()
    }


def reposed(figures: Figures) -> str:
    """A line for each way: means over pairs with their intervals."""
    means, distances = figures["means"]["pairs"], figures["frechet"]
    head = ["", "PSNR dB", "PSNR of the body", "SSIM", "perceptual", "off where hidden, grey", "Fréchet"]
    lines = []
    for way in _ways(means):
        cells = [_cell(means[way], key, digits) for key, digits in _COLUMNS.items()]
        lines.append([WORDS[way], *cells, f"{distances[way]:.3f}" if way in distances else "–"])
    if FLOOR in distances:
        lines.append([FLOOR, *["–"] * len(_COLUMNS), f"{distances[FLOOR]:.3f}"])
    return markdown(head, lines)


def parts(figures: Figures) -> str:
    """A line for each part that is taken from another avatar: grey levels off inside of it, by way, and PSNR of the whole."""
    names = [part for part in GARMENTS if part in figures["means"]]
    ways, whole = _ways(figures["means"][names[0]]), ("carried, exact", "network, exact", "network, atlas")
    lines = []
    for part in names:
        means = figures["means"][part]
        cells = [_cell(means[way], "part", 1) for way in ways]
        lines.append([part, str(figures["rows"][part]), *cells, *(_cell(means[way], "psnr", 1) for way in whole)])
    head = ["part", "pairs", *(WORDS[name] for name in ways), *(f"PSNR dB, {WORDS[name]}" for name in whole)]
    return markdown(head, lines)


def patterns(figures: Figures) -> str:
    """A line for each way: correlation with the re-render inside the torso."""
    there = [name for name in PATTERNS if name in figures["means"]]
    shown = [(name, what) for name in there for what in ("colours", "detail")]
    lines = [
        [WORDS[way], *(_cell(figures["means"][name][way], what, 2) for name, what in shown)]
        for way in _ways(figures["means"][there[0]])
    ]
    return markdown(["", *(f"{name}, {what}" for name, what in shown)], lines)


def letters(figures: Figures) -> str:
    """How often the letter is read, by way and size."""
    lines = []
    for key, means in figures["means"]["letters"].items():
        way, _, size = key.rpartition(", ")
        lines.append([WORDS[way], size, _cell(means, "read", 2)])
    return markdown(["", "size", "letters read"], lines)


def _ways(means: Mapping[str, Any]) -> list[str]:
    return [name for name in WORDS if name in means]


def _cell(means: Mapping[str, Sequence[float]], key: str, digits: int) -> str:
    if key not in means:
        return "–"
    value, low, high = (f"{number:.{digits}f}" for number in means[key])
    return f"{value} [{low}, {high}]"
