"""The sliders of the edits in a latent: one line each, any number of lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

import ipywidgets as widgets

from ....latent.latent import Edit, Latent
from ..compat import button, set_tooltip
from ..parts import Change, note, replace_children, show
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
    """One edit, of any kind: strength, layers, rename, reset, remove.

    `edit` is what it shows; `show_edit` shows another edit of the same kind and name. In the page the row's handle is
    `.stylewidgets-strength [role=slider]`, whatever draws it: scripts that drag it need no other selector.
    """

    def __init__(self, edit: Edit, num_ws: int, change: Change) -> None:
        self._change = change
        self.edit = edit
        name = edit.name
        self._slider = widgets.FloatSlider(
            min=edit.reach[0],
            max=edit.reach[1],
            step=STEP,
            value=0.0,
            readout_format=".2f",
            description=name,
            continuous_update=True,
            style={"description_width": "88px"},
            layout=widgets.Layout(width="auto", flex="1 1 320px", max_width="480px"),
        )
        self._slider.add_class("stylewidgets-strength")
        set_tooltip(self._slider, edit.label)
        self._layers = LayerRange(num_ws, self._set_layers, edit.layers, label=repr(name))
        show(self._layers, edit.stage != "z")
        self._rename = widgets.Text(
            value=name,
            description="new name",
            continuous_update=False,
            style={"description_width": "68px"},
            layout=widgets.Layout(width="230px", display="none"),
        )
        set_tooltip(self._rename, "a new name for this direction; Enter accepts it")
        self._slider.observe(self._on_slider, "value")
        self._rename.observe(self._on_rename, "value")
        buttons = [
            button("✎", f"rename {name}", self._toggle_rename, "30px"),
            button("↺", f"set {name} back to 0", self._reset, "30px"),
            button("✕", f"remove {name}", self._remove, "30px"),
        ]
        for small in buttons:
            small.layout.padding = "0"
        side = widgets.HBox([self._layers, *buttons], layout=widgets.Layout(flex_flow="row wrap", flex="0 1 auto"))
        super().__init__(
            [self._slider, side, self._rename],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center", width="100%"),
        )
        self.show_edit(edit)

    def show_edit(self, edit: Edit) -> None:
        """Bring the controls to `edit`."""
        self.edit = edit
        reach = float(math.ceil(abs(edit.strength)))
        if reach > self._slider.max:
            # Widen before the value moves, or the slider would clip it. Never narrow: it may be under somebody's hand.
            self._slider.min, self._slider.max = -reach, reach
        self._slider.value = edit.strength
        self._layers.value = edit.layers

    # -- events ------------------------------------------------------------------------------------------------------
    def _on_slider(self, event: dict[str, float]) -> None:
        self._set(float(event["new"]))

    def _set(self, strength: float) -> None:
        kind, name = self.edit.identity
        self._change(
            f"strength of {name}", lambda latent: latent.with_edit(latent.edit(name, kind).with_strength(strength))
        )

    def _reset(self) -> None:
        self._set(0.0)

    def _set_layers(self, layers: Range | None) -> None:
        kind, name = self.edit.identity
        self._change(f"layers of {name}", lambda latent: latent.with_edit(latent.edit(name, kind).with_layers(layers)))

    def _toggle_rename(self) -> None:
        self._rename.value = self.edit.name
        show(self._rename, self._rename.layout.display == "none")

    def _on_rename(self, event: dict[str, str]) -> None:
        old, new = self.edit.name, event["new"]
        if new != old:
            self._change(f"name of {old}", lambda latent: renamed(latent, old, new))

    def _remove(self) -> None:
        kind, name = self.edit.identity
        self._change(f"removal of {name}", lambda latent: latent.without_edit(name, kind))


class DirectionRows(widgets.VBox):
    """A `DirectionRow` for each edit of the latent that `update` gets; `empty` says what to do while there is none."""

    def __init__(self, num_ws: int, change: Change, empty: str = "No direction yet: add one below.") -> None:
        self._num_ws = num_ws
        self._change = change
        self._edits: tuple[Edit, ...] = ()
        self._empty = note(empty)
        super().__init__([self._empty], layout=widgets.Layout(width="100%"))

    @property
    def rows(self) -> Sequence[DirectionRow]:
        """The rows in order."""
        return [child for child in self.children if isinstance(child, DirectionRow)]

    def update(self, latent: Latent) -> None:
        """Show the edits of `latent`. Rows of edits that stay keep their widgets, so a drag is never cut off."""
        if latent.edits is self._edits:
            return
        self._edits = latent.edits
        old = {row.edit.identity: row for row in self.rows}
        rows = []
        for edit in latent.edits:
            row = old.get(edit.identity)
            if row is None:
                row = DirectionRow(edit, self._num_ws, self._change)
            elif row.edit is not edit:
                row.show_edit(edit)
            rows.append(row)
        show(self._empty, not rows)
        replace_children(self, [self._empty, *rows])
