"""Work of this package from plain values, for `session.start`."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import jobs
from ..latents import Latent
from . import cache
from .local import LocalRanking, local_effect
from .statistics import Statistics, statistics

_last: weakref.WeakKeyDictionary[Any, tuple[dict[str, Any], Statistics]] = weakref.WeakKeyDictionary()


def begin_statistics(session: Any, *, settings: Mapping[str, Any] | None = None) -> jobs.Run[Statistics]:
    """Starts the kind "statistics". settings: keywords of `statistics`."""
    return statistics.start(session, **dict(settings or {}))


def begin_local(
    session: Any,
    *,
    latents: Sequence[Any],
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
    return jobs.Run(_local(session, [Latent.from_dict(one) for one in latents], regions, statistics, settings or {}))


def local_spec(
    session: Any, latents: Sequence[Latent], stats: Statistics, regions: Any, **settings: Any
) -> dict[str, Any]:
    """The spec of a search for places; its regions become known to the session."""
    kept = {"n": stats.n, "seed": stats.seed, "psi": stats.psi}
    _last[session] = _about(session, kept), stats
    return {
        "kind": "local-search",
        "latents": [latent.to_dict() for latent in latents],
        "target": session.put(np.asarray(regions)),
        "statistics": kept,
        "settings": settings,
    }


def _local(
    session: Any, latents: list[Latent], regions: Any, wanted: Mapping[str, Any], settings: Mapping[str, Any]
) -> jobs.Job[LocalRanking]:
    about, stats = _last.get(session, ({}, None))
    if stats is None or about != _about(session, wanted):
        stats = yield from jobs.part(statistics.steps(session, **wanted), words="statistics")
        _last[session] = _about(session, wanted), stats
    return (yield from local_effect.steps(session, latents, stats, regions, **settings))


def _about(session: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the statistics of a session depend on."""
    return {"weights": cache.weights_of(session), **settings}
