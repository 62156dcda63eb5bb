"""The sliders of the edits in a latent: one line each, any number of lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import ipywidgets as widgets

from ....latent.latent import Edit, Latent
from ..parts import SMALL, WIDE, Change, button, control, move, note, replace_children, row, show
from ..sharing import shared_layout
from .layer_range import LayerRange, Range

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


class DirectionRow(widgets.HBox):
    """One edit, of any kind: strength and reset; behind "⋯", made when it is first asked for, its layers, name and removal.

    `edit` is what it shows; `show_edit` shows another edit of the same kind and name. In the page the row's handle is
    `.stylewidgets-strength [role=slider]`, whatever draws it: scripts that drag it need no other selector.
    """

    def __init__(self, edit: Edit, num_ws: int, change: Change) -> None:
        self._change, self._num_ws = change, num_ws
        self.edit = edit
        name = edit.name
        self._slider = control(
            widgets.FloatSlider,
            tip=edit.label,
            on=lambda strength: self._set(float(strength)),
            style={"description_width": "88px"},
            layout={"width": "auto", "flex": "1 1 320px", "max_width": "480px"},
            min=edit.reach[0],
            max=edit.reach[1],
            step=STEP,
            readout_format=".2f",
            description=name,
            continuous_update=True,
            _dom_classes=("stylewidgets-strength",),
        )
        reset = button("↺", f"set {name} back to 0", lambda: self._set(0.0), layout=SMALL)
        self._open = button("⋯", f"layers of {name}, rename, remove", self._toggle, layout=SMALL)
        super().__init__([self._slider, reset, self._open], layout=shared_layout(flex_flow="row wrap",
                         align_items="center", width="100%"))  # fmt: skip
        self.show_edit(edit)

    def show_edit(self, edit: Edit) -> None:
        """Bring the controls to `edit`."""
        self.edit = edit
        move(self._slider, edit.strength)
        self._open.description = "⋯" if edit.layers is None else f"{edit.layers[0]}–{edit.layers[1] - 1} ⋯"
        if "more" in self.__dict__:
            self.layers.value = edit.layers

    @cached_property
    def layers(self) -> LayerRange:
        """The picker of layers."""
        return LayerRange(self._num_ws, self._set_layers, self.edit.layers, label=repr(self.edit.name))

    @cached_property
    def more(self) -> widgets.HBox:
        """What "⋯" shows."""
        name = self.edit.name
        rename = control(
            widgets.Text,
            name,
            tip="a new name for this direction; Enter accepts it",
            on=self.rename,
            style={"description_width": "68px"},
            layout={"width": "230px"},
            description="new name",
            continuous_update=False,
        )
        made = row(
            *([self.layers] if self.edit.stage != "z" else []), rename, button("remove", f"remove {name}", self.remove)
        )
        self.children += (made,)
        return made

    # -- events ------------------------------------------------------------------------------------------------------
    def rename(self, new: str) -> None:
        """Give the direction another name."""
        old = self.edit.name
        if new != old:
            self._change(f"name of {old}", lambda latent: renamed(latent, old, new))

    def remove(self) -> None:
        """Take the edit out."""
        kind, name = self.edit.identity
        self._change(f"removal of {name}", lambda latent: latent.without_edit(name, kind))

    def _toggle(self) -> None:
        there = "more" in self.__dict__
        show(self.more, not there or self.more.layout.display == "none")

    def _set(self, strength: float) -> None:
        kind, name = self.edit.identity
        self._change(
            f"strength of {name}", lambda latent: latent.with_edit(latent.edit(name, kind).with_strength(strength))
        )

    def _set_layers(self, layers: Range | None) -> None:
        kind, name = self.edit.identity
        self._change(f"layers of {name}", lambda latent: latent.with_edit(latent.edit(name, kind).with_layers(layers)))


class DirectionRows(widgets.VBox):
    """A `DirectionRow` for each edit of the latent that `update` gets; `empty` says what to do while there is none."""

    def __init__(self, num_ws: int, change: Change, empty: str = "No direction yet: add one below.") -> None:
        self._num_ws = num_ws
        self._change = change
        self._edits: tuple[Edit, ...] = ()
        self._empty = empty
        super().__init__([note(empty)], layout=shared_layout(**WIDE))

    @property
    def rows(self) -> Sequence[DirectionRow]:
        """The rows in order."""
        return [child for child in self.children if isinstance(child, DirectionRow)]

    def update(self, latent: Latent) -> None:
        """Show the edits of `latent`. Rows of edits that stay keep their widgets, so a drag is never cut off."""
        if latent.edits is self._edits:
            return
        self._edits = latent.edits
        old = {made.edit.identity: made for made in self.rows}
        rows = []
        for edit in latent.edits:
            made = old.get(edit.identity)
            if made is None:
                made = DirectionRow(edit, self._num_ws, self._change)
            elif made.edit is not edit:
                made.show_edit(edit)
            rows.append(made)
        if rows or self.rows:
            replace_children(self, rows or [note(self._empty)])
