"""Who is edited: pairs of faces, what the judge reads of them, and the pictures that results are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...avatars.reading.factor_net import FactorRegressor, ReadingNet
from ...avatars.scoring.features import look
from ...avatars.world.factors import FACTORS
from ...jobs import Job, Progress, Work
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ..editing.readings import Readings, pictures, table

TARGETS, REFERENCES, OTHERS = 8_000_000, 8_050_000, 8_200_000
"""Seeds of the first face of each kind; no network and no catalogue was made with them."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Pictures [N, 3, H, W] in [-1, 1], and what the judge reads: factors [N, F] within their ranges, and readings by name."""

    pictures: Tensor
    factors: Tensor
    readings: Readings

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True, eq=False)
class Others:
    """Many faces: what the judge reads, and features of the factor network [N, D]."""

    latents: tuple[Latent, ...]
    factors: Tensor
    readings: Readings
    features: NDArray[np.float64]


def faces(session: GeneratorSession, seed: int, count: int) -> tuple[Latent, ...]:
    """Faces without truncation, of consecutive seeds."""
    return tuple(session.latent(seed=seed + i, psi=1.0) for i in range(count))


def seen(judge: ReadingNet, shown: Tensor) -> Seen:
    """What the judge reads of pictures [N, 3, H, W]."""
    raw = judge.raw(shown)
    return Seen(shown, factors_of(judge, raw), table(judge, raw))


def factors_of(judge: ReadingNet, raw: Tensor) -> Tensor:
    """The judge's outputs [N, outputs] as factors [N, F] within their ranges."""
    natural = judge.natural(raw)
    ends = torch.tensor([[f.low, f.high] for f in FACTORS], dtype=torch.float32, device="cpu")
    factors = torch.from_numpy(np.stack([natural[f.name] for f in FACTORS], axis=1).astype(np.float32))
    return factors.clamp(ends[:, 0], ends[:, 1])


def drawn(session: GeneratorSession, judge: ReadingNet, latents: Sequence[Latent]) -> Seen:
    """The same of what a session draws."""
    return seen(judge, pictures(session, latents))


@Work
def others(
    session: GeneratorSession, judge: ReadingNet, network: FactorRegressor, count: int, keep: Path | None = None
) -> Job[Others]:
    """Draw and read many faces, or take them from the file `keep`."""
    latents = faces(session, OTHERS, count)
    if keep is not None and keep.is_file():
        with np.load(keep) as found:
            raw = torch.from_numpy(found["raw"])
            return Others(latents, factors_of(judge, raw), table(judge, raw), found["features"])
    rows, features = [], []
    for start in range(0, count, 32):
        part = pictures(session, latents[start : start + 32])
        rows.append(judge.raw(part))
        features.append(look(network, part).features)
        yield Progress(min(start + 32, count), count, "reading other faces")
    raw, seen_features = torch.cat(rows), np.concatenate(features)
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        np.savez(keep, raw=raw.numpy(), features=seen_features)
    return Others(latents, factors_of(judge, raw), table(judge, raw), seen_features)
