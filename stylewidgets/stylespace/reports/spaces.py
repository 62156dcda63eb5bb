"""DCI of the spaces of a generator: Z, W, W+ and S."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.checks import unknown_name
from ...directions import sample_w
from ...directions._sampling import styles_of
from ...domain import Reader
from ...jobs import Job, Progress, Work, part
from ...session.session import GeneratorSession
from ..channel import is_torgb
from ..channel_statistics import Statistics, statistics
from .dci import DCI, dci
from .readings import kept_readings, read_samples, read_w

SPACES = ("z", "w", "s", "w expanded", "w+ mixed", "s mixed")
"""What `disentanglement` measures. Codes of the mapping network repeat one w in every row, so w+ cannot be told from w by
them; "mixed" samples have two w's each, meeting at a random row, and so give w+ a figure, beside s of the same samples.
"w expanded" is a control: random linear mixtures of w, as many as s has codes. What it reaches comes from the number of codes."""


@Work
def disentanglement(
    session: GeneratorSession,
    stats: Statistics,
    reader: Reader,
    *,
    spaces: tuple[str, ...] = SPACES,
    method: str = "lasso",
    cached: bool = True,
) -> Job[dict[str, DCI]]:
    """DCI of several spaces of one generator against the readings of its pictures.

    Args:
        stats: samples, without truncation as the paper has them.
        reader: of the factors.
        spaces: of SPACES.
        method: see `dci`.
        cached: keep the readings on disk.

    Raises:
        ValueError: an unknown space, or z of a generator with labels.
    """
    for space in spaces:
        if space not in SPACES:
            raise unknown_name("space", space, SPACES)
    result: dict[str, DCI] = {}
    plain = rows = mixed = np.zeros(0, np.float32)
    if any("mixed" not in space for space in spaces):
        plain = yield from read_samples.steps(session, stats, reader, cached=cached)
    if any("mixed" in space for space in spaces):
        rows, mixed = yield from _mixed(session, stats, reader, cached)
    for space in spaces:
        codes = _codes(session, stats, space, rows)
        job = dci.steps(codes, mixed if "mixed" in space else plain, method=method)
        result[space] = yield from part(
            job, done=len(result), total=len(spaces), words="DCI", partial=lambda: dict(result)
        )
    yield Progress(len(result), len(spaces), "DCI")
    return result


def _codes(session: GeneratorSession, stats: Statistics, space: str, rows: NDArray[np.float32]) -> NDArray[np.floating]:
    """Codes [n, D] in a space. rows: the mixed ones in w+."""
    if space == "z":
        if session.c_dim:
            raise ValueError("the label of a conditional generator is no part of z; leave z out of the spaces")
        return np.random.RandomState(stats.seed).randn(stats.n, session.z_dim)
    if space == "w":
        return stats.w
    conv = ~is_torgb(session.layers)  # those that draw
    if space == "w expanded":
        return stats.w @ np.random.RandomState(0).randn(stats.w.shape[1], int(conv.sum())).astype(np.float32)
    if space == "s":
        return stats.values[:, conv].astype(np.float32)
    if space == "w+ mixed":
        return rows.reshape(len(rows), -1)
    return styles_of(session, rows)[:, conv]


def _mixed(
    session: GeneratorSession, stats: Statistics, reader: Reader, cached: bool
) -> Job[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """w+ [n, num_ws, w_dim] of two w's that meet at a random row, and the readings of the pictures."""
    n, seed = stats.n, stats.seed
    if stats.psi == 1:
        other = yield from sample_w.steps(session, n, seed + 1)
    else:
        other = (yield from part(statistics.steps(session, n, seed=seed + 1, psi=stats.psi))).w
    cut = np.random.RandomState(seed).randint(1, max(2, session.num_ws), size=n)
    first = np.arange(session.num_ws)[None] < cut[:, None]
    rows = np.where(first[:, :, None], stats.w[:, None], other[:, None]).astype(np.float32)
    read = part(read_w.steps(session, reader, rows), words="reading mixed faces")
    return rows, (yield from kept_readings(session, "mixed", reader, stats, cached, read))
