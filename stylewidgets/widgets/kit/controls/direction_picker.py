"""A list of directions with small pictures of what each one does, to add from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ....core.pictures import encoded
from ....jobs import Job, Progress
from ....latent.latent import Direction, Latent
from ..errors import ShowsErrors, reporting
from ..jobs import Jobs
from ..parts import WIDE, button, column, control, note, replace_children, row, say, show
from ..sharing import own, shared_layout

STRENGTHS = (-3.0, 0.0, 3.0)
PAGE = 4
THUMBNAIL = 64
"""Side of a small picture in css pixels; it is synthesised at up to twice that."""

Images = Callable[[Sequence[Latent], int], NDArray[np.uint8]]


class DirectionPicker(widgets.VBox):
    """Directions by name, four at a time, each with a strip (−3, 0, +3) of the present face.

    The strips are drawn one after the other when the picker is opened, turned to another page or refreshed; never while
    something is dragged.

    Args:
        directions: returns the directions to choose from, by name.
        images: `images(latents, resolution)` returns uint8 [N, h, w, 3].
        current: returns the latent that the strips start from.
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
        self._directions = directions
        self._images = images
        self._current = current
        self._add = add
        self.view = view
        self._page = 0
        self._toggle = control(
            widgets.ToggleButton,
            tip="show the directions that there are, with a picture of what each one does",
            on=self._on_toggle,
            layout={"width": "170px"},
            value=False,
            description="Add a direction …",
        )
        super().__init__([self._toggle], layout=shared_layout(**WIDE))

    @cached_property
    def _filter(self) -> widgets.Text:
        return control(
            widgets.Text,
            tip="show only directions whose name or source contains this",
            on=self._on_filter,
            style={"description_width": "34px"},
            layout={"width": "190px"},
            description="find",
            placeholder="part of a name",
            continuous_update=True,
        )

    @cached_property
    def _body(self) -> widgets.VBox:
        """What is in sight when the picker is open."""
        self._position, self._list = note(""), column()
        bar = row(
            self._filter,
            button("◀", "previous directions", lambda: self._turn(-1), "34px"),
            button("▶", "next directions", lambda: self._turn(1), "34px"),
            button("refresh", "draw the small pictures again from the present face", self.refresh, "72px"),
            self._position,
        )
        self._work = Jobs(self.view)
        own(self._work).min_height = None  # no line before there is long work
        made = column(bar, self._work, self._list)
        self.children = (self._toggle, made)
        return made

    @property
    def matches(self) -> list[Direction]:
        """The directions that the filter leaves, in order."""
        wanted = self._filter.value.strip().lower()
        return [d for d in self._directions().values() if wanted in f"{d.name} {d.source}".lower()]

    def unfold(self) -> None:
        """Show the list. (Not called `open`: every widget calls that itself when it is made.)"""
        self._toggle.value = True

    def refresh(self) -> None:
        """Draw the page again, from the present latent."""
        with reporting(self.view, "showing the directions"):
            show(self._body, True)
            matches = self.matches
            pages = max(1, -(-len(matches) // PAGE))
            self._page %= pages
            first = self._page * PAGE
            shown = matches[first : first + PAGE]
            self._say_position(first, len(shown), len(matches))
            self._work.run("strips", self._strips(shown), lambda strips: self._show(shown, strips), "small pictures")

    # -- inside ------------------------------------------------------------------------------------------------------
    def _on_toggle(self, opened: bool) -> None:
        show(self._body, opened)
        if opened:
            self.refresh()
        else:
            self._work.stop("strips")
            replace_children(self._list, [])  # closed pictures cost no memory

    def _on_filter(self, _: object) -> None:
        self._page = 0
        self.refresh()

    def _turn(self, by: int) -> None:
        self._page += by
        self.refresh()

    def _say_position(self, first: int, shown: int, count: int) -> None:
        if count:
            say(self._position, f"{first + 1}–{first + shown} of {count}")
        elif self._directions():
            say(self._position, "no name or source contains this")
        else:
            say(self._position, "no directions yet: stylewidgets.directions makes some, for example pca(session)")

    def _strips(self, directions: Sequence[Direction]) -> Job[list[list[bytes]]]:
        base, strips = self._current(), list[list[bytes]]()
        for d in directions:
            latents = [base.with_edit(d, strength, d.layers) for strength in STRENGTHS]
            strips.append([encoded(array, "JPEG") for array in self._images(latents, 2 * THUMBNAIL)])
            yield Progress(len(strips), len(directions))
        return strips

    def _show(self, directions: Sequence[Direction], strips: Sequence[Sequence[bytes]]) -> None:
        entries = [self._entry(d, strip) for d, strip in zip(directions, strips, strict=True)]
        replace_children(self._list, entries)

    def _entry(self, direction: Direction, strip: Sequence[bytes]) -> widgets.Box:
        captions = (
            column(_picture(data), _caption(s), align_items="center") for data, s in zip(strip, STRENGTHS, strict=True)
        )
        add = button("add", f"add a slider for {direction.name}", lambda: self._add(direction), "56px")
        name = control(widgets.Label, direction.name, layout={"width": "auto"})
        words = column(row(name, add), note(direction.label.partition(": ")[2]), flex="1 1 150px")
        return row(row(*captions, flex="0 0 auto", flex_flow="row nowrap"), words, margin="2px 0")


def _picture(data: bytes) -> widgets.Image:
    side = f"{THUMBNAIL}px"
    # No tooltip: with one, the page of ipywidgets 8.1 cannot create the view of an Image.
    return control(widgets.Image, layout={"width": side, "height": side, "margin": "0 2px"}, value=data, format="jpeg")


def _caption(strength: float) -> widgets.HTML:
    return control(widgets.HTML, f'<div class="sw-caption">{_signed(strength)}</div>', layout={"margin": "0"})


def _signed(strength: float) -> str:
    return f"{strength:+.0f}".replace("-", "−") if strength else "0"
