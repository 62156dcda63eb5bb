"""Who is edited: the faces, what is wanted of each, and the population that σ and linear editors come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...avatars.reading.factor_net import ReadingNet
from ...directions import sample_w
from ...jobs import Job, Progress, Work
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from .readings import Readings, read, table

Array = NDArray[np.float64]

SEED = 8_000_000
"""Of the first face; nothing that edits was made with it."""
TUNING_SEED = 8_100_000
"""Of the first face that strengths are calibrated on."""
POPULATION_SEED = 8_200_000
NUMBER, CHOICE = 1.0, 2.0
"""Wanted change in σ, of numbers and of what somebody wears: two σ of log-odds lead from without to with."""

ATTRIBUTES = (
    "yaw",
    "pitch",
    "light_azimuth",
    "light_elevation",
    "skin_tone",
    "face_width",
    "hair_lightness",
    "hair_length",
    "eye_size",
    "eye_openness",
    "nose_size",
    "smile",
    "mouth_open",
    "lip_colour",
    "glasses",
    "beard",
    "hat",
)
CHOICES = ("glasses", "beard", "hat")


@dataclass(frozen=True, eq=False)
class Population:
    """Faces of the generator without truncation. w [n, w_dim]; network: what the factor network reads of them, which editors
    are made from; judge: what the judge reads, whose spread is the unit of every figure."""

    w: NDArray[np.float32]
    network: Readings
    judge: Readings


@dataclass(frozen=True, eq=False)
class Faces:
    """Latents, and to which side each attribute of each is to be moved, by name [N] of −1 and 1: to where there is room."""

    latents: tuple[Latent, ...]
    sides: dict[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.latents)

    def part(self, count: int) -> Faces:
        """The first few."""
        return Faces(self.latents[:count], {name: side[:count] for name, side in self.sides.items()})


def wanted(attribute: str) -> float:
    """How far an attribute is to be moved, in σ."""
    return CHOICE if attribute in CHOICES else NUMBER


def faces(session: GeneratorSession, network: ReadingNet, population: Population, seed: int, count: int) -> Faces:
    """Faces without truncation, and their sides.

    Which side is for the factor network to say, not for the judge: what a reader mistakes would else seem to move back.
    """
    latents = tuple(session.latent(seed=seed + i, psi=1.0) for i in range(count))
    found = read(network, session, latents)
    return Faces(latents, {name: side_of(found[name], population.network[name], name) for name in ATTRIBUTES})


def side_of(readings: Array, population: Array, attribute: str) -> NDArray[np.int64]:
    """1 where a reading [N] is below the middle of the population, −1 elsewhere. The middle of log-odds is 0."""
    middle = 0.0 if attribute in CHOICES else float(np.mean(population))
    return np.where(readings < middle, 1, -1)


@Work
def population(
    session: GeneratorSession, network: ReadingNet, judge: ReadingNet, count: int, keep: Path | None = None
) -> Job[Population]:
    """Draw and read the population, or take it from the file `keep`."""
    w = sample_w(session, count, POPULATION_SEED)
    if keep is not None and keep.is_file():
        with np.load(keep) as found:
            if np.array_equal(found["w"], w):
                raw = {name: torch.from_numpy(found[name]) for name in ("network", "judge")}
                return Population(w, table(network, raw["network"]), table(judge, raw["judge"]))
    rows: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    for start in range(0, count, 32):
        with session.lock, torch.inference_mode():
            codes = torch.from_numpy(w[start : start + 32]).to(session.device)
            pictures = session.synthesize(codes).float().clamp(-1, 1)
            for net, raw_rows in zip((network, judge), rows, strict=True):
                raw_rows.append(net.raw(pictures).cpu())
        yield Progress(min(start + 32, count), count, "reading a population")
    of_network, of_judge = (torch.cat(part) for part in rows)
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        np.savez(keep, w=w, network=of_network.numpy(), judge=of_judge.numpy())
    return Population(w, table(network, of_network), table(judge, of_judge))


def partners(attribute: str, names: Sequence[str] = ATTRIBUTES) -> tuple[str, ...]:
    """The attributes that are changed before this one where the path is looked at: two others, the same for every editor."""
    place = list(names).index(attribute)
    return tuple(dict.fromkeys(names[(place + step) % len(names)] for step in (1, 5) if step % len(names)))
