"""The tool "Words": say what to change, and by which of StyleCLIP's three methods."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from .... import domain
from ....latent.latent import Latent
from ....latent.mapped import MapperEdit
from ....latent.move import Move
from ...kit.controls.direction_rows import DirectionRows
from ...kit.host import PictureHost
from ...kit.jobs import Jobs
from ...kit.parts import ErrorPlace, button, card, control, note, place, quiet, row, say
from ...kit.sharing import own
from .edit_truth import EditTruth
from .tool import Tool
from .words_find import Finder
from .words_methods import AtOnce, ByMapper, ByOptimiser, short

if TYPE_CHECKING:
    from ....editing.words import Words
    from ....session.session import GeneratorSession

SUGGESTIONS = (
    ("a face", "a smiling face"),
    ("a face", "a face with glasses"),
    ("a face", "a bearded face"),
    ("a face", "a bald head"),
    ("a face with hair", "a face with blond hair"),
    ("a face", "a face that looks to the left"),
    ("a face", "a face with closed eyes"),
    ("a face with a hat", "a face without a hat"),
)
SOURCE = "words:"
"""How the sources of directions begin that were made here."""


def made_here(edit: object) -> bool:
    """Whether an edit came from words."""
    return isinstance(edit, MapperEdit) or (isinstance(edit, Move) and edit.direction.source.startswith(SOURCE))


class WordsTool(Tool):
    """Two sentences, three methods, and the rows that come of them.

    Attributes: `neutral` and `target`, the texts; `at_once`, `mapper`, `optimiser`, the cards; `rows`; `finder`; `truth`, the
    line about what changed; `words`, the machine, which may be assigned: one with a public CLIP network, for example.
    """

    name, title = "words", "Words"
    near = True
    seeds = True
    truth: EditTruth | None = None
    place: ErrorPlace
    _words: Words | None

    def fits(self, session: GeneratorSession) -> str | None:
        """Whether there is an encoder that knows such pictures: the bundled one knows avatars."""
        known = domain.of(session)
        if known is not None and known.name == "avatars":
            return None
        if _machines().of(session) is not None:
            return None
        return (
            "the text encoder that ships knows avatars only. Load a larger one first, and keep it: "
            "words = stylewidgets.editing.Words.load(session, 'ViT-B-32.pt')"
        )

    @property
    def words(self) -> Words:
        """The machine, loaded when it is first needed."""
        if self._words is None:
            kind = _machines()
            self._words = kind.of(self._host.session) or kind.load(self._host.session)
        return self._words

    @words.setter
    def words(self, words: Words) -> None:
        self._words = words
        self.refresh()

    def panel(self, host: PictureHost) -> widgets.Widget:
        self._host, self._words = host, None
        self.place = ErrorPlace()
        self.work = Jobs(self.place)
        own(self.work).min_height = None  # no line before there is long work
        self.neutral = self._field("from", "what the face is now, in a few words", "a face")
        self.target = self._field("to", "what it is to be; Enter accepts it", "a smiling face")
        self._known = note("")
        chips = [self._chip(*pair) for pair in SUGGESTIONS]
        self.at_once, self.mapper, self.optimiser = AtOnce(self), ByMapper(self), ByOptimiser(self)
        self.rows = DirectionRows(host.session.num_ws, host.change, "Nothing yet: press a button above.")
        self.finder = Finder(self)
        parts: list[widgets.Widget] = [
            card(
                self.neutral, self.target, row(*chips), self._known, title="Say what to change", words=("text encoder",)
            ),
            self.place,
            self.work,
            self.at_once,
        ]
        edits: list[widgets.Widget] = [self.rows]
        known = domain.of(host.session)
        if known is not None and known.observe is not None and known.describe is not None:
            render = host.picture.render
            self.truth = EditTruth(host.view, lambda: host.start, render, known.observe, known.describe, known.changes)
            edits.append(self.truth)
        self.refresh()
        others = row(self.mapper, self.optimiser, align_items="stretch")
        return place("sw-cards", *parts, card(*edits, title="Your edits"), others, self.finder)

    # -- what the cards use --------------------------------------------------------------------------------------------
    @property
    def host(self) -> PictureHost:
        """The explorer, as tools see it."""
        return self._host

    @property
    def texts(self) -> tuple[str, str]:
        """From and to."""
        return self.neutral.value.strip(), self.target.value.strip()

    def put(self, edit: Any) -> None:
        """Add an edit, or put it in the place of one of its kind and name. One step of undo."""
        self._host.change(f"words: {edit.name}", lambda latent: latent.with_edit(edit))

    def refresh(self) -> None:
        """Say what is understood, and bring the cards to the texts."""
        self.place.error = ""
        known = self.words.encoder.understood(self.texts[1]) if self.texts[1] else ()
        said = f"understood: {' · '.join(known)}" if known else "Nothing in it is understood: say it in other words."
        say(self._known, said if self.texts[1] else "Write what the face is to be.")
        self.at_once.refresh()
        self.mapper.refresh()

    # -- a tool --------------------------------------------------------------------------------------------------------
    def update(self, host: PictureHost) -> None:
        self.rows.show(_only_words(host.value))
        if self.truth is not None:
            self.truth.update(host.value)

    def opened(self, host: PictureHost) -> None:
        if host.picture.latent is not None:
            self.rested(host, host.picture.latent)

    def rested(self, host: PictureHost, latent: Latent) -> None:
        if self.truth is not None and latent == host.value:
            self.truth.settled(latent)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _field(self, label: str, tip: str, value: str) -> widgets.Text:
        return control(
            widgets.Text,
            value,
            tip=tip,
            on=lambda _: self.refresh(),
            view=self.place,
            style={"description_width": "40px"},
            layout={"width": "100%", "max_width": "480px"},
            description=label,
            continuous_update=False,
        )

    def _chip(self, neutral: str, target: str) -> widgets.Button:
        def use() -> None:
            with quiet(self.neutral, self.target):
                self.neutral.value, self.target.value = neutral, target
            self.refresh()

        return button(short(target).removeprefix("a "), f"from {neutral!r} to {target!r}", use, view=self.place)


def _only_words(latent: Latent) -> Latent:
    """The latent with those edits only that came from words: what the rows here show."""
    return latent.replace(edits=tuple(edit for edit in latent.edits if made_here(edit)))


def _machines() -> type[Words]:
    found: type[Words] = import_module("stylewidgets.editing.words").Words
    return found
