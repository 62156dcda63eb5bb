"""Channels by attribute: from samples with readings, or by following the gradient of a reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.checks import unknown_name
from ...directions._linear import ridge_weights
from ...domain import Reader
from ...jobs import Job, Progress, Work
from ...session.batching import pictures_in_a_step
from ...session.session import GeneratorSession
from ..channel_statistics import Statistics
from ..reports.readings import Readings, check_readings
from .gradients import slopes
from .ranking import Ranking, ranked

METHODS = ("correlation", "regression")


def factor_ranking(
    session: GeneratorSession,
    stats: Statistics,
    readings: Readings,
    names: Sequence[str] | None = None,
    *,
    method: str = "correlation",
    l2: float = 0.1,
    include_torgb: bool = False,
) -> dict[str, Ranking]:
    """For each factor, all channels by how they go with it over samples.

    Many channels follow the same w, so what goes with a factor need not move it: `effect_ranking` says what does.

    Args:
        stats: of `statistics`.
        readings: [n, F], a row for each sample of `stats`, such as `read_samples` gives; or a dict of [n].
        names: of the factors.
        method: "correlation", or "regression": weights of a ridge regression on all channels together, in σ.
        l2: weight decay of the regression.

    Returns:
        dict: name → Ranking by the size of the correlation or weight, with its sign.

    Raises:
        ValueError: shapes that do not match or an unknown method.
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    y, named = check_readings(readings, names, stats.n)
    x = stats.in_sigma(stats.values.astype(np.float32)).astype(np.float64)
    moving = stats.values.std(axis=0, dtype=np.float32) > 0
    y = (y - y.mean(axis=0)) / np.maximum(y.std(axis=0), 1e-12)
    weights = x.T @ y / stats.n if method == "correlation" else ridge_weights(x, y, l2)
    weights = np.where(moving[:, None], weights, np.nan)
    return {
        name: ranked(
            f"{method} with {name}",
            session.layers,
            np.abs(weights[:, j]),
            sign=np.nan_to_num(weights[:, j]),
            torgb=include_torgb,
        )
        for j, name in enumerate(named)
    }


@Work
def factor_effects(
    session: GeneratorSession,
    stats: Statistics,
    reader: Reader,
    scale: NDArray[np.floating],
    *,
    faces: int = 16,
) -> Job[NDArray[np.float32]]:
    """How much one σ of every channel moves every reading, float32 [faces, S, F] in standard deviations of the reading.

    The gradient of each reading with respect to s, at the first `faces` samples of `stats`.

    Args:
        reader: a differentiable one.
        scale: [F] standard deviations of the readings over the population.

    Raises:
        ValueError: the reader is not differentiable.
    """
    rows, size = [], pictures_in_a_step(session, cost=2)
    w, readings = stats.w[:faces], len(reader.names)
    for start in range(0, len(w), size):
        part = w[start : start + size]
        totals, styles = _read_with_graph(session, reader, part)
        yield Progress(start * readings, len(w) * readings, "gradients")
        columns = []
        for j in range(readings):
            gradient: NDArray[np.float32] = slopes(totals[j], styles, session).cpu().numpy()
            columns.append(gradient * stats.std / max(float(scale[j]), 1e-12))
            yield Progress(start * readings + len(part) * (j + 1), len(w) * readings, "gradients")
        rows.append(np.stack(columns, axis=2))
    return np.concatenate(rows).astype(np.float32)


def _read_with_graph(
    session: GeneratorSession, reader: Reader, w: NDArray[np.float32]
) -> tuple[list[Tensor], list[Tensor]]:
    """The sum of each reading over the faces, whose gradient is that of each, and the styles that they come from."""
    with session.lock, torch.inference_mode(False), torch.enable_grad():
        codes = torch.as_tensor(w, device=session.device, dtype=torch.float32).clone()
        styles = [s.detach().clone().requires_grad_() for s in session.styles(codes)]
        found = reader(session.synthesize(styles))
        if not found.requires_grad:
            raise ValueError(
                "this reader gives numbers without gradients; use factor_ranking with its readings instead"
            )
        return [column.sum() for column in found.T], styles


def effect_ranking(
    session: GeneratorSession,
    stats: Statistics,
    effects: NDArray[np.float32],
    reader: Reader,
    *,
    include_torgb: bool = False,
    least: float = 0.02,
) -> dict[str, Ranking]:
    """For each reading, channels by how much they move it alone: their effect on it over that on the other attributes.

    Args:
        effects: [faces, S, F] of `factor_effects`.
        reader: the same.
        least: effect in standard deviations by one σ that a channel must have to be ranked before all weaker ones.

    Returns:
        dict: name → Ranking; `table` has "effect" (mean over the faces, signed) and "others" (mean over the other
        attributes of the absolute effect, each at its strongest reading).
    """
    groups = np.array(reader.attributes)
    size = np.abs(effects).mean(axis=0)
    mean = effects.mean(axis=0)
    strongest = {group: size[:, groups == group].max(axis=1) for group in dict.fromkeys(groups)}
    result = {}
    for j, name in enumerate(reader.names):
        rest = [value for group, value in strongest.items() if group != groups[j]]
        others = np.mean(rest, axis=0) if rest else np.zeros(len(mean))
        own = np.abs(mean[:, j])
        # The weak ones are scaled down rather than cut off, so that every channel keeps a place.
        merit = own / (others + 1e-4) * np.where(own >= least, 1.0, 1e-3)
        result[name] = ranked(
            f"effect on {name} alone",
            session.layers,
            merit,
            sign=mean[:, j],
            torgb=include_torgb,
            effect=mean[:, j],
            others=others,
        )
    return result
