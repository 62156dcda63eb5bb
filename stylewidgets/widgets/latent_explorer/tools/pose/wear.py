"""What somebody else wears: a part of another avatar, or of another person from files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..... import avatars
from ....kit.controls.rows import Row, Rows
from ....kit.parts import WIDE, ErrorPlace, button, card, control, note, row, say, show
from ....kit.sharing import shared_layout
from .person import SeedBox
from .who import NOBODY, Who

if TYPE_CHECKING:
    from .....generators.posed import Person


class WearCard(widgets.VBox):
    """A part of another one on the person in the picture, with strength.

    Args:
        put: takes a source with its words, and makes it the one that is drawn.
        who: whom the picture shows now.
        other: the person from files whose garment can be taken; None for none.

    Attributes: `seed`, `part`, `rows` (its row "garment" is the strength).
    """

    def __init__(
        self, put: Callable[[Any, str], object], who: Callable[[], Who], other: Callable[[], Person | None]
    ) -> None:
        self._put, self._who, self._other = put, who, other
        self.place = ErrorPlace()
        self._words = note("")
        self.seed = SeedBox("the avatar that it is taken from", lambda _: self.take(), self.place)
        self.part = control(
            widgets.Dropdown, on=lambda _: self.take(), view=self.place, tip="which part is taken",
            style={"description_width": "36px"}, layout={"width": "190px"}, options=[("nothing", "")], description="part",
        )  # fmt: skip
        self.rows = Rows(
            [_strength(1.0)], on_change=lambda _, value: self.take(value), view=self.place, label="Strength"
        )
        back = button("take it off", "only what is the person's own", self.off, view=self.place)
        super().__init__(
            [
                card(
                    self._words,
                    row(self.seed, self.part),
                    self.rows,
                    row(back),
                    self.place,
                    title="Wear",
                    words=("garment",),
                )
            ],
            layout=shared_layout(**WIDE),
        )

    def update(self) -> None:
        """Follow the value: which parts there are, and what is worn."""
        who = self._who()
        show(self.seed, who.person is None)
        if who.source is None:
            say(self._words, NOBODY)
        elif who.person is not None:
            given = self._other()
            say(
                self._words,
                "A garment comes from another person: give their files under Person, draw them once, go back (undo), then "
                "choose the part here."
                if given is None or given is who.person
                else "The part is taken from the person whose files were read last.",
            )
        else:
            say(self._words, "A part of another avatar, as it would lie on this one.")
        parts = _parts(who)
        options = [("nothing", ""), *((part.replace("_", " "), part) for part in parts)]
        if list(self.part.options) != options:
            self.part.options = options
        worn = getattr(who.source, "part", "")
        self.part.value = worn if worn in parts else ""
        self.rows.update([_strength(float(getattr(who.source, "strength", 1.0)))])

    def take(self, strength: float | None = None) -> None:
        """Wear the chosen part of the chosen one."""
        who, part = self._who(), self.part.value
        if not part:
            self.off()
            return
        much = float(self.rows.handles["garment"].value if strength is None else strength)
        if who.figure is not None:
            groups = tuple(who.groups)
            other = avatars.Figure(avatars.sample(1, self.seed.value, groups=groups), groups)
            self._put(who.figure.wearing(other, part, much), f"{part} of avatar {self.seed.value}")
            return
        given = self._other()
        if who.person is None or given is None or given is who.person:
            raise ValueError("there is nobody to take it from: read the files of another person under Person first")
        self._put(who.person.wearing(given, part, much), f"{part} of the other person")

    def off(self) -> None:
        """Wear only one's own."""
        who = self._who()
        if hasattr(who.source, "part"):
            self._put(who.figure if who.figure is not None else who.person, "own clothes")


def _parts(who: Who) -> Iterable[str]:
    if who.figure is not None:
        from .....avatars.surface import GARMENTS as WORN

        return WORN
    if who.person is not None:
        from .....generators.posed import GARMENTS

        return GARMENTS
    return ()


def _strength(value: float) -> Row:
    return Row("garment", "strength", value, 0.0, 1.0, 0.05, tip="0 is one's own, 1 the other's", home=1.0)
