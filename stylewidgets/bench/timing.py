"""Repeated measurements, taken in turns so that a machine that slows down slows all of them down."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """Several measurements of one thing, in milliseconds unless the table says otherwise."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value, nan when there is none."""
        return statistics.median(self.values) if self.values else float("nan")

    @property
    def spread(self) -> tuple[float, float]:
        """The first and the third quartile; the extremes when there are fewer than four values."""
        if not self.values:
            return (float("nan"), float("nan"))
        if len(self.values) < 4:
            return (min(self.values), max(self.values))
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return (low, high)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        low, high = self.spread
        return {"median": self.median, "low": low, "high": high, "values": list(self.values)}


def in_turns(
    tasks: Mapping[str, Callable[[], float]],
    repeats: int,
    *,
    warm: int = 3,
    seed: int = 0,
    seconds: float = float("inf"),
) -> dict[str, Sample]:
    """Call every task ``repeats`` times in rounds of shuffled order. A task does its work and returns milliseconds.

    No round but the first begins later than after ``seconds``.
    """
    for task in tasks.values():
        for _ in range(warm):
            task()
    names = list(tasks)
    order = random.Random(seed)
    values: dict[str, list[float]] = {name: [] for name in names}
    collecting, end = gc.isenabled(), time.perf_counter() + seconds
    gc.disable()
    try:
        for number in range(repeats):
            if number and time.perf_counter() > end:
                break
            gc.collect()
            order.shuffle(names)
            for name in names:
                values[name].append(tasks[name]())
    finally:
        if collecting:
            gc.enable()
    return {name: Sample(tuple(times)) for name, times in values.items()}


def milliseconds(work: Callable[[], Any]) -> float:
    """How long ``work`` takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def merge(samples: Sequence[float | None]) -> Sample:
    """A sample of the values that are there."""
    return Sample(tuple(value for value in samples if value is not None))
