"""The channels that are edited, as a list; made one direction; sent to the other widgets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from ...core.files import as_path
from ...directions import DirectionSet
from ...latent.latent import Direction, Latent
from ...latent.move import moves
from ...stylespace import Channel, edit_direction
from ..kit.compat import button, set_tooltip
from ..kit.controls.direction_rows import DirectionRows
from ..kit.errors import reporting
from ..kit.parts import note, row, say
from .edits import channel_of

if TYPE_CHECKING:
    from .probe import StyleSpaceProbe
    from .search import ProbeSearch


NOTHING = "Nothing is edited yet: select a channel on the map and drag its strength; each one becomes a row here."


class EditPanel(widgets.VBox):
    """A slider for each edit of the latent, "save as direction", and the buttons that send the latent on."""

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch, below: widgets.Box) -> None:
        self._owner, self._search, self._below = owner, search, below
        self.own_explorer: Any = None
        self._rows = DirectionRows(owner.session.num_ws, owner.change, NOTHING)
        self._name = widgets.Text(placeholder="name", layout=widgets.Layout(width="130px"))
        set_tooltip(self._name, "name of the new direction")
        self._path = widgets.Text(placeholder="file (optional)", layout=widgets.Layout(width="150px"))
        set_tooltip(self._path, "a .safetensors or .npz file that the direction is added to")
        self._said = note("")
        super().__init__(
            [
                self._rows,
                row(
                    self._name,
                    self._path,
                    self._button("save as direction", "make all channel edits one direction", self._save),
                ),
                row(
                    self._button("explore", "go on with this picture in a LatentExplorer", self.send),
                    self._button(
                        "+ row of the grid",
                        "add this picture to the StyleMixGrid given to the probe",
                        self._send_to_grid,
                    ),
                ),
                self._said,
            ],
            layout=widgets.Layout(max_width="100%", width="100%"),
        )

    def update(self, latent: Latent) -> None:
        """Show the edits of a latent."""
        self._rows.update(latent)

    def save_direction(self, name: str, path: str | os.PathLike[str] | None = None) -> Direction:
        """See `StyleSpaceProbe.save_direction`."""
        owner, layers = self._owner, self._owner.session.layers
        strong = [(channel_of(e), e) for e in moves(owner.value) if e.strength and e.layers is None]
        edits = {flat: edit for flat, edit in strong if flat is not None}
        if not edits:
            raise ValueError("no channel is edited: select one on the map and move its strength")
        others = [e.name for e in owner.value.edits if e not in edits.values()]
        if name.strip() in others:
            raise ValueError(f"another direction called {name.strip()!r} is in use; choose another name")
        weights = {Channel.of(flat, layers): edit.strength for flat, edit in edits.items()}
        direction = edit_direction(owner.session, weights, self._search.need_statistics(), name.strip())
        # How long one unit is belongs to the maker of directions; the picture must stay what it was.
        moved = sum(np.asarray(e.direction.vector) * e.direction.sigma * e.strength for e in edits.values())
        along = direction.vector * direction.sigma
        strength = round(float(np.dot(moved, along) / np.dot(along, along)), 6)
        kept = owner.value.replace(edits=tuple(e for e in owner.value.edits if e not in edits.values()))
        if path is not None:
            _add_to_file(owner.session, direction, as_path(path))
        owner.change("", lambda _: kept.with_edit(direction, strength))
        return direction

    def send(self, target: Any = None) -> Any:
        """See `StyleSpaceProbe.send`."""
        from ..latent_explorer.explorer import LatentExplorer
        from ..style_mix_grid.grid import StyleMixGrid

        owner = self._owner
        target = target or owner.explorer or self.own_explorer
        if isinstance(target, StyleMixGrid):
            target.add("rows", owner.value)
        elif target is not None:
            target.value = owner.value
        else:
            target = self.own_explorer = LatentExplorer(owner.session, owner.value)
            self._below.children = (target,)
        return target

    def _button(self, text: str, tooltip: str, action: Any) -> widgets.Button:
        def guarded() -> None:
            with reporting(self._owner.view):
                action()

        return button(text, tooltip, guarded)

    def _save(self) -> None:
        say(self._said, "")
        path = self._path.value.strip() or None
        direction = self.save_direction(self._name.value, path)
        added = f", added to {path}" if path else ""
        say(self._said, f"{direction.name} is a direction of {np.count_nonzero(direction.vector)} channels{added}")

    def _send_to_grid(self) -> None:
        if self._owner.grid is None:
            raise ValueError(
                "the probe knows no grid: give it StyleSpaceProbe(session, grid=grid), or grid.add('rows', probe.value)"
            )
        self.send(self._owner.grid)
        say(self._said, "added as a row")


def _add_to_file(session: Any, direction: Direction, path: Path) -> None:
    there = DirectionSet.load(path).check(session) if path.exists() else DirectionSet.of(session)
    there.add(direction, replace=True).save(path)
