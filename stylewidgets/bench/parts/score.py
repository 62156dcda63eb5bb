"""One way, one part, all pairs: what changed where, and how far the result is from the exact re-render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ...avatars.drawing.renderer import render
from ...avatars.reading.factor_net import FactorRegressor, ReadingNet, factor_of
from ...avatars.scoring.features import look
from ...latent.latent import Latent
from ...metrics.colour import colour_difference
from ...metrics.frechet_distance import frechet
from ...session.session import GeneratorSession
from ..editing.readings import Array, Ruler
from .faces import REFERENCES, TARGETS, Others, Seen, drawn, faces, seen
from .regions import PARTS, joined, mask_of, segmented, swapped


@dataclass(frozen=True)
class Score:
    """Figures of one way for one part, over the pairs.

    Attributes:
        pairs: how many it could do.
        inside, outside: mean ΔE over the pixels of the mask, and over the others.
        share: of all ΔE, how much is inside the mask. squares: the same of ΔE², which the papers take.
        frechet: of the results' features and those of other faces; see `floor` for the unedited.
        truth: mean difference in grey levels from the re-render with the part's factors swapped.
        missed: mean |change of the picture − change of the re-render| over mean |change of the re-render|: 0 is exact, 1 is as
            good as no edit.
        done: how far the part's readings went towards the reference's: 1 is all of the way.
        others: mean |change| of all other factors that count, σ.
    """

    pairs: int
    inside: float
    outside: float
    share: float
    squares: float
    frechet: float
    truth: float
    missed: float
    done: float
    others: float

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return {f.name: round(float(getattr(self, f.name)), 4) for f in fields(self)}


class Bench:
    """The pairs as they are, and what results are held against.

    Args:
        session: the generator.
        judge: reads pictures; nothing that edits was made with it.
        network: its features are for the Fréchet distance.
        people: other faces.
        ruler: σ of the judge's readings.
        count: pairs.
    """

    def __init__(
        self,
        session: GeneratorSession,
        judge: ReadingNet,
        network: FactorRegressor,
        people: Others,
        ruler: Ruler,
        count: int,
    ) -> None:
        self.session, self.judge, self.network, self.people, self.ruler = session, judge, network, people, ruler
        self.targets, self.references = faces(session, TARGETS, count), faces(session, REFERENCES, count)
        self._truths: dict[str, Tensor] = {}
        self.before, self.there = (drawn(session, judge, latents) for latents in (self.targets, self.references))

    @cached_property
    def labels(self) -> Tensor:
        """Exact segmentation of the factors that are read of the targets, [N, H, W]."""
        return segmented(self.before.factors, self.session.resolution)

    @cached_property
    def labels_there(self) -> Tensor:
        """The same of the references."""
        return segmented(self.there.factors, self.session.resolution)

    @cached_property
    def own(self) -> Tensor:
        """The targets drawn again as they are read, [N, 3, H, W]."""
        return self.redrawn(self.before.factors)

    def redrawn(self, factors: Tensor) -> Tensor:
        """Rows of factors as pictures, through 8 bits."""
        image = render(factors, self.session.resolution, outputs=("image",)).image
        return ((image + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1

    def truth(self, part: str) -> Tensor:
        """The targets drawn again with the references' factors of a part, [N, 3, H, W]."""
        if part not in self._truths:
            self._truths[part] = self.redrawn(swapped(self.before.factors, self.there.factors, [part]))
        return self._truths[part]

    def floor(self) -> dict[str, float]:
        """Unedited pictures: distance from their own re-render in grey levels, and from other faces (Fréchet)."""
        return {
            "truth": _grey(self.before.pictures, self.own),
            "frechet": frechet(look(self.network, self.before.pictures).features, self.people.features),
        }

    def score(self, part: str, edited: Sequence[Latent], rows: Sequence[int]) -> Score:
        """All figures. rows: which pairs these are."""
        return self.of(part, drawn(self.session, self.judge, edited), rows)

    def ideal(self, part: str) -> Score:
        """The exact re-render scored like a way: before and after are re-renders."""
        rows = list(range(len(self.before)))
        return self.of(part, seen(self.judge, self.truth(part)), rows, seen(self.judge, self.own))

    def of(self, part: str, after: Seen, rows: Sequence[int], before: Seen | None = None) -> Score:
        """The figures of pictures."""
        now = before or self.part(rows)
        inside, outside, share, squares = self.where([part], now, after, rows)[part]
        truth, own = self.truth(part)[list(rows)], self.own[list(rows)]
        wanted = truth - own
        done, others = self._done(part, now, after, rows)
        return Score(
            len(after),
            inside,
            outside,
            share,
            squares,
            frechet(look(self.network, after.pictures).features, self.people.features),
            _grey(after.pictures, truth),
            float((after.pictures - now.pictures - wanted).abs().mean() / wanted.abs().mean().clamp_min(1e-9)),
            done,
            others,
        )

    def part(self, rows: Sequence[int]) -> Seen:
        """Some of the targets."""
        chosen = list(rows)
        readings = {name: values[chosen] for name, values in self.before.readings.items()}
        return Seen(self.before.pictures[chosen], self.before.factors[chosen], readings)

    def where(
        self, parts: Sequence[str], before: Seen, after: Seen, rows: Sequence[int]
    ) -> dict[str, tuple[float, float, float, float]]:
        """For each part: mean ΔE inside and outside of its mask, and the shares of ΔE and ΔE² that are inside."""
        labels = segmented(after.factors, self.session.resolution)
        return self.parted(parts, before.pictures, after.pictures, self.labels[list(rows)], labels)

    def parted(
        self, parts: Sequence[str], before: Tensor, after: Tensor, own: Tensor, labels: Tensor
    ) -> dict[str, tuple[float, float, float, float]]:
        """The same of pictures and their segmentations."""
        change = colour_difference(before, after)
        total, squares = float(change.sum()), float(change.square().sum())
        found = {}
        for part in parts:
            mask = joined(mask_of(own, part), mask_of(labels, part))
            within = change[mask]
            found[part] = (
                float(within.sum()) / max(within.numel(), 1),
                float(change[~mask].mean()),
                float(within.sum()) / max(total, 1e-9),
                float(within.square().sum()) / max(squares, 1e-9),
            )
        return found

    def _done(self, part: str, before: Seen, after: Seen, rows: Sequence[int]) -> tuple[float, float]:
        own = PARTS[part].factors
        names = [name for name in before.readings if factor_of(name) in own]
        there = {name: values[list(rows)] for name, values in self.there.readings.items()}
        moved, wanted = (
            np.stack([self.ruler.moved(name, before.readings, end) for name in names])
            for end in (after.readings, there)
        )
        rest = Ruler(self.people.readings, [name for name in self.ruler.factors if name not in own])
        done: Array = (moved * wanted).sum() / np.maximum(np.square(wanted).sum(), 1e-9)
        return float(done), float(rest.all(before.readings, after.readings).mean())


def _grey(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean()) * 127.5


def agreement(found: Tensor, exact: Tensor) -> tuple[float, float]:
    """How well masks in the size of a layer [N, h, w] fit exact ones [N, H, W]: intersection over union of all pixels, and what
    the best mask of that size would get."""
    size = exact.shape[-1] // found.shape[-1]
    large = found.repeat_interleave(size, 1).repeat_interleave(size, 2)
    pooled = torch.nn.functional.avg_pool2d(exact[:, None].float(), size)[:, 0] > 0.5
    best = pooled.repeat_interleave(size, 1).repeat_interleave(size, 2)
    return _overlap(large, exact), _overlap(best, exact)


def _overlap(a: Tensor, b: Tensor) -> float:
    return float((a & b).sum() / (a | b).sum().clamp_min(1))
