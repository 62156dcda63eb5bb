"""LatentExplorer: a live picture with everything that shapes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ...core.checks import unknown_name
from ...directions import DirectionSet
from ...latent.latent import Direction, Latent
from ...latent.move import Move
from ..kit.base import StateWidget
from ..kit.controls.direction_rows import renamed
from ..kit.controls.rows import Handle
from ..kit.controls.snapshots import SnapshotStrip
from ..kit.controls.source_controls import random_seed, start_from
from ..kit.live_picture import LivePicture
from ..kit.state_lock import STATE
from .panels import ExplorerPanels
from .tools import Tool, chosen
from .tools.standard import THUMBNAIL

if TYPE_CHECKING:
    from PIL import Image

    from ...render.stats import Stats
    from ...session.session import GeneratorSession

FIRST_ROWS = 5
"""Sliders that an explorer starts with when it is not given a value."""


class LatentExplorer(StateWidget[Latent]):
    """A picture that follows the controls while they move.

    `value` is the only state: controls build the next `Latent` and assign it, and whatever assigns it (a control, undo,
    a cell, `traitlets.link` with another explorer) moves the controls and the picture.

    Args:
        session: the generator to explore.
        value: where to start and what reset goes back to. None: seed 0 with sliders for the first directions.
        directions: what the direction list offers: a `DirectionSet`, a mapping by name, or an iterable of `Direction`.
            None: `session.directions`.
        size: width of the picture in css pixels; it shrinks with its cell.
        tools: names of the panels in order, such as ("directions", "walk"), or classes; see `stylewidgets.tools`.
            None: all that fit the generator.

    Raises:
        TypeError: an unknown keyword, with the nearest one that exists.
        ValueError: `value` or a direction does not fit the generator, or a tool does not, or there is none of that name.
    """

    value = traitlets.Instance(Latent)
    """The current `Latent`. Assign, observe or link it; one that does not fit the generator raises."""

    KEYS: ClassVar[dict[str, str]] = {**StateWidget.KEYS, "r": "randomize", "s": "snapshot"}

    def __init__(
        self,
        session: GeneratorSession,
        value: Latent | None = None,
        *,
        directions: DirectionSet | Mapping[str, Direction] | Iterable[Direction] | None = None,
        size: int = 340,
        tools: Iterable[str | type[Tool]] | None = None,
    ) -> None:
        made = chosen(session, tools)
        self._directions = _as_set(session, directions)
        start = _first_value(session, self._directions or session.directions) if value is None else session.check(value)
        self.picture = LivePicture(session, size, "Live picture of the explorer", on_key=self._on_key)
        super().__init__(session, start, self.picture.view, self.picture.saved)
        self.picture.submit(start)
        self._panels = ExplorerPanels(self, made)
        self.picture.on_rest = self._panels.rested
        self._begin(self._panels.root)
        self._panels.begin()

    # -- what it shows -------------------------------------------------------------------------------------------------
    @property
    def image(self) -> Image.Image:
        """The picture of `value` as a PIL image of the generator's full size, drawn now."""
        return self.session.render(self.value)

    @property
    def stats(self) -> Stats:
        """Frames, times and rate of the live picture so far."""
        return self.picture.stats

    @property
    def start(self) -> Latent:
        """What `reset` goes back to and the picture is compared with. Assign to compare with another."""
        return self._panels.compare.start

    @start.setter
    def start(self, start: Latent) -> None:
        self._panels.compare.start = self.session.check(start)

    @property
    def directions(self) -> DirectionSet:
        """The directions that the list offers."""
        return self.session.directions if self._directions is None else self._directions

    @property
    def tools(self) -> Mapping[str, Any]:
        """The tools by name."""
        return self._panels.tools

    @property
    def controls(self) -> Mapping[str, Handle]:
        """The sliders by key: "psi", the names of the directions in use, and those of the other tools that were opened.

        `controls["smile"].value` can be assigned, observed and linked (`traitlets.link`).
        """
        return self._panels.controls

    @property
    def snapshots(self) -> tuple[Latent, ...]:
        """The latents kept by `snapshot`."""
        return self.strip.items

    @cached_property
    def strip(self) -> SnapshotStrip:
        """The kept latents as pictures, under the large one."""
        return SnapshotStrip(
            lambda latent: self.picture.thumbnail(latent, THUMBNAIL),
            lambda latent: self.change("", lambda _: latent),
            keep=self.snapshot,
        )

    # -- going somewhere -----------------------------------------------------------------------------------------------
    def open(self, tool: str | None = None) -> None:
        """Bring the panel of a tool into sight, by its name. Raises ValueError when this explorer has no such tool."""
        if tool is None:  # every widget calls this when it is made
            super().open()
        elif tool not in self.tools:
            raise unknown_name("tool of this explorer", tool, tuple(self.tools))
        else:
            self._panels.open(tool)

    def reset(self) -> None:
        """Go back to the start. Undo brings everything back."""
        self.value = self.start

    def randomize(self) -> None:
        """Take a random seed; psi, noise and edits stay."""
        with STATE:
            self.value = start_from(self.value, self.session.c_dim > 0, seed=random_seed())

    def preview(self, latent: Latent) -> None:
        """Show another latent without going there: `value` stays, and the next change shows it again."""
        self.picture.submit(self.session.check(latent))
        self.view.badge = "preview, not kept" if latent != self.value else ""

    def snapshot(self) -> None:
        """Keep the present state in the strip of snapshots."""
        self.strip.add(self.value)

    # -- directions ----------------------------------------------------------------------------------------------------
    def add_direction(self, direction: Direction | str, strength: float = 0.0) -> None:
        """Add a slider for a direction, or for the one of that name in `directions`.

        Raises:
            ValueError: no such name, the direction does not fit, or another one of the same name is in use.
        """
        if isinstance(direction, str):
            direction = self.directions[direction]
        with STATE:
            edit = Move(direction, strength, direction.layers)
            there = next((old for old in self.value.edits if old.identity == edit.identity), None)
            if there is None:
                self.value = self.value.with_edit(edit)
            elif there != edit.with_strength(there.strength).with_layers(there.layers):
                raise ValueError(
                    f"another direction called {direction.name!r} is in use; rename it first: "
                    f"explorer.rename_direction({direction.name!r}, ...)"
                )

    def remove_direction(self, name: str) -> None:
        """Remove the slider and the edit of the direction of that name. Raises ValueError when none is called so."""
        with STATE:
            names = [edit.name for edit in self.value.edits]
            if name not in names:
                raise unknown_name("direction in use", name, names)
            self.value = self.value.without_edit(name)

    def rename_direction(self, old: str, new: str) -> None:
        """Give a direction in use another name. Raises ValueError when `old` is not in use or `new` is."""
        with STATE:
            self.value = renamed(self.value, old, new)

    # -- wiring --------------------------------------------------------------------------------------------------------
    def _update(self) -> None:
        self._panels.update(self.value)

    def _follow(self, old: Latent, new_step: bool) -> None:
        self.view.badge = ""
        if new_step:
            self._panels.stepped(old)
        self.picture.post(self.value)  # under the lock, so that the newest stays the newest
        STATE.afterwards(id(self), self.picture.draw)

    def _end(self) -> None:
        self.picture.close()


def _first_value(session: GeneratorSession, directions: DirectionSet) -> Latent:
    latent = session.latent(seed=0)
    for direction in list(directions.values())[:FIRST_ROWS]:
        latent = latent.with_edit(direction, 0.0, direction.layers)
    return latent


def _as_set(
    session: GeneratorSession, directions: DirectionSet | Mapping[str, Direction] | Iterable[Direction] | None
) -> DirectionSet | None:
    """What was given as a set; None for the session's own, which may grow."""
    if directions is None:
        return None
    if isinstance(directions, DirectionSet):
        return directions.check(session)
    items = directions.values() if isinstance(directions, Mapping) else directions
    return DirectionSet(items, w_dim=session.w_dim, num_ws=session.num_ws)
