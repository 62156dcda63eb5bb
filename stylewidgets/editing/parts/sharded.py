"""A gallery of many faces in shards: the styles of each are computed anywhere, and put into a `GalleryIndex` in order."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ...jobs.plans.kept import Kept
from ...jobs.plans.shards import Made, Shard, sharded, shards
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ...session.shards import machine, opened, stamp
from .index import SHARD, GalleryIndex

STYLES = "stylewidgets.editing.parts.sharded:styles"


def plan(
    n: int,
    source: str | os.PathLike[str] | None = None,
    *,
    seed: int = 0,
    psi: float = 1.0,
    device: str | None = "cpu",
) -> list[Shard]:
    """n faces, those of the seeds from `seed` on, in shards of `SHARD`.

    Args:
        n: faces.
        source: of the generator, as `load` takes it.
        seed: of the first face.
        psi: truncation.
        device: of torch.
    """
    return shards(n, -(-n // SHARD), seed=seed, psi=psi, **stamp(source, device))


@sharded
def styles(shard: Shard, folder: Path) -> Made:
    """styles float16 [sum of channels, n] of the faces of a shard."""
    session = opened(shard)
    table = np.empty((sum(layer.channels for layer in session.layers), int(shard["n"])), np.float16)
    for column, latent in enumerate(latents(shard, session)):
        table[:, column] = session.flat_styles(session.check(latent))[0].cpu().numpy()
    return Made({"styles": table}, machine=machine(shard["device"]))


def latents(shard: Shard, session: GeneratorSession) -> list[Latent]:
    """The faces of a shard."""
    first = int(shard["seed"]) + int(shard["first"])
    return [session.latent(seed=first + i, psi=float(shard["psi"])) for i in range(int(shard["n"]))]


def merged(kept: Kept, plan: list[Shard], session: GeneratorSession) -> GalleryIndex:
    """The index, in the folder "gallery" beside the shards; what is in it already stays.

    Raises:
        ValueError: some shards are missing.
    """
    index = GalleryIndex(kept.folder / "gallery", session)
    for shard, found in zip(plan, kept.results(STYLES, plan), strict=True):
        index.put(found["styles"], latents(shard, session))
    return index
