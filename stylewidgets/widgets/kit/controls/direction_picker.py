"""A gallery of directions with pictures of what each one does, to add from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ....core.pictures import encoded
from ....directions.groups import FOUND, grouped
from ....jobs import Job, Progress
from ....latent.latent import Direction, Latent
from ..errors import ShowsErrors, reporting
from ..jobs import Jobs
from ..parts import WIDE, button, column
from ..sharing import own, shared_layout
from ..views.gallery import Gallery

STRENGTHS = (-3.0, 3.0)
THUMBNAIL = 112
"""Side of a small picture in pixels."""

Images = Callable[[Sequence[Latent], int], NDArray[np.uint8]]


class DirectionPicker(widgets.VBox):
    """Directions by group, each with the present face at −3 and +3.

    The pictures are drawn one after the other when they come into sight; never while something is dragged.

    Args:
        directions: returns the directions to choose from, by name.
        images: `images(latents, resolution)` returns uint8 [N, h, w, 3].
        current: returns the latent that the pictures start from.
        add: called with the direction that was chosen.
        view: shows errors.
    """

    def __init__(
        self,
        directions: Callable[[], Mapping[str, Direction]],
        images: Images,
        current: Callable[[], Latent],
        add: Callable[[Direction], None],
        view: ShowsErrors,
    ) -> None:
        self._directions, self._images, self._current, self._add = directions, images, current, add
        self.view = view
        self._base: Latent | None = None
        self._drawn: dict[str, tuple[bytes, bytes]] = {}
        self._waiting: list[str] = []
        self._used: list[str] = []
        self._toggle = button(
            "add a direction",
            "show the directions that there are, with a picture of what each one does",
            lambda: self.unfold("sw-away" in self._dom_of_body()),
            layout={"align_self": "flex-start"},
            icon="add",
            primary=True,
        )
        super().__init__([self._toggle], layout=shared_layout(**WIDE))

    @cached_property
    def gallery(self) -> Gallery:
        """The pictures, made when somebody looks."""
        made = Gallery(layout=shared_layout(), used=self._used)
        made.on_add, made.on_want, made.on_again = self._on_add, self._want, self.refresh
        return made

    @cached_property
    def _body(self) -> widgets.VBox:
        self._work = Jobs(self.view)
        own(self._work).min_height = None  # no line before there is long work
        made = column(self._work, self.gallery)
        self.children = (self._toggle, made)
        return made

    def unfold(self, unfolded: bool = True) -> None:
        """Show the gallery, or hide it. (Not called `open`: every widget calls that itself when it is made.)"""
        if not unfolded:
            self._body.add_class("sw-away")
            self._work.stop("pictures")
            self._waiting = []
            return
        self._body.remove_class("sw-away")
        self._show()
        if self._base is not None and self._base != self._current():
            self.refresh()

    def update(self, latent: Latent) -> None:
        """Mark the directions that `latent` has."""
        used = [edit.name for edit in latent.edits]
        if used != self._used:
            self._used = used
            if "gallery" in self.__dict__:
                self.gallery.used = used

    def refresh(self) -> None:
        """Draw the pictures that are in sight again, from the present latent."""
        self._base, self._drawn, self._waiting = self._current(), {}, []
        self._show()
        self.gallery.again()

    # -- inside ------------------------------------------------------------------------------------------------------
    def _dom_of_body(self) -> Sequence[str]:
        return self._body._dom_classes if "_body" in self.__dict__ else ("sw-away",)

    def _show(self) -> None:
        with reporting(self.view, "showing the directions"):
            directions = self._directions()
            groups = grouped(directions.values())
            self.gallery.groups = [
                {
                    "name": name,
                    "open": name not in FOUND.values() or len(groups) == 1,
                    "items": [{"name": d.name, "info": d.label} for d in members],
                }
                for name, members in groups.items()
            ]
            none = "no directions yet: stylewidgets.directions makes some, for example pca(session)"
            self.gallery.words = f"{len(directions)} directions" if directions else none

    def _on_add(self, name: str) -> None:
        self._add(self._directions()[name])

    def _want(self, names: Sequence[str]) -> None:
        """Send what is drawn already, and draw the rest."""
        self._base = self._base or self._current()
        for name in names:
            if name in self._drawn:
                self.gallery.picture(name, *self._drawn[name])
        fresh = [name for name in names if name not in self._drawn and name in self._directions()]
        self._waiting = list(dict.fromkeys([*self._waiting, *fresh]))
        if self._waiting:
            self._work.run("pictures", self._draw(), words="small pictures", quiet=True)

    def _draw(self) -> Job[None]:
        base, total, directions = self._base or self._current(), len(self._waiting), self._directions()
        while self._waiting:
            name = self._waiting[0]
            d = directions[name]
            less, more = self._images([base.with_edit(d, strength, d.layers) for strength in STRENGTHS], THUMBNAIL)
            self._drawn[name] = (encoded(less, "JPEG"), encoded(more, "JPEG"))
            self._waiting.remove(name)
            self.gallery.picture(name, *self._drawn[name])
            yield Progress(total - len(self._waiting), total)
