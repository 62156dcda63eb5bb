"""The table of transfers: every way on the same pairs, and every range of rows that w+ mixing could take instead."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from ... import domain
from ...editing.parts.parts import Parts
from ..editing.readings import pictures
from ..timing import in_turns, milliseconds
from .regions import PARTS, mask_of
from .score import Bench, Score, agreement
from .ways import DENSEST, LOOKED_AT, Way, local_channels, mixed, ranges, ways

LOCAL_SEED = 900
"""Of the first face whose gradient maps are looked at, truncated as usual."""
MIXING, EXACT = "w+ mixing", "*exact re-render*"


def measure(bench: Bench, parts: Parts, found: dict[str, Any]) -> Iterator[str]:
    """Add what is missing to a record, and say each in words."""
    if "floor" not in found:
        found["floor"] = bench.floor()
        found["agreement"] = {name: _agreement(bench, parts, name) for name in PARTS if name in parts.catalogue.parts}
        yield f"clusters and masks: {found['agreement']}"
    rows = found.setdefault("rows", {})
    if any(name not in rows for name in PARTS):
        known = _known(bench, parts)
        for name in PARTS:
            if name not in rows:
                rows[name] = {EXACT: bench.ideal(name).plain()} | {way: _row(bench, know, name) for way, know in known}
                yield f"{name}: {rows[name]}"
    mixing = found.setdefault("mixing", {})
    for first, last in ranges(bench.session):
        key = f"{first}-{last - 1}"
        if key not in mixing:
            mixing[key] = _mixed(bench, (first, last))
            yield f"rows {key}"
    for name in PARTS:
        if MIXING not in rows[name]:
            rows[name][MIXING] = _best(bench, name, rows[name], mixing)
            yield f"{name}: rows {rows[name][MIXING]}"
    if "frame" not in found:
        found["frame"] = frame(bench, parts)
        yield f"a frame of a transfer takes {found['frame']:.2f} plain frames"


def frame(bench: Bench, parts: Parts, repeats: int = 30) -> float:
    """What a frame of a transfer costs while its strength is dragged, as a multiple of a plain frame, medians in turns."""
    plain = itertools.cycle(bench.targets)
    start = parts.transfer(bench.targets[0], bench.references[0], "eyes")
    strengths = itertools.cycle(np.linspace(0, 1, 37))
    times = in_turns(
        {
            "plain": lambda: milliseconds(lambda: bench.session.image(next(plain))),
            "transfer": lambda: milliseconds(
                lambda: bench.session.image(start.with_edit(start.edit("eyes").with_strength(float(next(strengths)))))
            ),
        },
        repeats,
    )
    return times["transfer"].median / times["plain"].median


def as_much(rows: Mapping[str, Mapping[str, float]], mixing: Mapping[str, Any], part: str, way: str) -> str | None:
    """The range of rows that changes a part at least as much as a way does, with the least change outside; None if none does."""
    wanted = rows[way]["inside"]
    enough = {key: figures[part] for key, figures in mixing.items() if figures[part][0] >= wanted}
    return min(enough, key=lambda key: enough[key][1], default=None)


def _known(bench: Bench, parts: Parts) -> list[tuple[str, Way]]:
    segmenter = domain.of(bench.session)
    assert segmenter is not None and segmenter.segmenter is not None
    latents = [bench.session.latent(seed=LOCAL_SEED + i) for i in range(LOOKED_AT)]
    local = local_channels(bench.session, latents, segmenter.segmenter())
    return list(ways(parts, local).items())


def _row(bench: Bench, way: Way, part: str) -> dict[str, float] | str:
    """The figures of a way, or why it cannot."""
    edited, rows, why = [], [], ""
    for k, (target, reference) in enumerate(zip(bench.targets, bench.references, strict=True)):
        try:
            edited.append(way(target, reference, part))
        except ValueError as error:
            why = str(error)
        else:
            rows.append(k)
    return bench.score(part, edited, rows).plain() if len(rows) > 1 else why


def _mixed(bench: Bench, rows: tuple[int, int]) -> dict[str, list[float]]:
    """Of one range, for each part: change inside, outside, and the two shares.

    There are many ranges, so the mask is where the part is in the target and in the reference: nothing has to be read.
    """
    pairs = zip(bench.targets, bench.references, strict=True)
    shown = pictures(bench.session, [mixed(a, b, rows) for a, b in pairs])
    found = bench.parted(tuple(PARTS), bench.before.pictures, shown, bench.labels, bench.labels_there)
    return {part: [round(x, 4) for x in figures] for part, figures in found.items()}


def _best(bench: Bench, part: str, rows: Mapping[str, Any], mixing: Mapping[str, Any]) -> dict[str, Any] | str:
    if isinstance(rows[DENSEST], str):
        return "nothing to be compared with"
    key = as_much(rows, mixing, part, DENSEST)
    if key is None:
        return "no range of rows changes it as much"
    first, last = (int(x) for x in key.split("-"))
    pairs = zip(bench.targets, bench.references, strict=True)
    edited = [mixed(a, b, (first, last + 1)) for a, b in pairs]
    score: Score = bench.score(part, edited, range(len(edited)))
    return score.plain() | {"rows": key}


def _agreement(bench: Bench, parts: Parts, part: str) -> list[float]:
    masks = torch.from_numpy(np.stack([parts.mask(latent, part) for latent in bench.targets]))
    return [round(x, 3) for x in agreement(masks, mask_of(bench.labels, part))]
