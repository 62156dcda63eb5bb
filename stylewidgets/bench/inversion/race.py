"""Races: the fast projector against the plain schedule, and a hybrid against its parts at equal time."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...inversion import Target
from ...inversion.evaluation.race import equal_time, race
from ...session.session import GeneratorSession
from ..report import table


def run_races(
    session: GeneratorSession, pictures: Mapping[str, Target], found: dict[str, Any], steps: int
) -> Iterator[str]:
    """Add a race for each picture to `found`, and say each in words; those that are there are not run again.

    Args:
        session: the generator.
        pictures: kind → target.
        found: name → figures of `inversion.race.Race`.
        steps: of the plain schedule.
    """
    for kind, target in pictures.items():
        for i, name in enumerate(target.names):
            key = f"{kind}: {name}"
            if key not in found:
                one = next(race(session, target[i], steps=steps))
                found[key] = asdict(one) | {"share": one.share}
                yield f"{key}: {one.seconds:.1f} s to {one.goal:.4f}; from {one.start} " + (
                    "not reached" if one.reached is None else f"in {one.reached:.1f} s"
                )


def run_equal_time(
    session: GeneratorSession, pictures: Mapping[str, Target], found: dict[str, Any], seconds: Sequence[float]
) -> Iterator[str]:
    """The same of a hybrid and its parts, for each time in `seconds`. found: name → `inversion.race.EqualTime`."""
    for kind, target in pictures.items():
        for i, name in enumerate(target.names):
            for time in seconds:
                key = f"{kind}: {name}, {time:g} s"
                if key not in found:
                    one = next(equal_time(session, target[i], time))
                    found[key] = asdict(one)
                    yield f"{key}: encoder {one.encoder:.4f}, optimisation {one.optimisation:.4f}, hybrid {one.hybrid:.4f}"


def races_text(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A line for each picture, and the middle."""
    lines = [
        (
            key,
            *(f"{one[name]:.4f}" for name in ("goal", "fast_goal")),
            f"{one['seconds']:.1f}",
            *(("–", "–") if one["reached"] is None else (f"{one['reached']:.1f}", f"{one['share']:.3f}")),
            one["start"],
        )
        for key, one in found.items()
    ]
    shares = [float("inf") if one["share"] is None else one["share"] for one in found.values()]
    reached = [share for share in shares if share != float("inf")]
    words = f"The distance was reached on {len(reached)} of {len(shares)} pictures"
    if reached:
        words += f"; median share of the time {statistics.median(shares):.3f}, within a fifth on {sum(s <= 0.2 for s in shares)}"
    head = ("", "plain distance", "fast distance", "plain s", "fast s to it", "share", "start")
    return table("The fast projector against the plain schedule, seconds of the processor", head, lines) + f"\n{words}."


def equal_time_text(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Medians for each time, and how often the hybrid was the best of the three."""
    lines = []
    for seconds in sorted({one["seconds"] for one in found.values()}):
        mine = [one for one in found.values() if one["seconds"] == seconds]
        best = sum(one["hybrid"] < min(one["encoder"], one["optimisation"]) for one in mine)
        middle = [statistics.median(one[name] for one in mine) for name in ("encoder", "optimisation", "hybrid")]
        lines.append((f"{seconds:g} s", *(f"{value:.4f}" for value in middle), f"{best} of {len(mine)}"))
    head = ("", "encoder alone", "optimisation alone", "hybrid", "hybrid best")
    return table("Perceptual distance at equal time, medians", head, lines)
