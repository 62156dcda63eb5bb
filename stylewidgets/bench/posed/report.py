"""The figures as tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...avatars.surface import GARMENTS
from ..editing.report import markdown
from ..editing.summary import Mean, mean
from .measure import FLOOR, PATTERNS

WORDS = {
    "source copied": "the source, copied",
    "carried, exact": "the source carried, exact way",
    "carried, atlas": "the source carried, atlas",
    "network, exact": "the network, exact way",
    "network, atlas": "the network, atlas",
    "network, no transfer": "the network, nothing taken",
}
ORDER = tuple(WORDS)


def tables(found: Mapping[str, Any]) -> dict[str, str]:
    """Each table by its name on the page; those that nothing was measured for say so."""
    made: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "pairs": reposed,
        "parts": parts,
        "patterns": patterns,
        "letters": letters,
    }
    needed = {"pairs": "pairs", "parts": "clothes", "patterns": "stripes", "letters": "letters"}
    return {
        name: text(found) if found["rows"].get(needed[name]) else "Not measured yet." for name, text in made.items()
    }


def reposed(found: Mapping[str, Any]) -> str:
    """A line for each way: means over pairs with their intervals."""
    rows = found["rows"]["pairs"]
    distances = found.get("frechet", {})
    head = ["", "PSNR dB", "PSNR of the body", "SSIM", "perceptual", "off where hidden, grey", "Fréchet"]
    lines = []
    for name in _ways(rows):
        cells = [_cell(rows, name, key, digits) for key, digits in _COLUMNS.items()]
        lines.append([WORDS[name], *cells, f"{distances[name]:.3f}" if name in distances else "–"])
    if FLOOR in distances:
        lines.append(["other renders", *["–"] * len(_COLUMNS), f"{distances[FLOOR]:.3f}"])
    return markdown(head, lines)


_COLUMNS = {"psnr": 1, "body": 1, "ssim": 3, "perceptual": 3, "hidden": 1}


def parts(found: Mapping[str, Any]) -> str:
    """A line for each part that is taken from another avatar: grey levels off inside of it, by way, and PSNR of the whole."""
    names = [part for part in GARMENTS if found["rows"].get(part)]
    ways, whole = _ways(found["rows"][names[0]]), ("carried, exact", "network, exact", "network, atlas")
    lines = []
    for part in names:
        rows = found["rows"][part]
        cells = [_cell(rows, name, "part", 1) for name in ways]
        lines.append([part, str(len(rows)), *cells, *(_cell(rows, name, "psnr", 1) for name in whole)])
    head = ["part", "pairs", *(WORDS[name] for name in ways), *(f"PSNR dB, {WORDS[name]}" for name in whole)]
    return markdown(head, lines)


def patterns(found: Mapping[str, Any]) -> str:
    """A line for each way: correlation with the re-render inside the torso."""
    there = [name for name in PATTERNS if found["rows"].get(name)]
    head = ["", *(f"{name}, {what}" for name in there for what in ("colours", "detail"))]
    lines = [
        [WORDS[way], *(_cell(found["rows"][name], way, what, 2) for name in there for what in ("colours", "detail"))]
        for way in _ways(found["rows"][there[0]])
    ]
    return markdown(head, lines)


def letters(found: Mapping[str, Any]) -> str:
    """How often the letter is read, by way and size."""
    rows = found["rows"]["letters"]
    lines = []
    for key in rows[0]:
        way, _, size = key.rpartition(", ")
        lines.append([WORDS[way], size, _cell(rows, key, "read", 2)])
    return markdown(["", "size", "letters read"], lines)


def _ways(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in ORDER if name in rows[0]]


def _cell(rows: Sequence[Mapping[str, Any]], way: str, key: str, digits: int) -> str:
    values = [row[way][key] for row in rows if row[way][key] is not None]
    return interval(mean(np.asarray(values, np.float64)), digits) if values else "–"


def interval(found: Mean, digits: int) -> str:
    """A mean and the ends of its interval."""
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
