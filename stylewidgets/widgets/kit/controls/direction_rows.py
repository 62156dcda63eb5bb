"""The sliders of the edits in a latent: one line each, any number of lines."""

from __future__ import annotations

import math
from collections import Counter

from ....latent.latent import Edit, Latent
from ..parts import Change
from .rows import Range, Row, Rows

STEP = 0.05


def renamed(latent: Latent, old: str, new: str) -> Latent:
    """Return `latent` with one edit under a new name, at the same place.

    Raises:
        ValueError: the new name is empty or taken, or no edit is called `old`.
    """
    new = new.strip()
    names = [edit.name for edit in latent.edits]
    if old not in names:
        raise ValueError(f"no direction called {old!r} is in use; in use: {', '.join(names) or 'none'}")
    if not new:
        raise ValueError("a direction needs a name; an empty one was given")
    if new != old and new in names:
        raise ValueError(f"cannot rename {old!r} to {new!r}: a direction with that name is in use")
    there = latent.edit(old)
    return latent.replace(edits=tuple(edit.renamed(new) if edit is there else edit for edit in latent.edits))


def row_of(edit: Edit, key: str, num_ws: int) -> Row:
    """Return what an edit of any kind looks like as a row. A stronger one than it reaches widens the slider."""
    low, high = edit.reach
    return Row(
        key,
        edit.name,
        edit.strength,
        min(low, math.floor(edit.strength)),
        max(high, math.ceil(edit.strength)),
        STEP,
        tip=edit.label,
        open_ended=True,
        num_layers=0 if edit.stage == "z" else num_ws,
        layers=edit.layers,
        renames=True,
        removes=True,
    )


class DirectionRows(Rows):
    """A row for each edit of the latent that `show` gets: strength, and behind "⋯" its layers, name and removal.

    In the page each handle is `.stylewidgets-strength [role=slider]`. Keys are the names of the edits, with the kind before it
    where two kinds have the same name ("flow: smile").

    Args:
        num_ws: rows of w+ of the generator.
        change: takes what people do.
        empty: what is said while there is no edit.
    """

    def __init__(self, num_ws: int, change: Change, empty: str = "No direction yet: add one below.") -> None:
        self._num_ws, self._change = num_ws, change
        self._edits: tuple[Edit, ...] = ()
        self._named: dict[str, Edit] = {}
        super().__init__(
            on_change=self._set,
            on_layers=self._set_layers,
            on_rename=self.rename,
            on_remove=self.remove,
            label="Directions in use",
            empty=empty,
            mark="stylewidgets-strength",
        )

    def show(self, latent: Latent) -> None:
        """Show the edits of `latent`."""
        if latent.edits is self._edits and all(
            self.handles[key].value == edit.strength for key, edit in self._named.items()
        ):
            return  # else it was refused: the slider goes back
        self._edits = latent.edits
        twice = Counter(edit.name for edit in latent.edits)
        self._named = {
            edit.name if twice[edit.name] == 1 else f"{edit.identity[0]}: {edit.name}": edit for edit in latent.edits
        }
        self.update([row_of(edit, key, self._num_ws) for key, edit in self._named.items()])

    # -- events ------------------------------------------------------------------------------------------------------
    def rename(self, key: str, new: str) -> None:
        """Give the edit of this row another name."""
        old = self._named[key].name
        if new != old:
            self._change(f"name of {old}", lambda latent: renamed(latent, old, new))

    def remove(self, key: str) -> None:
        """Take the edit of this row out."""
        kind, name = self._named[key].identity
        self._change(f"removal of {name}", lambda latent: latent.without_edit(name, kind))

    def _set(self, key: str, strength: float) -> None:
        kind, name = self._named[key].identity
        self._change(
            f"strength of {name}", lambda latent: latent.with_edit(latent.edit(name, kind).with_strength(strength))
        )

    def _set_layers(self, key: str, layers: Range | None) -> None:
        kind, name = self._named[key].identity
        self._change(f"layers of {name}", lambda latent: latent.with_edit(latent.edit(name, kind).with_layers(layers)))
