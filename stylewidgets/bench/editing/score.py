"""One editor, one attribute, all faces: what was done, what else was done, and how far the picture is from the truth."""

from __future__ import annotations

import statistics as middle
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...avatars.drawing.renderer import render
from ...avatars.reading.factor_net import ReadingNet
from ...avatars.world.dataset import to_uint8
from ...avatars.world.edits import edit_factors
from ...avatars.world.factors import FACTORS, INDEX
from ...inversion.evaluation.realism import code_statistics
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ..timing import milliseconds
from .editors import FEW, Editor, Wanted, carried_out
from .faces import CHOICES, Faces, Population, partners, wanted
from .readings import Array, Readings, Ruler, pictures, table

WEARS = {"glasses": "round", "beard": "full", "hat": "beanie"}
"""What the truth puts on, where something is wanted that was not there."""


@dataclass(frozen=True, eq=False)
class Score:
    """Figures of each face, [N].

    done: change of the wanted attribute as a share of what was wanted: 1 is right.
    others: mean |change| of all other factors that count, σ.
    identity: cosine of the readings that say who it is, 1 the same.
    realism: Mahalanobis distance of the styles, 1 is typical of the generator.
    truth: mean difference from the exact re-render with the wanted change alone, in grey levels of 255.
    """

    done: Array
    others: Array
    identity: Array
    realism: Array
    truth: Array

    def part(self, count: int) -> Score:
        """Of the first few faces."""
        return Score(**{f.name: getattr(self, f.name)[:count] for f in fields(self)})

    def plain(self) -> dict[str, list[float]]:
        """For JSON."""
        return {f.name: [round(float(x), 3) for x in getattr(self, f.name)] for f in fields(self)}

    @classmethod
    def of(cls, data: Mapping[str, list[float]]) -> Score:
        """The inverse of `plain`."""
        return cls(**{f.name: np.asarray(data[f.name], np.float64) for f in fields(cls)})


