"""Pictures as numbers: readings of a network by name, what counts of them, and how far two sets are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...avatars.reading.factor_net import ReadingNet, factor_of
from ...avatars.scoring.edits import IDENTITY
from ...latent.latent import Code, Latent
from ...session.session import GeneratorSession

Array = NDArray[np.float64]
Readings = dict[str, Array]
"""By name [N]: a number, the sine or cosine of an angle, the log-odds of a category ("hat: cap") or of any but "none" ("hat")."""

SURE = 0.01
LIMIT = float(np.log((1 - SURE) / SURE))
"""Log-odds beyond these are as sure as can be: what they do out there shows in no picture."""
TRUSTED = 0.7
"""R² or accuracy, where the factor is seen, that the judge must read a factor with to count."""


def table(net: ReadingNet, raw: Tensor) -> Readings:
    """Raw outputs [N, outputs] as readings of factors; places of landmarks are none."""
    found: Readings = {}
    for name, read in net.readings(raw).items():
        if name.startswith("at "):
            continue
        values = np.asarray(read, np.float64)
        found[name] = np.clip(values, -LIMIT, LIMIT) if ":" in name else values
        if name.endswith(": none"):
            found[factor_of(name)] = -found.pop(name)
    return found


def trusted(judge: ReadingNet) -> tuple[str, ...]:
    """The factors that the judge reads well enough."""
    seen = judge.metadata["visible"]
    return tuple(name for name, (_, score) in seen.items() if score >= TRUSTED and not name.startswith("at "))


def pictures(session: GeneratorSession, latents: Sequence[Latent]) -> Tensor:
    """Pictures [N, 3, H, W] in [-1, 1], through 8 bits as everything that is shown."""
    drawn = np.ascontiguousarray(session.images(list(latents)))
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 127.5 - 1


def settled(session: GeneratorSession, latent: Latent) -> Latent:
    """The same picture as a plain code, so that what an edit takes to carry out is taken once, not at every look."""
    if latent.in_s or not latent.edits:
        return latent
    return as_code(latent, session.map(latent)[0])


def as_code(latent: Latent, ws: Tensor) -> Latent:
    """A latent whose edits in w have come to w+ [R, D], as that plain code."""
    return latent.replace(code=Code("w+", ws.cpu().numpy()), psi=1.0, cutoff=None, edits=())


def read(net: ReadingNet, session: GeneratorSession, latents: Sequence[Latent]) -> Readings:
    """Readings of what a session draws."""
    return table(net, net.raw(pictures(session, latents)))


class Ruler:
    """Measures readings in standard deviations of a population.

    Args:
        population: readings of many faces.
        factors: that count.
    """

    def __init__(self, population: Readings, factors: Sequence[str]) -> None:
        self.mean = {name: float(values.mean()) for name, values in population.items()}
        self.deviation = {name: max(float(values.std()), 1e-6) for name, values in population.items()}
        self.factors = tuple(factors)

    def moved(self, attribute: str, before: Readings, after: Readings) -> Array:
        """Change of one reading [N], in σ."""
        return (after[attribute] - before[attribute]) / self.deviation[attribute]

    def others(self, attribute: str, before: Readings, after: Readings) -> Array:
        """Mean |change| of all other factors that count [N], in σ; a factor with several readings at the one that moves most."""
        own = factor_of(attribute)
        rows = [np.max([np.abs(self.moved(name, before, after)) for name in names], axis=0)
                for factor, names in self._groups(before) if factor != own]  # fmt: skip
        return np.asarray(np.mean(rows, axis=0))

    def all(self, before: Readings, after: Readings) -> Array:
        """Mean |change| of all factors that count [N], in σ."""
        return self.others("", before, after)

    def identity(self, attribute: str, before: Readings, after: Readings) -> Array:
        """Cosine [N] of the standardised readings that say who it is, without the wanted one: 1 the same person."""
        own = factor_of(attribute)
        names = [name for factor, part in self._groups(before) if factor in IDENTITY and factor != own for name in part]
        a, b = (
            np.stack([(given[name] - self.mean[name]) / self.deviation[name] for name in names], axis=1)
            for given in (before, after)
        )
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, 1e-12))

    def _groups(self, given: Readings) -> Iterator[tuple[str, list[str]]]:
        for factor in self.factors:
            yield factor, [name for name in given if factor_of(name) == factor]
