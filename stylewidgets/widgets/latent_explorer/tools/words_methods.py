"""The three methods of the tool "Words", each as a card with its own controls."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from ....latent.direction import Direction
from ....latent.latent import Latent
from ....latent.move import Move
from ....settings import Setting
from ...kit.controls.number import NumberBox
from ...kit.errors import describe
from ...kit.parts import button, card, control, note, quiet, row, say, show
from ...kit.views.channel_map import ChannelMap, as_bytes, page_layers

if TYPE_CHECKING:
    from ....editing.words import Relevance
    from .words import WordsTool

LAYOUT = {"flex": "1 1 180px", "min_width": "180px"}


def short(target: str) -> str:
    """What a sentence says of a face, for a button or a row: "with red lips" of "a face with red lips"."""
    return target.removeprefix("a face that ").removeprefix("a face ")


class AtOnce(widgets.VBox):
    """The global direction: β, how many channels pass it and where they are, and a button. Attribute: `beta`."""

    def __init__(self, tool: WordsTool) -> None:
        self._tool = tool
        self.beta = control(
            widgets.FloatSlider,
            tip="beta: to the right fewer channels move, only those that mean the sentence; to the left more of them",
            on=lambda _: self._chosen(),
            view=tool.place,
            style={"description_width": "90px"},
            layout={"width": "100%", "max_width": "440px"},
            value=0.2,
            min=0.01,
            max=0.95,
            step=0.01,
            description="how focused",
            readout_format=".2f",
            continuous_update=True,
        )
        self._count = note("")
        self.apply = button(
            "apply", "add an edit towards these words, with strength 1", self.add, view=tool.place, primary=True
        )
        self._auto = button(
            "automatic focus", "the most focused that leaves enough channels", self.refresh, view=tool.place
        )
        self._prepare = button("Prepare …", "measure what each channel does", self.prepare, view=tool.place)
        self._where = button(
            "which channels …", "the map of all channels, with those marked that move", self._toggle, view=tool.place
        )
        self._automatic = True
        parts = (note("One direction for every face, ready in a second."), self.beta, self._count)
        self._frame = card(
            *parts, row(self.apply, self._auto, self._where, self._prepare), title="At once", words=("channel",)
        )
        super().__init__([self._frame], layout={"width": "100%"})

    @cached_property
    def map(self) -> ChannelMap:
        """Every channel by its relevance, with those marked that pass; made when somebody looks."""
        layers = page_layers(self._tool.host.session.layers)
        made = ChannelMap(layers=layers, label="Channels that these words move", layout={"width": "100%"})
        self._frame.children = (*self._frame.children, made)
        return made

    def refresh(self) -> None:
        """Take the automatic β for the texts, and show what passes it."""
        self._automatic = True
        there = self._tool.words.table is not None
        for part in (self.beta, self.apply, self._auto, self._where):
            show(part, there)
        show(self._prepare, not there)
        if not there:
            say(self._count, "What each channel does to these pictures is not measured yet for this generator.")
            return
        try:
            found = self._tool.words.relevance(*self._tool.texts)
        except ValueError as problem:  # while somebody still writes: said here, not as a failure
            say(self._count, describe(problem))
            self.apply.disabled = True
            return
        with quiet(self.beta):
            self.beta.value = found.beta
        self._show()

    def add(self) -> None:
        """Make the direction as a job, then the edit."""
        beta = None if self._automatic else float(self.beta.value)
        neutral, target = self._tool.texts
        job = self._tool.words.direction.steps(neutral, target, beta, name=short(target))
        self._tool.work.run("direction", job, self._put, "making a direction")

    def prepare(self) -> None:
        """Measure the table; what is measured so far is usable whenever it is stopped."""
        words = self._tool.words
        cost = words.cost()

        def ready(table: Any) -> None:
            words.table = table
            self._tool.refresh()

        say(
            self._count,
            f"{cost.pictures:,} pictures, about {max(1, round(cost.seconds / 60))} min; stop it at any time.",
        )
        self._tool.work.run("table", words.prepare(), ready, "measuring channels")

    def _put(self, direction: Direction) -> None:
        self._tool.put(Move(direction, 1.0))

    def _chosen(self) -> None:
        found = self._tool.words.relevance(*self._tool.texts)
        if self._automatic and abs(self.beta.value - found.beta) < self.beta.step / 2:
            return  # the page's own rounding of what it was given
        self._automatic = False
        self._show()

    def _show(self) -> None:
        found = self._tool.words.relevance(*self._tool.texts)
        places = found.places(float(self.beta.value))
        self.apply.disabled = not len(places)
        layers = len({self._layer(int(place)) for place in places})
        words = (
            f"moves {len(places)} of {len(found.values):,} channels in {layers} layers"
            + (" (automatic)" if self._automatic else "")
            if len(places)
            else f"no channel is that focused: the largest relevance is {found.largest:.2f}"
        )
        say(self._count, words)
        if "map" in self.__dict__:
            self._colour(found, places)

    def _toggle(self) -> None:
        there = "map" in self.__dict__
        show(self.map, not there or self.map.layout.display == "none")
        self._show()

    def _colour(self, found: Relevance, places: Iterable[int]) -> None:
        self.map.values = as_bytes(np.abs(found.values))
        self.map.scale = {
            "measure": "relevance",
            "unit": "",
            "low": 0.0,
            "high": found.largest,
            "palette": "sequential",
        }
        self.map.marked = [int(place) for place in places]

    def _layer(self, place: int) -> str:
        from ....stylespace.channel import Channel

        layers = self._tool.host.session.layers
        return layers[Channel.of(place, layers).layer].name


class ByMapper(widgets.VBox):
    """Trained mappers: those that ship, and one trained here. Attribute: `choice`."""

    def __init__(self, tool: WordsTool) -> None:
        self._tool = tool
        self._made: dict[str, Any] = {}
        self.choice = control(
            widgets.Dropdown,
            tip="mappers that are there",
            layout={"width": "100%"},
            style={"description_width": "60px"},
            options=[],
            description="mapper",
        )
        self.apply = button("apply", "add this mapper's edit, with strength 1", self.add, view=tool.place)
        self.train = button("train for these words", "some minutes; stop it at any time", self.fit, view=tool.place)
        self._note = note("")
        words = note("A small network that answers each face in its own way; one is trained for each sentence.")
        super().__init__(
            [card(words, self.choice, self._note, row(self.apply, self.train), title="Mapper", flex="1 1 auto")],
            layout=LAYOUT,
        )

    def refresh(self) -> None:
        """List what there is."""
        names = [*self._tool.words.mappers(), *self._made]
        chosen = self.choice.value
        if list(self.choice.options) != names:
            self.choice.options = names
            self.choice.value = chosen if chosen in names else names[0] if names else None
        self.apply.disabled = not names
        show(self.choice, bool(names))
        say(self._note, "" if names else "None is there for this generator yet.")

    def add(self) -> None:
        """The edit of the chosen mapper."""
        name = self.choice.value
        if name is None:
            raise ValueError("choose a mapper first, or train one")
        self._tool.put((self._made.get(name) or self._tool.words.mapper(name)).edit())

    def fit(self, **settings: Any) -> None:
        """Train one for the sentence; stopped, it is the one so far. settings: of `Words.fit_mapper`."""

        def ready(mapper: Any) -> None:
            self._tool.host.session.editors.add(mapper.kind, mapper)
            self._made[mapper.name] = mapper
            self.refresh()
            self.choice.value = mapper.name
            self._tool.put(mapper.edit())

        sentence = self._tool.texts[1]
        self._tool.work.run(
            "mapper", self._tool.words.fit_mapper(sentence, **settings), ready, f"training for {sentence!r}"
        )


class ByOptimiser(widgets.VBox):
    """The optimiser: watched in the picture while it goes on, then a row like any other. Attributes: `steps`, `space`."""

    def __init__(self, tool: WordsTool) -> None:
        self._tool = tool
        self.steps = NumberBox(
            Setting("steps", 40, "more steps go further; 40 as in the authors' notebook", low=2, high=2000),
            layout={"width": "130px"},
            style={"description_width": "50px"},
        )
        self.space = control(
            widgets.Dropdown,
            tip="what is moved: w of each layer, or the style channels",
            layout={"width": "130px"},
            style={"description_width": "50px"},
            options=["w+", "s"],
            description="moves",
        )
        self.start = button(
            "start", "move this face until the words fit it; watch the picture", self.go, view=tool.place
        )
        words = note("Searches for this one face only: slow, and finds what no direction has.")
        parts = (words, row(self.steps, self.space), row(self.start))
        super().__init__([card(*parts, title="Optimiser", flex="1 1 auto")], layout=LAYOUT)

    def go(self) -> None:
        """Start it from the present picture."""
        host, (_, sentence) = self._tool.host, self._tool.texts
        latent = host.value
        space = "s" if latent.in_s else self.space.value
        run = self._tool.words.optimise(latent, sentence, space=space, steps=self.steps.value)

        def watch() -> None:
            host.preview(_shown(latent, run.result()))

        def ready(result: Any) -> None:
            if result is None or not result.steps:
                host.preview(host.value)
                return
            direction = _direction(host.session, latent, result, sentence)
            host.change(f"words: {sentence}", lambda value: value.with_edit(Move(direction, 1.0)))

        self._tool.work.run("optimiser", run, ready, f"looking for {sentence!r}", each=watch)


def _shown(start: Latent, result: Any) -> Latent:
    """What an optimisation has so far, with the noise and view of its start."""
    return start.replace(code=result.latent().code, psi=1.0, cutoff=None, edits=())


def _direction(session: Any, start: Latent, result: Any, sentence: str) -> Direction:
    """The way from the start to the result: with strength 1 it ends where the run did."""
    in_s = result.space == "s"
    before = (session.flat_styles(start) if in_s else session.map(start))[0].cpu().numpy()
    vector = result.code[0] - before
    source = f"words: the optimiser's way from this face to {sentence!r}, {result.steps} steps"
    return Direction(f"{sentence} (optimised)"[:200], vector, 1.0, "s" if in_s else "w", unit="×", source=source)
