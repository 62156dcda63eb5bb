"""LatentExplorer: a live picture with everything that shapes it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

from ...core.checks import unknown_name
from ...directions import DirectionSet
from ...latent.latent import Direction, Latent
from ...latent.move import Move
from ...session.session import GeneratorSession
from ..kit.code import code
from ..kit.controls.direction_rows import renamed
from ..kit.controls.source_controls import random_seed, start_from
from ..kit.errors import reporting
from ..kit.history import History
from ..kit.live_picture import LivePicture
from ..kit.parts import close_tree
from ..kit.state_lock import STATE
from ..kit.static import SavesPicture
from .panels import ExplorerPanels

KEYWORDS = ("session", "value", "directions", "size")

FIRST_ROWS = 5
"""Sliders that an explorer starts with when it is not given a value."""


class LatentExplorer(SavesPicture, widgets.VBox):
    """A picture that follows the controls while they move.

    `value` is the only state: controls build the next `Latent` and assign it, and whatever assigns it (a control, undo,
    a cell, `traitlets.link` with another explorer) moves the controls and the picture.

    Args:
        session: the generator to explore.
        value: where to start and what reset goes back to. None: seed 0 with sliders for the first directions.
        directions: what the direction list offers: a `DirectionSet`, a mapping by name, or an iterable of `Direction`.
            None: `session.directions`.
        size: width of the picture in css pixels; it shrinks with its cell.

    Raises:
        TypeError: an unknown keyword, with the nearest one that exists.
        ValueError: `value` or a direction does not fit the generator.
    """

    value = traitlets.Instance(Latent)
    """The current `Latent`. Assign, observe or link it; one that does not fit the generator raises."""

    def __init__(
        self,
        session: GeneratorSession,
        value: Latent | None = None,
        *,
        directions: DirectionSet | Mapping[str, Direction] | Iterable[Direction] | None = None,
        size: int = 340,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            raise TypeError(str(unknown_name("keyword of LatentExplorer", name, KEYWORDS)))
        self._session = session
        self._directions = _as_set(session, directions)
        start = self._first_value() if value is None else session.check(value)
        self._history: History[Latent] = History(start)
        self._source: str = ""
        self._updating = False
        self._refreshes = 0
        self._closed = True  # until there is something to close
        self._picture = LivePicture(session, size, "Live picture of the explorer", on_key=self._on_key)
        self.saved = self._picture.saved
        super().__init__(value=start, layout=widgets.Layout(width="100%"))
        self.add_class("sw-explorer")
        self._picture.submit(start)
        self._panels = ExplorerPanels(self)
        self.children = (self._panels.root,)
        self._refresh()
        self.observe(self._on_value, "value")
        self._closed = False

    # -- what it shows -----------------------------------------------------------------------------------------------
    @property
    def session(self) -> GeneratorSession:
        """The session that draws."""
        return self._session

    @property
    def view(self) -> Any:
        """The live view: its `error`, `status`, `frame` and `label`."""
        return self._picture.view

    @property
    def picture(self) -> LivePicture:
        """What draws into the view."""
        return self._picture

    @property
    def image(self) -> Any:
        """The picture of `value` as a PIL image of the generator's full size, drawn now."""
        return self._session.render(self.value)

    @property
    def stats(self) -> Any:
        """Frames, times and rate of the live picture so far."""
        return self._picture.stats

    @property
    def start(self) -> Latent:
        """What `reset` goes back to and the picture is compared with. Assign to compare with another."""
        return self._panels.compare.start

    @start.setter
    def start(self, start: Latent) -> None:
        self._panels.compare.start = self._session.check(start)

    @property
    def directions(self) -> DirectionSet:
        """The directions that the list offers."""
        return self._directions

    @property
    def snapshots(self) -> tuple[Latent, ...]:
        """The latents kept by `snapshot`."""
        return tuple(self._panels.snapshots.items)

    # -- going somewhere ---------------------------------------------------------------------------------------------
    def undo(self) -> None:
        """Go one step back. One drag of one control is one step."""
        with STATE:
            self.value = self._history.undo()
            self._refresh()

    def redo(self) -> None:
        """Go one step forward again."""
        with STATE:
            self.value = self._history.redo()
            self._refresh()

    def reset(self) -> None:
        """Go back to the start. Undo brings everything back."""
        self.value = self.start

    def randomize(self) -> None:
        """Take a random seed; psi, noise and edits stay."""
        with STATE:
            self.value = start_from(self.value, self._session.c_dim > 0, seed=random_seed())

    def preview(self, latent: Latent) -> None:
        """Show another latent without going there: `value` stays, and the next change shows it again."""
        self._picture.submit(self._session.check(latent))

    def snapshot(self) -> None:
        """Keep the present state in the strip of snapshots."""
        self._panels.snapshots.add(self.value)

    # -- directions --------------------------------------------------------------------------------------------------
    def add_direction(self, direction: Direction | str, strength: float = 0.0) -> None:
        """Add a slider for a direction, or for the one of that name in `directions`.

        Raises:
            ValueError: no such name, the direction does not fit, or another one of the same name is in use.
        """
        if isinstance(direction, str):
            direction = self._directions[direction]
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
            self._check_in_use(name)
            self.value = self.value.without_edit(name)

    def rename_direction(self, old: str, new: str) -> None:
        """Give a direction in use another name. Raises ValueError when `old` is not in use or `new` is."""
        with STATE:
            self.value = renamed(self.value, old, new)

    # -- files and code ----------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `value` to a .json or .npz file and return its path."""
        return self.value.save(path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go to the state in a file that `save` wrote. Raises ValueError when it is damaged or does not fit."""
        self.value = Latent.load(path)

    def code(self) -> str:
        """Return lines of Python that make exactly this picture."""
        return code(self._session, self.value)

    def close(self) -> None:
        """Stop drawing and close every widget in here. The session stays open."""
        if not getattr(self, "_closed", True):
            self._closed = True
            self._picture.close()
            self._panels.close()
            close_tree(*self.children)
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        # The stock one would print every trait of every child into the notebook.
        return f"LatentExplorer({self._session.name or 'generator'}, {self._session.resolution} px)"

    # -- wiring ------------------------------------------------------------------------------------------------------
    def change(self, source: str, transform: Any) -> None:
        """Make `transform(value)` the value, on behalf of a control; see `parts.Change`."""
        with STATE:
            if self._updating:  # the control moved because we moved it
                return
            before = self._refreshes
            with reporting(self.view):
                self._source = source
                try:
                    self.value = transform(self.value)
                finally:
                    self._source = ""
            if self._refreshes == before:
                self._refresh()  # refused, or the same in other words: the controls go back

    @traitlets.validate("value")
    def _check_value(self, proposal: Any) -> Latent:
        return self._session.check(proposal["value"])

    def _on_value(self, change: Any) -> None:
        with STATE:
            value = self.value
            if self._history.push(value, self._source or None):
                self._panels.leaving(change["old"])
            self._refresh()
            STATE.afterwards(id(self), lambda: self._picture.submit(value))

    def _refresh(self) -> None:
        self._refreshes += 1
        outer, self._updating = self._updating, True
        try:
            self._panels.update(self.value, self._history.can_undo, self._history.can_redo)
        finally:
            self._updating = outer

    def _on_key(self, key: str) -> None:
        action = {"z": self.undo, "y": self.redo, "r": self.randomize, "s": self.snapshot}.get(key)
        if action is not None:
            with reporting(self.view):
                action()

    def _first_value(self) -> Latent:
        latent = self._session.latent(seed=0)
        for direction in list(self._directions.values())[:FIRST_ROWS]:
            latent = latent.with_edit(direction, 0.0, direction.layers)
        return latent

    def _check_in_use(self, name: str) -> None:
        names = [edit.name for edit in self.value.edits]
        if name not in names:
            raise unknown_name("direction in use", name, names)


def _as_set(session: GeneratorSession, directions: Any) -> DirectionSet:
    if directions is None:
        return session.directions
    if isinstance(directions, DirectionSet):
        return directions.check(session)
    items = directions.values() if isinstance(directions, Mapping) else directions
    return DirectionSet(items, w_dim=session.w_dim, num_ws=session.num_ws)
