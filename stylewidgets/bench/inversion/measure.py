"""Every method on the same pictures, a few at a time; what was measured is not measured again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np

from ...inversion import Result, Target, evaluate_each, known_edits
from ...inversion.evaluation.change import change_error
from ...inversion.evaluation.editability import drawn_edits
from ...inversion.evaluation.known import KnownEdits
from ...session.session import GeneratorSession
from .kept import SECONDS, Kept, found_by, mark
from .pictures import SEEDS, chunks, pictures
from .rows import Row

TOGETHER = 4
"""Pictures that are inverted at once. Each has a loss of its own, so that others do not change what it ends as."""
CHANGES = "changes"
"""Figures of a picture: the relative error of each edit's change, by the name of the direction."""


def measure(
    session: GeneratorSession,
    wanted: Sequence[Row],
    counts: Mapping[str, int],
    found: dict[str, Any],
    keep: Path | None = None,
) -> Iterator[str]:
    """Put figures into `found`, a method and a few pictures at a time, and say each in words.

    Args:
        session: the generator.
        wanted: rows, in the order in which they are measured.
        counts: how many pictures of each kind.
        found: name → {"method", "settings", "mark", kind: {picture: figures}}; rows that are not wanted stay.
        keep: folder of results, see `Kept`.
    """
    targets = {kind: pictures(kind, count, session) for kind, count in counts.items() if count}
    known = {kind: known_edits(target, session) for kind, target in targets.items()}
    for row in wanted:
        own = mark(session, row.method, row.settings)
        if found.get(row.name, {}).get("mark") != own:
            found[row.name] = {"method": row.method, "settings": dict(row.settings), "mark": own}
    # What is compared comes together: all rows of a method on one kind of pictures, then on the next.
    for _, rows in groupby(wanted, lambda row: row.method):
        for (kind, target), row in product(targets.items(), list(rows)):
            kept = Kept(session, keep, f"{kind} {SEEDS[kind]}")
            yield from _measure_row(session, row, target, known[kind], kept, found[row.name], kind)


def _measure_row(
    session: GeneratorSession,
    row: Row,
    target: Target,
    known: KnownEdits | None,
    kept: Kept,
    found: dict[str, Any],
    kind: str,
) -> Iterator[str]:
    """One method on one kind of pictures."""
    measured = found.setdefault(kind, {})
    for part, places in chunks(target, TOGETHER):
        if all(name in measured for name in part.names):
            continue
        began = time.perf_counter()
        for which, result in found_by(session, part, row, kept):
            edits = None if known is None else known.part(places[which])
            found["uses"] = dict(result.uses)
            one = part if len(result) == len(part) else part[which.start]
            measured |= figures(one, result, session, edits)
        told = np.mean([measured[name]["mse"] for name in part.names])
        yield f"{row.name}, {part.names[-1]}: mse {told:.4f}, {time.perf_counter() - began:.0f} s"


def figures(
    target: Target, result: Result, session: GeneratorSession, edits: KnownEdits | None
) -> dict[str, dict[str, Any]]:
    """All figures of each picture, by its name."""
    each = evaluate_each(target, result, session, edits=False if edits is None else edits)
    made = {}
    wrong = None if edits is None else change_error(edits.before, edits.after, *drawn_edits(edits, result, session))
    for i, (name, row) in enumerate(zip(target.names, each, strict=True)):
        row[SECONDS] = result.report[SECONDS] / len(result)
        if edits is not None and wrong is not None:
            row[CHANGES] = {
                d.name: float(wrong[i, k]) if edits.valid[i, k] else float("nan")
                for k, d in enumerate(edits.directions)
            }
        made[name] = row
    return made
