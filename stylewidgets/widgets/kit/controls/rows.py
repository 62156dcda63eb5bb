"""Rows of sliders as one control: any number of lines, one model, one message up and the picture as the answer.

    rows = Rows([Row("yaw", "turn", 0.0, -45, 45, 0.5, unit="°")], on_change=lambda key, value: print(key, value))
    rows.handles["yaw"].value = 20     # moves the slider and calls `on_change`, as a hand does
    traitlets.link((rows.handles["yaw"], "value"), (other, "value"))
    rows.update([...])                 # the owner's word: shows these rows and calls nobody

A core slider sends a value, waits until the kernel is idle, and gets its own value back each time. These send the newest
value with two requests on their way, and nothing comes back while a hand holds the row; see docs/speed.md. Each request
carries a number. Some kernels hand the messages of one widget to two threads in turn, so that an older one can come last: it
is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import ipywidgets as widgets
import traitlets

from ....directions.layers import named_ranges
from ..errors import ShowsErrors, reporting
from ..parts import WIDE, button, close_tree, control, move
from ..sharing import shared_layout
from ..state_lock import STATE
from ..views.rows_view import Range, RowsView, Set


@dataclass(frozen=True)
class Row:
    """What one line shows.

    Attributes:
        key: identifies it among the rows.
        label: the words before the slider; "" for the key.
        value: where it stands.
        low, high, step: ends and grid of the slider. A script may go beyond; the slider then shows its end.
        unit: behind the number, such as "°" or "years".
        tip: what it does, under the pointer.
        home: where the bar begins and reset goes to. None: the bar begins at `low`, and there is no reset.
        open_ended: whether a number beyond the ends can be typed. The owner then gives wider ends.
        enabled: whether it can be moved.
        num_layers: rows of w+ that the menu offers, 0 for no choice of layers.
        layers: [first, last) rows of w+ that it acts on, None for all.
        renames, removes: whether the menu offers a new name and removal.
        picture: a small encoded picture before the label; b"" for none.

    Raises:
        ValueError: `low` is not below `high`, or `step` is not positive.
    """

    key: str
    label: str = ""
    value: float = 0.0
    low: float = -5.0
    high: float = 5.0
    step: float = 0.05
    unit: str = ""
    tip: str = ""
    home: float | None = 0.0
    open_ended: bool = False
    enabled: bool = True
    num_layers: int = 0
    layers: Range | None = None
    renames: bool = False
    removes: bool = False
    picture: bytes = b""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"row {self.key!r}: low must be below high; low={self.low}, high={self.high} was given")
        if not self.step > 0:
            raise ValueError(f"row {self.key!r}: step must be above 0; {self.step} was given")

    @property
    def words(self) -> str:
        """The label, or the key where there is none."""
        return self.label or self.key


class Handle(traitlets.HasTraits):
    """One row for scripts: assign, observe or link `value`. Assigning it is like moving the slider.

    Attributes: `row`, what the row shows.
    """

    value = traitlets.Float()
    """Where the slider stands."""

    def __init__(self, row: Row, moved: Callable[[str, float], None]) -> None:
        self.row = row
        self._moved = moved
        self._shower: int | None = None  # the thread that shows the owner's value: that is nobody's wish
        super().__init__(value=row.value)
        self.observe(self._on_value, "value")

    def show(self, row: Row) -> None:
        """Bring it to `row`; observers of `value` hear of it, the owner does not."""
        self.row = row
        before, self._shower = self._shower, threading.get_ident()
        try:
            self.value = row.value
        finally:
            self._shower = before

    def _on_value(self, event: Mapping[str, float]) -> None:
        if self._shower != threading.get_ident():
            self._moved(self.row.key, event["new"])

    def __repr__(self) -> str:
        return f"Handle({self.row.key!r}, {self.value:g})"


class Rows(widgets.VBox):
    """Sliders below each other. In the page each handle is `.sw-row [role=slider]`, and its row has the key as `data-key`.

    Where a page cannot load scripts of ours, a button stands in their place that makes core sliders. The style sheet that comes
    with the script hides it.

    Args:
        rows: what to show, in order; keys are unique.
        on_change: called with key and value when a slider is moved, by hand or by script. The owner answers with `update`.
        on_layers: called with key and [first, last) or None.
        on_rename: called with key and the name that was typed.
        on_remove: called with a key.
        view: shows what these raise; None where the owner does so itself.
        label: what the rows are, for screen readers.
        empty: what is said while there is no row.
        mark: a class of each row in the page, for scripts and style sheets.

    Attributes:
        handles: the rows for scripts, by key, in order.
    """

    def __init__(
        self,
        rows: Sequence[Row] = (),
        *,
        on_change: Callable[[str, float], object],
        on_layers: Callable[[str, Range | None], object] | None = None,
        on_rename: Callable[[str, str], object] | None = None,
        on_remove: Callable[[str], object] | None = None,
        view: ShowsErrors | None = None,
        label: str = "Sliders",
        empty: str = "",
        mark: str = "",
    ) -> None:
        self._on_change, self._shows_errors = on_change, view
        self._handles: dict[str, Handle] = {}
        self.handles: Mapping[str, Handle] = MappingProxyType(self._handles)
        self._sliders: dict[str, widgets.FloatSlider] = {}
        self.view = RowsView(label=label, empty=empty, mark=mark)
        self.view.on_set = self._on_set
        for kind, callback in (("layers", on_layers), ("rename", on_rename), ("remove", on_remove)):
            setattr(self.view, f"on_{kind}", self._safe(callback) if callback is not None else None)
        self._plain = button("show plain sliders", "sliders for pages that load no scripts", self.show_plain)
        self._plain.add_class("sw-plain")
        super().__init__([self.view, self._plain], layout=shared_layout(**WIDE))
        self.update(rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is shown, in order."""
        return tuple(replace(handle.row, value=handle.value) for handle in self._handles.values())

    def update(self, rows: Sequence[Row]) -> None:
        """Show these rows. Nobody is called but observers of the handles whose value is another one.

        Raises:
            ValueError: two rows have one key.
        """
        keys = [row.key for row in rows]
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"each row needs a key of its own; {twice!r} was given twice")
        with STATE:
            old = dict(self._handles)
            if keys != list(old):
                self._handles.clear()
                self._handles.update({row.key: old.get(row.key) or Handle(row, self._moved) for row in rows})
            for row in rows:
                handle = self._handles[row.key]
                if handle.row is not row or handle.value != row.value:  # the latter: it was refused
                    handle.show(row)
            self.view.show([_line(row) for row in rows], {row.key: row.value for row in rows})
            if self._sliders:
                self.show_plain()

    def show_plain(self) -> None:
        """Show a core slider for each row, in place of the button: for pages that load no scripts of ours."""
        old = self._sliders
        self._sliders = {row.key: old.pop(row.key, None) or self._slider(row) for row in self.rows}
        for row in self.rows:
            move(self._sliders[row.key], row.value)
        self.children = (self.view, *self._sliders.values())
        close_tree(self._plain, *old.values())

    # -- wiring ------------------------------------------------------------------------------------------------------
    def _slider(self, row: Row) -> widgets.FloatSlider:
        handle = self._handles[row.key]
        return control(
            widgets.FloatSlider,
            tip=row.tip,
            on=lambda value: setattr(handle, "value", float(value)),
            style={"description_width": "88px"},
            layout={"width": "100%", "max_width": "480px"},
            min=min(row.low, row.value),
            max=max(row.high, row.value),
            step=row.step,
            description=row.words,
            _dom_classes=("sw-plain",),  # hidden again where the script comes after all
        )

    def _on_set(self, wish: Set) -> None:
        """A page moved a row. Whether it is the newest is asked under the lock: two threads may be here at once."""
        with STATE, self.view.holding(wish):
            handle = self._handles.get(wish.key)
            if handle is not None and self.view.is_newest(wish):
                handle.value = wish.value

    def _moved(self, key: str, value: float) -> None:
        with STATE:
            self.view.note(key, value)
            with self._reporting():
                self._on_change(key, value)

    def _safe(self, callback: Callable[..., object]) -> Callable[..., None]:
        def call(key: str, *arguments: object) -> None:
            if key in self._handles:
                with STATE, self._reporting():
                    callback(key, *arguments)

        return call

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        if self._shows_errors is None:
            yield
        else:
            with reporting(self._shows_errors):
                yield


def _line(row: Row) -> dict[str, Any]:
    """The row as the page has it; the value travels apart from it."""
    line = {**vars(row), "label": row.words, "ranges": named_ranges(row.num_layers) if row.num_layers else {}}
    del line["value"]
    return line
