"""The tool itself: which part is chosen, whose it becomes, and the rows that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import ipywidgets as widgets

from .....latent.caption import caption
from .....latent.latent import Latent
from .....latent.transfer import TransferEdit
from ....kit.controls.rows import Handle, Row, Rows
from ....kit.host import PictureHost
from ....kit.jobs import Jobs
from ....kit.parts import ErrorPlace, button, card, control, listen, note, place, quiet, say, show
from ....kit.sharing import own
from ....kit.views.cards import Card, Cards
from ..tool import Tool
from .faces import Faces
from .naming import Naming
from .part_map import PartMap

if TYPE_CHECKING:
    from .....editing.parts.parts import Parts
    from .....session.session import GeneratorSession

THUMBNAIL = 72
METHODS = {
    "that are densest in it": "densest",
    "that carry it in all faces (Editing in Style)": "editing",
    "of these two faces alone (Retrieve in Style)": "retrieve",
}


class PartsTool(Tool):
    """Choose a part on the picture or in the list, press a face, and drag how much of its part is taken.

    Attributes: `machine`, the parts of this generator, None until there are some; assign others. `choice`, the list of parts;
    `method`; `faces`, the nearest and some random ones; `rows`, what was taken; `naming`, the card for names and files; `map`,
    the sheet over the picture; `prepare`, the button where parts have to be found first; `work`, the jobs.
    """

    name, title = "parts", "Parts"
    near = True
    seeds = True
    _machine: Parts | None = None
    place: ErrorPlace

    def fits(self, session: GeneratorSession) -> str | None:
        if any(layer.kind != "torgb" for layer in session.layers):
            return None
        return "it has no convolutions, whose features would say what is where"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self._host = host
        self._thumbnails: dict[Latent, bytes] = {}
        self.place = ErrorPlace()
        self.work = Jobs(self.place)
        own(self.work).min_height = None  # no line before there is long work
        self._words = note("")
        self.prepare = button(
            "Prepare",
            "find the parts of this generator; pause and stop keep what is done",
            self._prepare,
            view=self.place,
        )
        self.map = PartMap(width=host.picture.view.size)
        self.map.on_pick = self._picked
        self.choice = Cards(label="Parts of the picture", least=96)
        listen(self.choice, self._on_choice, "chosen", view=self.place)
        self.method = control(
            widgets.Dropdown,
            on=lambda _: self.faces.refresh(),
            view=self.place,
            tip="which style channels are taken from the face that you press",
            style={"description_width": "66px"},
            layout={"width": "100%", "max_width": "400px"},
            options=list(METHODS.items()),
            description="channels",
        )
        self.faces = Faces(self)
        self.rows = Rows(
            on_change=self._move,
            on_remove=self._take_back,
            view=self.place,
            label="Parts taken from other faces",
            empty="Nothing yet: choose a part, then press a face.",
        )
        self.naming = Naming(self)
        choose = card(
            note("Point at the picture and click, or choose here."),
            self.choice,
            self.method,
            title="Which part",
            words=("part", "channel"),
        )
        taken = card(self.rows, title="Taken from other faces")
        self._there = place("sw-cards", choose, self.faces, taken, self.naming)
        self._start()
        return place("sw-cards", self._words, self.prepare, self.place, self.work, self._there)

    def overlay(self, host: PictureHost) -> widgets.Widget:
        return self.map

    # -- what the cards use --------------------------------------------------------------------------------------------
    @property
    def host(self) -> PictureHost:
        """The explorer, as tools see it."""
        return self._host

    @property
    def machine(self) -> Parts | None:
        """The parts."""
        return self._machine

    @machine.setter
    def machine(self, machine: Parts) -> None:
        self._host.session.editors.add("parts", machine)
        kept = self.part
        self._machine = machine
        if machine.catalogue.shares is None:  # of a published file
            self.work.run("shares", machine.measured(), self._found, "measuring channels")
        self._list()
        self.part = kept if kept in machine.names else None
        for child in self._there.children:
            show(child, True)
        show(self.prepare, False)
        say(self._words, "")
        if self.shown:
            self.rested(self._host, self._host.value)

    @property
    def part(self) -> str | None:
        """The chosen part."""
        names = self._machine.names if self._machine is not None else ()
        return names[self.choice.chosen] if 0 <= self.choice.chosen < len(names) else None

    @part.setter
    def part(self, part: str | None) -> None:
        assert self._machine is not None
        with quiet(self.choice):
            self.choice.chosen = -1 if part is None else self._machine.names.index(part)
        self._on_choice(self.choice.chosen)

    def bare(self) -> Latent:
        """The value without what was taken: what a part is compared by, so that the faces stay while a row is dragged."""
        value = self._host.value
        return value.replace(edits=tuple(edit for edit in value.edits if edit.kind != "transfer"))

    def taken(self, part: str | None) -> TransferEdit | None:
        """The edit of that part."""
        edits = (edit for edit in self._host.value.edits if isinstance(edit, TransferEdit) and edit.name == part)
        return next(edits, None)

    def take(self, reference: Latent) -> None:
        """Take the chosen part from a face; as much as of the face before. One step of undo."""
        machine, part = self._need()
        if self.method.value == "editing" and part in machine.catalogue.names and machine.catalogue.shares is None:
            raise ValueError("what the channels of these parts do is still being measured; try again in a moment")
        before = self.taken(part)
        strength = before.strength if before is not None and before.strength else 1.0
        made = machine.transfer(self._host.value, reference, part, strength, method=self.method.value)
        edit = made.edit(part, "transfer")
        self._host.change("", lambda latent: latent.with_edit(edit))

    # -- a tool --------------------------------------------------------------------------------------------------------
    @property
    def handles(self) -> Mapping[str, Handle]:
        return self.rows.handles if self._machine is not None else MappingProxyType({})

    def opened(self, host: PictureHost) -> None:
        self.rested(host, host.value)

    def left(self, host: PictureHost) -> None:
        self.naming.stop()

    def update(self, host: PictureHost) -> None:
        self.rows.update([self._row(edit) for edit in _parts(host.value)])
        self.faces.mark()

    def rested(self, host: PictureHost, latent: Latent) -> None:
        """Say which part is where, once for each picture that stands still."""
        if self._machine is None or latent != host.value:
            return
        for edit in _parts(latent):
            if edit.reference not in self._thumbnails:
                self._thumbnails[edit.reference] = host.picture.thumbnail(edit.reference, THUMBNAIL)
        self.update(host)
        self._list()
        self.naming.show_map()
        self.faces.refresh()

    # -- inside --------------------------------------------------------------------------------------------------------
    def _need(self) -> tuple[Parts, str]:
        machine, part = self._machine, self.part
        if machine is None:
            raise ValueError("there are no parts for this generator yet: press Prepare first")
        if part is None:
            raise ValueError("choose a part first: click it on the picture, or press it in the list")
        return machine, part

    def _start(self) -> None:
        """Parts that are there, or what it takes to find them."""
        from .....editing.parts.fitting import seconds
        from .....editing.parts.parts import Parts

        session = self._host.session
        if Parts.known(session):
            self.machine = Parts.load(session)
            return
        self.prepare.description = f"Prepare (about {max(1, round(seconds(session) / 60))} min)"
        say(
            self._words,
            "The parts of this generator are not known yet. They are found in the features of 200 of its pictures. "
            "A file with parts can be loaded below.",
        )
        for child in self._there.children:
            show(child, child is self.naming)

    def _prepare(self) -> None:
        if not self.work.busy():
            self.prepare.disabled = True
            run = self._host.session.editors.fit("parts")
            self.work.run("parts", run, self._found, "finding parts", ended=self._came_to_rest)

    def _found(self, machine: object) -> None:
        self.machine = cast("Parts", machine)

    def _came_to_rest(self) -> None:
        self.prepare.disabled = False
        self.prepare.description = "Prepare: go on"

    def _list(self) -> None:
        """Bring the list of parts to the picture."""
        machine = self._machine
        assert machine is not None
        labels = machine.labels(self._host.value)
        cards: list[Card] = []
        for k, name in enumerate(machine.names):
            there = k >= len(machine.catalogue.names) or bool((labels == k).any())
            fit = machine.catalogue.agreement.get(name)
            tip = "the pose, by the coarsest layers" if k >= len(machine.catalogue.names) else f"{name} of the picture"
            if fit is not None:
                tip += f"; its clusters agree with the segmenter's region by {fit:.0%} (intersection over union)"
            cards.append({"title": name, "lines": () if there else ("not here",), "tip": tip})
        if [dict(each) for each in cards] != self.choice.cards:
            with quiet(self.choice):
                self.choice.show(cards, chosen=self.choice.chosen)

    def _picked(self, region: int) -> None:
        if self.naming.active:
            self.naming.toggle(region)
        elif self._machine is not None and 0 <= region < len(self._machine.catalogue.names):
            self.part = self._machine.catalogue.names[region]

    def _on_choice(self, chosen: int) -> None:
        self.place.error = ""
        if not self.naming.active:
            self.map.chosen = [chosen]
        self.naming.follow()
        self.faces.refresh()

    def _row(self, edit: TransferEdit) -> Row:
        count = len(edit.channels)
        return Row(
            edit.name,
            edit.name,
            edit.strength,
            min(0.0, edit.strength),
            max(1.0, edit.strength),
            0.01,
            tip=f"{edit.name} of {caption(edit.reference)}, {count} channels; 1 is all of it, 0 none",
            open_ended=True,
            removes=True,
            picture=self._thumbnails.get(edit.reference, b""),
        )

    def _move(self, key: str, value: float) -> None:
        edit = self.taken(key)
        if edit is not None:
            moved = edit.with_strength(value)
            self._host.change(f"part {key}", lambda latent: latent.with_edit(moved))

    def _take_back(self, key: str) -> None:
        self._host.change("", lambda latent: latent.without_edit(key, "transfer"))


def _parts(latent: Latent) -> list[TransferEdit]:
    """The edits that take a part from another face, and not whole layers."""
    return [edit for edit in latent.edits if isinstance(edit, TransferEdit) and edit.weights is not None]
