"""Small pictures in a row, on the page: one model for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import traitlets

from .esm import script, style
from .page import Messages, PageView


class PictureStrip(PageView):
    """Pictures that are pressed, deleted (key Delete) and moved (Alt and arrows). Callbacks, each with a place from the left:

    on_pick(place), on_delete(place), on_move(place, to), on_clear(), and on_action() of the button that an empty one has.
    """

    _esm = script("picture_strip.js")
    _css = style("icons.css", "parts.css", "picture_strip.css")
    MESSAGES: ClassVar[Messages] = {
        "pick": lambda message: (int(message["place"]),),
        "delete": lambda message: (int(message["place"]),),
        "move": lambda message: (int(message["place"]), int(message["to"])),
        "clear": lambda message: (),
        "action": lambda message: (),
    }
    on_pick: Callable[[int], object] | None = None
    on_delete: Callable[[int], object] | None = None
    on_move: Callable[[int, int], object] | None = None
    on_clear: Callable[[], object] | None = None
    on_action: Callable[[], object] | None = None

    cards: Any = traitlets.List().tag(sync=True)
    """What each picture is, in words."""
    pictures: Any = traitlets.List().tag(sync=True, echo_update=False)
    """Their encoded bytes; b"" where there is none."""
    marked = traitlets.Int(-1).tag(sync=True)
    """Place of the marked one, −1 for none."""
    title = traitlets.Unicode("snapshot").tag(sync=True)
    """What one of them is called."""
    empty = traitlets.Unicode("").tag(sync=True)
    """What is said while there is none, …"""
    action = traitlets.Unicode("").tag(sync=True)
    """… and what the button beside it says; "" for no button."""
    problem = traitlets.Unicode("").tag(sync=True)
    """Why a picture is missing."""
    movable = traitlets.Bool(True).tag(sync=True)

    def show(self, cards: list[str], pictures: list[bytes], marked: int, problem: str = "") -> None:
        """Bring the page to these pictures, in one message."""
        with self.hold_sync():
            self.cards, self.pictures, self.marked, self.problem = cards, pictures, marked, problem
