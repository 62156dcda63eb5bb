"""The distance of a generator's pictures from renders over many samples, in shards: moments of features, and no picture kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...jobs.plans.kept import Kept
from ...jobs.plans.moments import stream
from ...jobs.plans.shards import Made, Shard, sharded, shards
from ...metrics.coverage import precision_recall
from ...metrics.frechet_distance import frechet_gaussian
from ...session.session import GeneratorSession
from ...session.shards import machine, opened, stamp
from ..domain import DOMAIN
from ..reading.estimates import file_digest
from ..reading.factor_net import BUNDLED, load_regressor
from ..world.dataset import AvatarDataset, to_uint8
from .features import look

SEEN = "stylewidgets.avatars.scoring.sharded:seen"
SAMPLES, RENDERS, FLOOR = "samples", "renders", "floor"
KINDS = (SAMPLES, RENDERS, FLOOR)
"""Pictures of the generator, renders, and as many other renders: what the distance of perfect pictures would be."""
BLOCK = 32
KEEP = 2000
"""Features of each kind that are kept for precision and recall, whose time grows with the square."""


class Spread(NamedTuple):
    """n, mean [D] and scatter Σ (x − mean)(x − mean)ᵀ [D, D] of features, float64; merged as `Moments` are."""

    n: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    def joined(self, other: Spread) -> Spread:
        """That of both."""
        n, way = self.n + other.n, other.mean - self.mean
        scatter = self.scatter + other.scatter + np.multiply.outer(way, way) * (self.n * (other.n / n))
        return Spread(n, self.mean + way * (other.n / n), scatter)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """[D, D], divided by n − 1."""
        return self.scatter / (self.n - 1)


def plan(
    n: int,
    count: int,
    source: str | os.PathLike[str] | None = None,
    *,
    seed: int = 0,
    correlated: bool = False,
    device: str | None = "cpu",
) -> list[Shard]:
    """n pictures of each of `KINDS`, each kind in `count` shards.

    Args:
        n, count: pictures and shards of each kind.
        source: of a generator of avatars, as `load` takes it.
        seed: of samples and renders.
        correlated: of the renders, as the generator was trained.
        device: of torch.
    """
    about = {**stamp(source, device), "domain": DOMAIN.stamp(readings=True), "network": file_digest(BUNDLED)}
    common = {"correlated": correlated, **about}
    made: list[Shard] = []
    for i, kind in enumerate(KINDS):
        for shard in shards(n, count, seed=seed, what=kind, **common):
            keep = max(0, min(int(shard["n"]), KEEP - int(shard["first"])))
            made.append({**shard, "keep": keep, "name": f"{kind}-{shard['k']:05d}", "k": shard["k"] * len(KINDS) + i})
    return made


@sharded
def seen(shard: Shard, folder: Path) -> Made:
    """mean float64 [D], scatter float64 [D, D] and the first features float32 [keep, D] of the pictures of a shard."""
    session = opened(shard)
    net = load_regressor(device=session.device)
    if file_digest(BUNDLED) != shard["network"] or DOMAIN.stamp(readings=True) != shard["domain"]:
        raise ValueError("stylewidgets or its factor network is another version here than where the plan was made")
    total: Spread | None = None
    rows: list[NDArray[np.float32]] = []
    keep = int(shard["keep"])
    for images in _pictures(session, shard):
        found = look(net, images, BLOCK).features
        mean = found.mean(axis=0)
        # Not a matrix product: how many threads a library takes for one is not ours to say, and may change the last bits.
        scatter = np.einsum("ni,nj->ij", found - mean, found - mean, optimize=False)
        here = Spread(len(found), mean, scatter)
        total = here if total is None else total.joined(here)
        rows.append(found[: max(0, keep - sum(map(len, rows)))].astype(np.float32))
    assert total is not None
    arrays = {"mean": total.mean, "scatter": total.scatter, "features": np.concatenate(rows)}
    return Made(arrays, machine=machine(shard["device"]))


def _pictures(session: GeneratorSession, shard: Shard) -> Iterator[Tensor]:
    """Pictures [m, 3, H, W] in [-1, 1], through 8 bits as pictures go."""
    n, first, seed = int(shard["n"]), int(shard["first"]), int(shard["seed"])
    source = stream(seed, int(shard["k"]))
    for start in range(0, n, BLOCK):
        here = min(BLOCK, n - start)
        if shard["what"] == SAMPLES:
            z = np.zeros((BLOCK, session.z_dim), np.float32)  # always as many, as in statistics
            z[:here] = source.randn(here, session.z_dim)
            with torch.inference_mode():
                w = session.map_z(torch.from_numpy(z).to(session.device), session.each_class(BLOCK))
                made = to_uint8(session.synthesize(w[:, None].expand(-1, session.num_ws, -1)).float())[:here]
        else:
            world = AvatarDataset(
                2 * seed + (shard["what"] == FLOOR),
                first + n,
                session.resolution,
                ("image",),
                shard["correlated"],
                device=shard["device"],
            )
            made = world.batch(range(first + start, first + start + here))["image"]
        yield made.float() / 127.5 - 1


def merged(kept: Kept, plan: list[Shard]) -> dict[str, Any]:
    """frechet, precision and recall of samples and floor against renders.

    Raises:
        ValueError: some shards are missing.
    """
    spreads: dict[str, Spread] = {}
    features: dict[str, list[NDArray[np.float32]]] = {kind: [] for kind in KINDS}
    for shard, found in zip(plan, kept.results(SEEN, plan), strict=True):
        kind, here = str(shard["what"]), Spread(int(shard["n"]), found["mean"], found["scatter"])
        spreads[kind] = spreads[kind].joined(here) if kind in spreads else here
        features[kind].append(found["features"])
    figures: dict[str, Any] = {"n": spreads[SAMPLES].n, "machines": kept.machines(plan)}
    real = spreads[RENDERS]
    for kind in (SAMPLES, FLOOR):
        other = spreads[kind]
        near = precision_recall(np.concatenate(features[RENDERS]), np.concatenate(features[kind]))
        figures[kind] = {
            "frechet": frechet_gaussian(real.mean, real.covariance, other.mean, other.covariance),
            "precision": near.precision,
            "recall": near.recall,
        }
    return figures
