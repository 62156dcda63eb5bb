"""What is compared: everything that can change an attribute by so many σ, behind one small protocol; and the linear ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ...directions import boundary, condition
from ...latent.direction import Direction
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ...stylespace.channel import Channel
from ...stylespace.channel_statistics import statistics
from ...stylespace.effects import edit_direction
from ...stylespace.reports.measure import direction_name
from ...stylespace.reports.table import CHANGE, Row, shipped_report
from .faces import ATTRIBUTES, Population
from .readings import Array, settled

Wanted = Mapping[str, float]
"""Attribute → change in σ from what the given latent shows. Nothing is wanted of the others but that they stay."""

FEW = 8
"""Faces, of each kind, for editors that take seconds."""
CONDITIONED = 4
"""Boundaries that are taken out of another, at most."""
FITTING = 0.5
"""Correlation with the reading, over the population, that a component must have to stand for an attribute."""


class Editor(Protocol):
    """One line of the table."""

    @property
    def name(self) -> str: ...

    @property
    def costly(self) -> bool:
        """Whether an edit takes seconds: it is then measured on `FEW` faces, and not on paths."""

    def why_not(self, attribute: str) -> str | None:
        """Why it cannot change an attribute, or None."""

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        """The latent, changed in one step. Changes are taken in the order given, by editors to which the order matters."""


@runtime_checkable
class Together(Editor, Protocol):
    """An editor that is quicker with many."""

    def together(self, latents: Sequence[Latent], wishes: Sequence[Wanted]) -> list[Latent]:
        """`edit` of each, as plain codes."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A direction for each attribute. units: what one σ of the attribute takes, in strengths of the direction."""

    name: str
    directions: dict[str, Direction]
    units: dict[str, float] = field(default_factory=dict)
    costly: bool = False

    def why_not(self, attribute: str) -> str | None:
        return None if attribute in self.directions else f"{self.name} has no direction for {attribute}"

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        for attribute, change in wanted.items():
            # Under the attribute's name: two attributes may stand on one component.
            direction = replace(self.directions[attribute], name=f"{self.name}: {attribute}")
            strength = change * self.units.get(attribute, 1.0)
            latent = latent.with_edit(direction, strength + _there(latent, direction.name), direction.layers)
        return latent


@dataclass(frozen=True, eq=False)
class Scaled:
    """An editor whose wishes are multiplied, attribute by attribute, so that it does on average what was wanted."""

    editor: Editor
    factors: dict[str, float]

    @property
    def name(self) -> str:
        return self.editor.name

    @property
    def costly(self) -> bool:
        return self.editor.costly

    def why_not(self, attribute: str) -> str | None:
        known = None if attribute in self.factors else f"nobody has calibrated {attribute}"
        return self.editor.why_not(attribute) or known

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        return self.editor.edit(latent, self.scaled(wanted))

    def scaled(self, wanted: Wanted) -> Wanted:
        """What the editor is asked for instead."""
        return {name: change * self.factors[name] for name, change in wanted.items()}


def carried_out(
    session: GeneratorSession, editor: Editor, latents: Sequence[Latent], wishes: Sequence[Wanted]
) -> list[Latent]:
    """Latents that have never been edited, edited and settled: what an edit takes is taken once, not at every look."""
    if isinstance(editor, Scaled):
        return carried_out(session, editor.editor, latents, [editor.scaled(wish) for wish in wishes])
    if isinstance(editor, Together):
        return editor.together(latents, wishes)
    return [settled(session, editor.edit(latent, wish)) for latent, wish in zip(latents, wishes, strict=True)]


def linear_editors(session: GeneratorSession, population: Population) -> list[Editor]:
    """All that need no machine, made from the population's w and what the factor network read of it."""
    plain = boundaries(population)
    return [
        shift(population),
        plain,
        conditioned(population, plain),
        shipped(session),
        channels(session),
        components(session, population, "pca", "PCA component"),
        components(session, population, "sefa", "SeFa component"),
    ]


