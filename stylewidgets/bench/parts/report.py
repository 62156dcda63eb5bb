"""The figures as tables in Markdown, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..editing.report import markdown
from .retrieval import BY_CHANCE, BY_PART, BY_SOFTMAX, BY_W
from .search import FACES, SHARES
from .transfers import EXACT, MIXING, as_much
from .ways import CHANNELS, DENSEST, EDITING, RETRIEVE

WAYS = (DENSEST, RETRIEVE, EDITING, CHANNELS, MIXING, EXACT)
BARS = {"eyes": 0.75, "mouth": 0.75, "hair": 0.6}
"""Share of the change of a transfer that must lie inside the mask."""


def transfers(found: Mapping[str, Any]) -> str:
    """A line for each part and way."""
    head = [
        "part",
        "way",
        "inside ΔE",
        "outside ΔE",
        "share ΔE²",
        "share ΔE",
        "Fréchet",
        "truth",
        "missed",
        "done",
        "others",
    ]
    lines = []
    for part, rows in found["rows"].items():
        for way in WAYS:
            row = rows.get(way)
            if row is None:
                continue
            if isinstance(row, str):
                lines.append([part, way, *["–"] * 8, row])
                continue
            name = f"{way}, rows {row['rows']}" if "rows" in row else way
            name += "" if row["pairs"] == found["about"]["pairs"] else f" ({row['pairs']:.0f} pairs)"
            lines.append(
                [
                    part,
                    name,
                    f"{row['inside']:.1f}",
                    f"{row['outside']:.2f}",
                    f"{row['squares']:.2f}",
                    f"{row['share']:.2f}",
                ]
                + [f"{row['frechet']:.1f}", f"{row['truth']:.1f}", f"{row['missed']:.2f}", f"{row['done']:.2f}"]
                + [f"{row['others']:.2f}"]
            )
    floor = found["floor"]
    lines.append(
        ["–", "*unedited*", "0", "0", *["–"] * 2, f"{floor['frechet']:.1f}", f"{floor['truth']:.1f}", "1", "0", "0"]
    )
    return markdown(head, lines)


def verdicts(found: Mapping[str, Any]) -> str:
    """The bars, line by line: what was asked for and what came."""
    lines = []
    for part, bar in BARS.items():
        for way in (DENSEST, RETRIEVE, EDITING):
            row = found["rows"][part][way]
            if isinstance(row, str):
                continue
            key = as_much(found["rows"][part], found["mixing"], part, way)
            rival = "no range changes it as much" if key is None else f"rows {key}: {found['mixing'][key][part][1]:.2f}"
            reached = "yes" if row["squares"] >= bar else "**no**"
            lines.append([part, way, f"{bar:.2f}", f"{row['squares']:.2f}", reached, f"{row['outside']:.2f}", rival])
    head = [
        "part",
        "way",
        "asked",
        "share ΔE²",
        "reached",
        "outside ΔE",
        "best w+ mixing that changes as much, outside ΔE",
    ]
    return f"{markdown(head, lines)}\n\nA frame of a transfer takes {found['frame']:.2f} plain frames."


def agreement(found: Mapping[str, Any]) -> str:
    """Clusters against exact masks."""
    lines = [[part, f"{iou:.2f}", f"{best:.2f}"] for part, (iou, best) in found["agreement"].items()]
    return markdown(["part", "IoU", "best of this size"], lines)


def retrieval(found: Mapping[str, Any]) -> str:
    """NDCG and precision at 10."""
    rankers = (BY_PART, BY_SOFTMAX, BY_W, BY_CHANCE)
    head = ["gallery", "part", *(f"NDCG {name}" for name in rankers), *(f"precision {name}" for name in rankers)]
    lines = []
    for kind, parts in found["retrieval"].items():
        for part, row in parts.items():
            cells = [f"{row[key][k]:.2f}" if key in row else "–" for k in (0, 1) for key in rankers]
            lines.append([kind, part, *cells])
    return markdown(head, lines)


def search(found: Mapping[str, Any]) -> str:
    """How long a search of a large gallery takes."""
    times = found["search"]
    lines = []
    for where, words in (("memory", "in memory"), ("disk", "on disk, halves mapped into memory")):
        row = times[where]
        for name, share in SHARES.items():
            compared = round(share * row["channels"])
            cells = (f"{row['channels']:,}", f"{compared:,}", f"{row[name]:.0f}", f"{row[name] / times['frame']:.1f}")
            lines.append([words, *cells])
    head = ["gallery", "channels", "compared", "ms", "plain frames"]
    return f"{markdown(head, lines)}\n\n{FACES:,} faces, processor time of one search, medians of one run."
