"""Work of this package from plain values, for `session.start`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import jobs
from ..latent.latent import Latent
from ..session.session import GeneratorSession
from .channel_statistics import Statistics
from .channel_statistics import statistics as make_statistics
from .search.local import LocalRanking, local_effect


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


def local_spec(
    session: GeneratorSession, latents: Sequence[Latent], stats: Statistics, regions: ArrayLike, **settings: object
) -> dict[str, Any]:
    """The spec of a search for places; its regions become known to the session."""
    return {
        "kind": "local-search",
        "latents": [latent.to_dict() for latent in latents],
        "target": session.put(np.asarray(regions)),
        "statistics": {"n": stats.n, "seed": stats.seed, "psi": stats.psi},
        "settings": settings,
    }


def _local(
    session: GeneratorSession,
    latents: list[Latent],
    regions: ArrayLike,
    wanted: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> jobs.Job[LocalRanking]:
    stats = yield from jobs.part(make_statistics.steps(session, **wanted))
    return (yield from local_effect.steps(session, latents, stats, regions, **settings))