def shift(population: Population) -> Linear:
    """The linear shift along E[w|a]: w and all attributes a regressed on each other, w' = w + B Δa.

    What a flow conditioned on the same attributes would do if w given a were normal with a mean linear in a.
    """
    a = np.stack([_standard(population.network[name]) for name in ATTRIBUTES], axis=1)
    w = population.w.astype(np.float64)
    slopes = np.linalg.lstsq(a, w - w.mean(axis=0), rcond=None)[0]
    made = {}
    for name, row in zip(ATTRIBUTES, slopes, strict=True):
        length = float(np.linalg.norm(row))
        made[name] = Direction(
            name, (row / length).astype(np.float32), sigma=length, source="linear shift along E[w|a]"
        )
    return Linear("linear shift", made)


def boundaries(population: Population) -> Linear:
    """The plain boundaries of InterFaceGAN: between the fifth of the population with most of an attribute and that with least."""
    made = {name: boundary(population.w, population.network[name], name=name) for name in ATTRIBUTES}
    return Linear("InterFaceGAN boundary", made)


def conditioned(population: Population, plain: Linear) -> Linear:
    """Each boundary without its parts along those of the attributes that go with it most (Shen et al. 2020, section 3.3)."""
    readings = np.stack([_standard(population.network[name]) for name in ATTRIBUTES])
    together = np.abs(readings @ readings.T) / readings.shape[1]
    made = {}
    for i, name in enumerate(ATTRIBUTES):
        nearest = [ATTRIBUTES[k] for k in np.argsort(-together[i]) if k != i][:CONDITIONED]
        made[name] = condition(plain.directions[name], *(plain.directions[k] for k in nearest), w=population.w)
    return Linear("conditioned boundary", made)


def shipped(session: GeneratorSession) -> Linear:
    """The named directions that come with the generator, chosen and conditioned by measurement."""
    names = {name: direction_name(name) for name in ATTRIBUTES}
    return Linear(
        "shipped direction", {name: session.directions[key] for name, key in names.items() if key in session.directions}
    )


def channels(session: GeneratorSession) -> Linear:
    """The best style channel of each attribute, by the StyleSpace report of the generator."""
    report, stats = shipped_report(session), statistics(session)
    rows = [row for row in report.rows if row.factor in ATTRIBUTES] if report is not None else []
    made = {row.factor: edit_direction(session, {Channel(*row.channel): float(row.sign)}, stats) for row in rows}
    return Linear("best style channel", made, {row.factor: _unit(row) for row in rows})


def _unit(row: Row) -> float:
    """Strength for one σ: by the report's curve where it got to half of one, else by the slope at the start.

    The side is in the direction already, so strengths of channels that are to be lowered count without their sign.
    """
    return abs(row.style.strength) / CHANGE if np.isfinite(row.style.strength) else 1 / max(abs(row.effect), 0.02)


def components(session: GeneratorSession, population: Population, prefix: str, name: str) -> Linear:
    """For each attribute the component that goes with it most, where one does."""
    found = [direction for key, direction in session.directions.items() if key.startswith(prefix)]
    made = {}
    for attribute in ATTRIBUTES:
        target = _standard(population.network[attribute])
        r = [float((_standard(population.w @ d.vector) * target).mean()) for d in found]
        best = max(range(len(r)), key=lambda i: abs(r[i]), default=-1)
        if best >= 0 and abs(r[best]) >= FITTING:
            made[attribute] = replace(found[best], vector=found[best].vector * np.float32(np.sign(r[best])))
    return Linear(name, made)


def _standard(values: ArrayLike) -> Array:
    x = np.asarray(values, np.float64)
    return np.asarray((x - x.mean()) / max(float(x.std()), 1e-12))


def _there(latent: Latent, name: str) -> float:
    """The strength that a direction already has in a latent."""
    return latent.strength(name, "move") if any(edit.identity == ("move", name) for edit in latent.edits) else 0.0
