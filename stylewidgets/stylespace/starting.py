"""Work of this package from plain values, for `session.start`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from .. import domain, jobs
from ..core.checks import unknown_name
from ..latent.latent import Latent
from ..session.session import GeneratorSession
from .channel import Channel
from .channel_statistics import statistics as make_statistics
from .directions import Effect
from .effects import effect
from .samples import Statistics
from .search.attributes import KINDS, attribute_rankings
from .search.by_place import LocalRanking
from .search.local import local_effect
from .search.ranking import Ranking


def begin_statistics(session: GeneratorSession, *, settings: Mapping[str, Any] | None = None) -> jobs.Run[Statistics]:
    """Starts the kind "statistics". settings: keywords of `statistics`."""
    jobs.check_names("setting of statistics", settings or {}, make_statistics, 1)
    return make_statistics.start(session, **dict(settings or {}))


def begin_local(
    session: GeneratorSession,
    *,
    latents: Sequence[Mapping[str, Any]],
    target: str,
    statistics: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
) -> jobs.Run[LocalRanking]:
    """Starts the kind "local-search".

    Args:
        session: a GeneratorSession.
        latents: each as `Latent.to_dict` gives it.
        target: name by `session.put` of the regions: a mask or labels.
        statistics: settings of the statistics that σ comes from.
        settings: keywords of `local_effect`.
    """
    regions = session.known(target)
    jobs.check_names("setting of statistics", statistics, make_statistics, 1)
    jobs.check_names("setting of a local search", settings or {}, local_effect, 4)
    return jobs.Run(_local(session, [Latent.from_dict(one) for one in latents], regions, statistics, settings or {}))


def begin_effect(
    session: GeneratorSession,
    *,
    latents: Sequence[Mapping[str, Any]],
    channel: Sequence[int],
    sigmas: Sequence[float],
    statistics: Mapping[str, Any],
) -> jobs.Run[Effect]:
    """Starts the kind "effect": what one channel does to one latent. See `effect` for the fields."""
    jobs.check_names("setting of statistics", statistics, make_statistics, 1)
    (latent,) = (Latent.from_dict(one) for one in latents)

    def work() -> jobs.Job[Effect]:
        stats = yield from jobs.part(make_statistics.steps(session, **statistics))
        yield jobs.Progress()
        return effect(session, latent, Channel(*channel), tuple(sigmas), stats=stats)

    return jobs.Run(work())


def begin_attributes(
    session: GeneratorSession, *, measure: str, statistics: Mapping[str, Any]
) -> jobs.Run[dict[str, Ranking]]:
    """Starts the kind "attribute-search": a ranking for each attribute that the domain of the session reads.

    Args:
        session: a GeneratorSession.
        measure: "effect" or "correlation".
        statistics: settings of the statistics that σ comes from.

    Raises:
        ValueError: nothing reads its pictures.
    """
    jobs.check_names("setting of statistics", statistics, make_statistics, 1)
    known = domain.of(session)
    if measure not in KINDS:
        raise unknown_name("measure of an attribute search", measure, KINDS)
    if known is None or known.reader is None:
        raise ValueError("nothing reads attributes off the pictures of this generator")
    reader = known.reader()

    def work() -> jobs.Job[dict[str, Ranking]]:
        stats = yield from jobs.part(make_statistics.steps(session, **statistics))
        return (yield from attribute_rankings.steps(session, stats, reader, measure))

    return jobs.Run(work())


def _local(
    session: GeneratorSession,
    latents: list[Latent],
    regions: ArrayLike,
    wanted: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> jobs.Job[LocalRanking]:
    stats = yield from jobs.part(make_statistics.steps(session, **wanted))
    return (yield from local_effect.steps(session, latents, stats, regions, **settings))
