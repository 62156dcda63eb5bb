"""Sentences that no encoder was trained on, each as a global direction of one strength for all: does it do what it says?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...text.unseen import Change, changes
from .readings import read
from .report import markdown
from .score import Bench

if TYPE_CHECKING:
    from ...editing.words import Words

FACES = 20
MOVED = 0.3
"""σ that the named factor has to move on average, to the side that was named."""


def measure(bench: Bench, words: Words, found: dict[str, Any], given: Sequence[Change] | None = None) -> Iterator[str]:
    """Put a record of each sentence into `found`, and say each in words; those that are there are not measured again.

    Args:
        bench: faces, judge and unit; the first `FACES` of its faces are edited.
        words: the generator and the encoder.
        given: sentences with what they have to move; those of `text.unseen` when None.
    """
    latents = bench.faces.latents[:FACES]
    before = {name: values[: len(latents)] for name, values in bench.before.items()}
    for change in changes() if given is None else given:
        if change.target in found:
            continue
        record: dict[str, Any] = {name: getattr(change, name) for name in ("neutral", "kind", "reading", "side")}
        try:
            direction = words.direction(change.neutral, change.target)
        except ValueError as error:
            found[change.target] = record | {"moved": [], "also": {}, "why": str(error)}
            yield f"{change.target!r}: {error}"
            continue
        after = read(bench.judge, bench.session, [latent.with_edit(direction, 1.0) for latent in latents])
        moved = {
            name: bench.ruler.moved(name, before, after) * side
            for name, side in {change.reading: change.side, **change.also}.items()
        }
        record |= {
            "moved": [round(float(x), 3) for x in moved.pop(change.reading)],
            "also": {name: round(float(values.mean()), 3) for name, values in moved.items()},
            "others": round(float(bench.ruler.others(change.reading, before, after).mean()), 3),
            "channels": len(direction.channels),
            "sigma": round(float(direction.sigma), 2),
        }
        found[change.target] = record
        yield f"{change.target!r}: {np.mean(record['moved']):+.2f} σ"


def text_of(found: Mapping[str, Mapping[str, Any]], judged: Sequence[str]) -> str:
    """A line for each sentence, and how many did what they say."""
    if not found:
        return "Not measured yet."
    lines, reached = [], 0
    for target, record in found.items():
        if not record["moved"]:
            lines.append([target, _wanted(record), "–", "–", "–", "–", record["why"]])
            continue
        mean = float(np.mean(record["moved"]))
        reached += mean >= MOVED
        right = sum(x > 0 for x in record["moved"])
        also = ", ".join(f"{name.replace('_', ' ')} {value:+.2f}" for name, value in record["also"].items())
        notes = "; ".join(filter(None, [f"also {also}" if also else "", *_unsure(record, judged)]))
        lines.append(
            [target, _wanted(record), f"{mean:+.2f}" if mean >= MOVED else f"**{mean:+.2f}**"]
            + [f"{right}/{len(record['moved'])}", f"{record['others']:.2f}", str(record["channels"]), notes]
        )
    head = ["sentence", "is to move", "moved σ", "faces", "others σ", "channels", ""]
    first = (
        f"{reached} of {len(found)} sentences move the named factor to the right side by at least {MOVED} σ on average."
    )
    return f"{first}\n\n{markdown(head, lines)}"


def _wanted(record: Mapping[str, Any]) -> str:
    return f"{record['reading'].replace('_', ' ')} {'+' if record['side'] > 0 else '−'}"


def _unsure(record: Mapping[str, Any], judged: Sequence[str]) -> list[str]:
    return [] if record["reading"].split(":")[0].split(" ")[0] in judged else ["the judge reads this weakly"]