class Bench:
    """The faces as they are, and everything that edits are held against.

    Args:
        session: the generator.
        judge: reads pictures.
        population: whose spread is σ.
        ruler: of the judge.
        faces: that are edited.
    """

    def __init__(
        self, session: GeneratorSession, judge: ReadingNet, population: Population, ruler: Ruler, faces: Faces
    ) -> None:
        self.session, self.judge, self.ruler, self.faces = session, judge, ruler, faces
        self.spread = {name: float(values.std()) for name, values in population.judge.items()}
        self.deviations = {name: max(float(values.std()), 1e-6) for name, values in population.network.items()}
        self.pictures = pictures(session, faces.latents)
        raw = judge.raw(self.pictures)
        self.before = table(judge, raw)
        natural = judge.natural(raw)
        ends = torch.tensor([[f.low, f.high] for f in FACTORS], dtype=torch.float32, device="cpu")
        read = torch.from_numpy(np.stack([natural[f.name] for f in FACTORS], axis=1).astype(np.float32))
        self.factors = read.clamp(ends[:, 0], ends[:, 1])
        self.statistics = code_statistics(session)
        self._truths: dict[str, Tensor] = {}

    def wishes(self, attribute: str) -> list[Wanted]:
        """What is wanted of each face."""
        return [{attribute: float(side) * wanted(attribute)} for side in self.faces.sides[attribute]]

    def score(self, editor: Editor, attribute: str) -> tuple[Score, Readings]:
        """The figures, and what the judge reads of the edited faces."""
        count = FEW if editor.costly else len(self.faces)
        wishes, few = self.wishes(attribute)[:count], self.faces.latents[:count]
        edited = carried_out(self.session, editor, few, wishes)
        drawn = pictures(self.session, edited)
        after = table(self.judge, self.judge.raw(drawn))
        before = {name: values[:count] for name, values in self.before.items()}
        return self._held(attribute, before, after, drawn, self._realism(edited)), after

    def floor(self) -> dict[str, float]:
        """What no edit can be judged better than: unedited pictures against their own re-renders (grey levels), their
        realism, and the re-render's readings against the picture's, σ."""
        own = render(self.factors, self.session.resolution, outputs=("image",)).image
        again = table(self.judge, self.judge.raw(own))
        return {
            "truth": float(_apart(self.pictures, own).mean()),
            "realism": float(self._realism(list(self.faces.latents)).mean()),
            "readings": float(self.ruler.all(self.before, again).mean()),
        }

    def ideal(self, attribute: str) -> Score:
        """What an exact edit would score: re-renders before and after. What it moves besides is the judge's error, and what
        cannot be parted in a picture."""
        own = render(self.factors, self.session.resolution, outputs=("image",)).image
        after = self.truth(attribute)
        before, edited = (table(self.judge, self.judge.raw(x)) for x in (own, after))
        nothing = np.full(len(self.faces), np.nan)
        return self._held(attribute, before, edited, after, nothing)

    def truth(self, attribute: str) -> Tensor:
        """The faces drawn again from what the judge reads of them, with the wanted change alone, [N, 3, H, W]."""
        if attribute not in self._truths:
            change = truth_of(self.factors, attribute, self.faces.sides[attribute], self.spread)
            drawn = render(edit_factors(self.factors, change), self.session.resolution, outputs=("image",)).image
            self._truths[attribute] = to_uint8(drawn)
        return self._truths[attribute].float() / 127.5 - 1

    def paths(self, editor: Editor, attribute: str, alone: Readings, count: int) -> dict[str, Array]:
        """Path consistency: |reading after {a} − reading after {b, a}| in σ of `count` faces, by the other attribute b.

        Args:
            alone: readings after {a}, as `score` gives them.
        """
        few, found = self.faces.part(count), {}
        single = {name: values[:count] for name, values in alone.items()}
        for other in partners(attribute):
            if editor.why_not(other):
                continue
            wishes = [
                {other: float(b) * wanted(other), attribute: float(a) * wanted(attribute)}
                for a, b in zip(few.sides[attribute], few.sides[other], strict=True)
            ]
            edited = carried_out(self.session, editor, few.latents, wishes)
            after = table(self.judge, self.judge.raw(pictures(self.session, edited)))
            found[other] = np.abs(self.ruler.moved(attribute, single, after))
        return found

    def order(self, editor: Editor, attribute: str, count: int) -> Array:
        """Mean |difference| of all readings in σ between a after b and b after a, in two steps each, over `count` faces."""
        few, other = self.faces.part(count), partners(attribute)[0]
        if editor.why_not(other):
            return np.zeros(0)
        both: tuple[list[Latent], list[Latent]] = ([], [])
        for latent, a, b in zip(few.latents, few.sides[attribute], few.sides[other], strict=True):
            steps = [{attribute: float(a) * wanted(attribute)}, {other: float(b) * wanted(other)}]
            for found, order in zip(both, (steps, steps[::-1]), strict=True):
                found.append(editor.edit(editor.edit(latent, order[0]), order[1]))
        first, second = (table(self.judge, self.judge.raw(pictures(self.session, part))) for part in both)
        return self.ruler.all(first, second)

    def time(self, editor: Editor, attribute: str, count: int = 5) -> float:
        """How long editing and drawing takes beside drawing alone, medians of both in turns in one run."""
        plain, edit = [], []
        for latent, wish in zip(self.faces.latents[:count], self.wishes(attribute), strict=False):
            self.session.images([latent])  # its w is kept from here on
            plain.append(milliseconds(lambda: self.session.images([latent])))  # noqa: B023
            edit.append(milliseconds(lambda: self.session.images([editor.edit(latent, wish)])))  # noqa: B023
        return middle.median(edit) / middle.median(plain)

    def _held(self, attribute: str, before: Readings, after: Readings, drawn: Tensor, realism: Array) -> Score:
        moved = self.ruler.moved(attribute, before, after) * self.faces.sides[attribute][: len(drawn)]
        return Score(
            moved / wanted(attribute),
            self.ruler.others(attribute, before, after),
            self.ruler.identity(attribute, before, after),
            realism,
            _apart(drawn, self.truth(attribute)[: len(drawn)]),
        )

    def _realism(self, latents: list[Latent]) -> Array:
        flat = torch.cat([self.session.flat_styles(latent) for latent in latents])
        return self.statistics.mahalanobis(flat.cpu().numpy())


def truth_of(
    factors: Tensor, attribute: str, sides: NDArray[np.int64], spread: Mapping[str, float]
) -> dict[str, Tensor]:
    """The wanted change in natural units, for `edit_factors`: new values [N], within the factor's range."""
    factor = FACTORS[INDEX[attribute]]
    now, to = factors[:, INDEX[attribute]], torch.as_tensor(sides, dtype=torch.float32, device="cpu")
    if attribute in CHOICES:
        # Who wears one already keeps his own; who wears none gets the commonest.
        put_on = torch.where(now > 0.5, now, torch.full_like(now, factor.categories.index(WEARS[attribute])))
        return {attribute: torch.where(to > 0, put_on, torch.zeros_like(now))}
    return {attribute: (now + to * wanted(attribute) * spread[attribute]).clamp(factor.low, factor.high)}


def _apart(a: Tensor, b: Tensor) -> Array:
    return np.asarray((a - b).abs().mean(dim=(1, 2, 3)).double().numpy() * 127.5)
