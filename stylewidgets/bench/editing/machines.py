"""The editors of this package as lines of the table: StyleFlow, StyleRig, and StyleCLIP's three methods."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from ...jobs import run as run_job
from ...latent.direction import Direction
from ...latent.flow import CORRECTIONS
from ...latent.latent import Code, Latent
from ...session.session import GeneratorSession
from .editors import Editor, Wanted
from .readings import LIMIT, as_code

if TYPE_CHECKING:
    from ...editing.flow import Flow
    from ...editing.rig import Rig
    from ...editing.words import Mapper, Words

Pair = tuple[str, str]

SENTENCES: dict[str, tuple[Pair, Pair]] = {
    "yaw": (("a face", "a face turned to the right"), ("a face", "a face turned to the left")),
    "pitch": (("a face", "a face looking up"), ("a face", "a face looking down")),
    "skin_tone": (("a face", "a face with dark skin"), ("a face", "a face with light skin")),
    "face_width": (("a face", "a wide face"), ("a face", "a narrow face")),
    "hair_lightness": (("a face", "a face with light hair"), ("a face", "a face with black hair")),
    "hair_length": (("a face", "a face with long hair"), ("a face", "a face with short hair")),
    "eye_size": (("a face", "a face with big eyes"), ("a face", "a face with small eyes")),
    "eye_openness": (("a face", "a face with wide open eyes"), ("a face", "a face with closed eyes")),
    "nose_size": (("a face", "a face with a big nose"), ("a face", "a face with a small nose")),
    "smile": (("a face", "a smiling face"), ("a face", "a sad face")),
    "mouth_open": (("a face", "a face with an open mouth"), ("a face", "a face with a closed mouth")),
    "lip_colour": (("a face", "a face with red lips"), ("a face", "a face with pale lips")),
    "glasses": (("a face", "a face with glasses"), ("a face with glasses", "a face without glasses")),
    "beard": (("a face", "a face with a beard"), ("a face with a beard", "a face without a beard")),
    "hat": (("a face", "a face with a hat"), ("a face with a hat", "a face without a hat")),
}
"""By attribute: neutral and target for more of it, and for less. light_azimuth is not something that people say of a face."""

OPTIMISED = ("smile", "glasses", "hair_lightness")
"""What the optimiser is tried on: it takes seconds a picture."""
STEPS = 40


@dataclass(frozen=True, eq=False)
class FlowEditor:
    """StyleFlow: reads what is there, and asks for that and the change, in the flow's own units."""

    flow: Flow
    name: str = "StyleFlow"
    costly: bool = False

    def why_not(self, attribute: str) -> str | None:
        return None if attribute in self.flow.names else f"this flow has no {attribute}"

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        return self.flow.edit(latent, **self._targets(self.flow.attributes(latent), wanted))

    def bring(self, latent: Latent, values: Mapping[str, float]) -> Latent:
        """The latent with attributes at values in the flow's own units."""
        return self.flow.wish(latent, values)

    def together(self, latents: Sequence[Latent], wishes: Sequence[Wanted]) -> list[Latent]:
        """`edit` of many, as plain codes: one solution for all is several times as quick."""
        flow = self.flow
        ws = torch.cat([flow.session.map(latent) for latent in latents])
        targets = [self._targets(flow.natural(now), wish) for now, wish in zip(flow.core.read(ws), wishes, strict=True)]
        return [
            as_code(*each) for each in zip(latents, flow.core.edited_together(ws, targets, CORRECTIONS), strict=True)
        ]

    def _targets(self, now: Mapping[str, float], wanted: Wanted) -> dict[str, Any]:
        targets: dict[str, Any] = {}
        for attribute, change in wanted.items():
            entry = self.flow.about_attribute(attribute)
            if entry.chance:
                value = logistic(log_odds(now[attribute]) + change * entry.deviation)
            else:
                value = now[attribute] + change * entry.deviation
            targets[attribute] = min(max(value, entry.low), entry.high)
        return targets


@dataclass(frozen=True, eq=False)
class RigEditor:
    """StyleRig: reads what is there, and asks for that and the change, in the rig's own units."""

    rig: Rig
    name: str = "StyleRig"
    costly: bool = False

    def why_not(self, attribute: str) -> str | None:
        return None if attribute in self.rig.names else f"this rig has no {attribute}"

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        now, values = self.rig.parameters(latent), {}
        for attribute, change in wanted.items():
            entry = self.rig.about_attribute(attribute)
            values[attribute] = min(max(now[attribute] + change * entry.deviation, entry.low), entry.high)
        return self.bring(latent, values)

    def bring(self, latent: Latent, values: Mapping[str, float]) -> Latent:
        """The latent with parameters at values in the rig's own units."""
        return self.rig.wish(latent, values)


