"""Channels by attribute, all attributes at once: a first estimate from few pictures, then the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from ...domain import Reader
from ...jobs import Job, Progress, Work
from ...session.session import GeneratorSession
from ..reports.readings import read_samples, read_w
from ..samples import Statistics
from .factors import effect_ranking, factor_effects, factor_ranking
from .ranking import Ranking

R = TypeVar("R")

KINDS = ("effect", "correlation")
FEW = 32
"""Pictures of the first estimate."""
SCALE_SAMPLES = 256
"""Pictures that the spread of a reading is taken over."""
EFFECT_FACES = 8
"""Faces that the effect of channels on readings is taken over."""


@Work
def attribute_rankings(
    session: GeneratorSession, statistics: Statistics, reader: Reader, kind: str = "effect"
) -> Job[dict[str, Ranking]]:
    """A ranking for each attribute by name. Counts to one total; the first estimate is the result so far.

    Args:
        session: a GeneratorSession.
        statistics: for σ.
        reader: reads the attributes.
        kind: "effect", what channels do to a reading, or "correlation", what goes with it.
    """
    few, count = min(FEW, statistics.n), len(reader.names)
    if kind == "correlation":
        part = replace(statistics, values=statistics.values[:few], w=statistics.w[:few])
        total = few + statistics.n
        readings = yield from _counted(read_w.steps(session, reader, part.w), 0, total)
        found = factor_ranking(session, part, readings, reader.names)
        yield Progress(few, total, partial=lambda: found)
        whole = read_samples.steps(session, statistics, reader)
        readings = yield from _counted(whole, few, total)
        return factor_ranking(session, statistics, readings, reader.names)
    samples = min(SCALE_SAMPLES, statistics.n)
    total = few + count + samples + count * min(EFFECT_FACES, statistics.n)
    scale = (yield from _counted(read_w.steps(session, reader, statistics.w[:few]), 0, total)).std(axis=0)
    one = factor_effects.steps(session, statistics, reader, scale, faces=1)
    effects = yield from _counted(one, few, total)
    first = effect_ranking(session, statistics, effects, reader)
    yield Progress(few + count, total, partial=lambda: first)
    begun = few + count
    read = read_w.steps(session, reader, statistics.w[:samples])
    scale = (yield from _counted(read, begun, total)).std(axis=0)
    all_faces = factor_effects.steps(session, statistics, reader, scale, faces=EFFECT_FACES)
    effects = yield from _counted(all_faces, begun + samples, total)
    return effect_ranking(session, statistics, effects, reader)


def _counted(job: Job[R], begun: int, total: int) -> Job[R]:
    """A job as part of a larger one: its steps count from `begun` on to the one total."""
    try:
        while True:
            progress = next(job)
            yield Progress(begun + progress.done, total, progress.words)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        job.close()
