"""A gallery of directions on the page: one model for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import traitlets

from .esm import script, style
from .page import Messages, PageView


class Gallery(PageView):
    """Directions by group, each with two pictures of what it does. Callbacks:

    on_add(name)     a direction was chosen
    on_want(names)   their pictures are to be drawn: they came into sight. Answer by `picture`
    on_again()       all pictures are to be drawn again
    """

    _esm = script("gallery.js")
    _css = style("icons.css", "parts.css", "gallery.css")
    MESSAGES: ClassVar[Messages] = {
        "add": lambda message: (str(message["name"]),),
        "want": lambda message: ([str(name) for name in message["names"]],),
        "again": lambda message: (),
    }
    on_add: Callable[[str], object] | None = None
    on_want: Callable[[list[str]], object] | None = None
    on_again: Callable[[], object] | None = None

    groups: Any = traitlets.List().tag(sync=True)
    """{"name", "open", "items": [{"name", "info"}]}: what stands together, whether it starts unfolded, and where each is from."""
    used: Any = traitlets.List().tag(sync=True)
    """Names of those that have a slider already."""
    words = traitlets.Unicode("").tag(sync=True)
    """Beside the search: how many there are, or what to do when there are none."""

    def picture(self, name: str, less: bytes, more: bytes) -> None:
        """Show what a direction does, one way and the other."""
        self.send({"type": "picture", "name": name}, [less, more])

    def again(self) -> None:
        """Let the page ask again for what is in sight."""
        self.send({"type": "forget"})
