"""Which rows of w+ an edit changes: all, coarse, middle, fine or from–to."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from ....directions.layers import named_ranges
from ..parts import control, quiet, show
from ..sharing import shared_layout

Range = tuple[int, int]
"""[first, last) rows of w+, as in Python's slices."""

ALL = "all"
CUSTOM = "from–to"


class LayerRange(widgets.HBox):
    """A menu of the usual layer ranges and, for "from–to", a slider with two handles.

    `value` is None (all rows) or [first, last) rows. Assigning it moves the controls without a call; a change by the
    user calls `on_change(value)`.

    Args:
        num_ws: rows of w+ of the generator.
        on_change: called with the new value.
        label: what is limited to these rows, for the tooltip.
    """

    def __init__(
        self,
        num_ws: int,
        on_change: Callable[[Range | None], None],
        value: Range | None = None,
        label: str = "this direction",
    ) -> None:
        self._on_change = on_change
        self._named = named_ranges(num_ws)
        self._menu = control(
            widgets.Dropdown,
            tip=f"the layers that {label} changes: coarse is pose and shape, fine is colour and grain",
            on=self._on_menu,
            style={"description_width": "20px"},
            layout={"width": "140px"},
            options=[("all layers", ALL), *((self._caption(name), name) for name in self._named), (CUSTOM, CUSTOM)],
            description="on",
        )
        # Both ends count, as people read them: 2–5 are the rows 2, 3, 4 and 5.
        self._slider = control(
            widgets.IntRangeSlider,
            tip=f"the first and the last row of w+ that {label} changes, both included",
            on=lambda _: on_change(self.value),
            style={"description_width": "32px"},
            layout={"width": "200px"},
            min=0,
            max=num_ws - 1,
            value=(0, num_ws - 1),
            description="rows",
        )
        show(self._slider, False)
        super().__init__([self._menu, self._slider], layout=shared_layout(flex_flow="row wrap", flex="0 0 auto"))
        self.value = value

    @property
    def value(self) -> Range | None:
        """None for all rows, else [first, last)."""
        if self._menu.value == ALL:
            return None
        if self._menu.value in self._named:
            return self._named[self._menu.value]
        first, last = self._slider.value
        return int(first), int(last) + 1

    @value.setter
    def value(self, value: Range | None) -> None:
        if self.value == value:
            return  # in particular: a from–to range that happens to be a named one keeps its slider
        name = ALL if value is None else next((n for n, pair in self._named.items() if pair == value), CUSTOM)
        with quiet(self._slider, self._menu):
            if value is not None:
                self._slider.value = (value[0], value[1] - 1)
            self._menu.value = name
        show(self._slider, name == CUSTOM)

    def _caption(self, name: str) -> str:
        first, last = self._named[name]
        return f"{name} ({first}–{last - 1})"

    def _on_menu(self, name: str) -> None:
        show(self._slider, name == CUSTOM)
        if name in self._named:  # from–to then starts where the named range was
            first, last = self._named[name]
            with quiet(self._slider):
                self._slider.value = (first, last - 1)
        self._on_change(self.value)