@dataclass(frozen=True, eq=False)
class GlobalDirection:
    """StyleCLIP's global directions with the automatic β, from the sentences of `SENTENCES`."""

    words: Words
    name: str = "global direction"
    costly: bool = False
    _kept: dict[Pair, Direction | str] = field(default_factory=dict)

    def why_not(self, attribute: str) -> str | None:
        if attribute not in SENTENCES:
            return f"no sentence for {attribute}"
        return next((found for pair in SENTENCES[attribute] if isinstance(found := self.direction(pair), str)), None)

    def direction(self, pair: Pair) -> Direction | str:
        """The direction from one text to another, or why there is none."""
        if pair not in self._kept:
            try:
                self._kept[pair] = self.words.direction(*pair)
            except ValueError as error:
                self._kept[pair] = str(error)
        return self._kept[pair]

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        for attribute, change in wanted.items():
            more, less = SENTENCES[attribute]
            direction = self.direction(more if change > 0 else less)
            assert isinstance(direction, Direction)
            direction = replace(direction, name=f"{self.name}: {attribute} {'more' if change > 0 else 'less'}")
            before = sum(edit.strength for edit in latent.edits if edit.identity == ("move", direction.name))
            latent = latent.with_edit(direction, before + abs(change))
        return latent


@dataclass(frozen=True, eq=False)
class Mapped:
    """StyleCLIP's mappers: each trained for one sentence, so each for one attribute and one side; backwards for the other."""

    mappers: dict[str, tuple[Mapper, int]]
    name: str = "mapper"
    costly: bool = False

    def why_not(self, attribute: str) -> str | None:
        return None if attribute in self.mappers else f"no mapper ships for {attribute}"

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        for attribute, change in wanted.items():
            mapper, side = self.mappers[attribute]
            made = mapper.edit(0.0)
            before = sum(edit.strength for edit in latent.edits if edit.identity == made.identity)
            latent = latent.with_edit(mapper.edit(before + change * side))
        return latent


@dataclass(frozen=True, eq=False)
class Optimiser:
    """StyleCLIP's optimiser: each picture's own w+ is moved towards the sentence; a change of 1 is the whole way there."""

    session: GeneratorSession
    words: Words
    name: str = "optimiser"
    costly: bool = True
    _kept: dict[tuple[Latent, Pair], tuple[Code, Code]] = field(default_factory=dict)

    def why_not(self, attribute: str) -> str | None:
        return (
            None if attribute in OPTIMISED else "the optimiser takes seconds a picture: it is tried on a few attributes"
        )

    def edit(self, latent: Latent, wanted: Wanted) -> Latent:
        for attribute, change in wanted.items():
            more, less = SENTENCES[attribute]
            start, end = self._ends(latent, more if change > 0 else less)
            moved = start.array + abs(change) * (end.array - start.array)
            latent = latent.replace(code=Code("w+", moved.astype("float32")), psi=1.0, cutoff=None, edits=())
        return latent

    def _ends(self, latent: Latent, pair: Pair) -> tuple[Code, Code]:
        key = (latent, pair)
        if key not in self._kept:
            run = self.words.optimise(latent, pair[1], space="w+", steps=STEPS)
            run_job(run, unit="step")
            start = Code("w+", self.session.map(latent)[0].cpu().numpy())
            made = run.result().latent()
            self._kept[key] = start, Code("w+", self.session.map(made)[0].cpu().numpy())
        return self._kept[key]


def machines(session: GeneratorSession) -> Iterator[Editor]:
    """Those whose files are there for this generator."""
    from ...editing import Flow, Rig

    if Flow.known(session):
        yield FlowEditor(Flow.load(session))
    if Rig.known(session):
        yield RigEditor(Rig.load(session))
    words = words_of(session)
    if words is None:
        return
    yield GlobalDirection(words)
    mappers = mappers_of(words)
    if mappers:
        yield Mapped(mappers)
    yield Optimiser(session, words)


def words_of(session: GeneratorSession) -> Words | None:
    """The bundled encoder with its table of this generator's channels; None where there is none."""
    from ...editing import Words

    try:
        words = Words.load(session)
    except FileNotFoundError:
        return None
    return words if words.table is not None else None


def mappers_of(words: Words) -> dict[str, tuple[Mapper, int]]:
    """The mappers that ship, by the attribute and the side that their sentence is of."""
    of_sentence = {
        pair[1]: (name, side) for name, both in SENTENCES.items() for pair, side in zip(both, (1, -1), strict=True)
    }
    found: dict[str, tuple[Mapper, int]] = {}
    for name in words.mappers():
        mapper = words.mapper(name)
        attribute, side = of_sentence.get(str(mapper.about.get("sentence", "")), ("", 0))
        if side:
            found[attribute] = (mapper, side)
    return found


def log_odds(chance: float) -> float:
    """Of a chance, within what can be read off a picture."""
    return min(max(math.log(max(chance, 1e-9) / max(1 - chance, 1e-9)), -LIMIT), LIMIT)


def logistic(odds: float) -> float:
    """The inverse of `log_odds`."""
    return 1 / (1 + math.exp(-odds))
