"""Which layers come from the columns: coarse, middle, fine, a range, or painted one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import ipywidgets as widgets

from ....directions.layers import named_ranges
from ..parts import control, quiet, show
from ..sharing import shared_layout

RANGE, PAINTED = "from–to", "painted"
Mask = tuple[bool, ...]


class Crossover(widgets.VBox):
    """Buttons for the usual ranges, and a slider with two handles for any other.

    Works on the rows of w+. `update(mask)` moves the controls without a call.

    Args:
        num_ws: rows of w+ of the generator.
        on_change: called with the range (first, last) of rows that was chosen.
    """

    def __init__(self, num_ws: int, on_change: Callable[[tuple[int, int]], None]) -> None:
        self._on_change = on_change
        self._named = named_ranges(num_ws)
        captions = [(f"{name} {a}–{b - 1}", name) for name, (a, b) in self._named.items()]
        words = [f"these rows of w+ come from the columns: {what}" for what in ("pose and shape", "features", "colour")]
        self._choice = control(
            widgets.ToggleButtons,
            on=self._on_choice,
            style={"button_width": "auto", "description_width": "0"},
            layout={"max_width": "100%"},
            options=[*captions, (RANGE, RANGE), (PAINTED, PAINTED)],
            description="",
            tooltips=[
                *words[: len(captions)],
                "rows of w+ from the columns, by a slider",
                "layers painted on the strip above the grid",
            ],
        )
        self._last, self._span = num_ws - 1, (0, num_ws - 1)
        super().__init__([self._choice], layout=shared_layout(max_width="100%"))

    @cached_property
    def _slider(self) -> widgets.IntRangeSlider:
        # Both ends count, as people read them: 2–5 are the rows 2, 3, 4 and 5.
        made = control(
            widgets.IntRangeSlider,
            tip="the first and the last row of w+ that come from the columns, both included",
            on=self._on_slider,
            style={"description_width": "36px"},
            layout={"width": "100%", "max_width": "360px"},
            min=0,
            max=self._last,
            value=self._span,
            description="rows",
        )
        self.children = (self._choice, made)
        return made

    def update(self, mask: Sequence[bool]) -> None:
        """Move the controls to a mask over the rows of w+."""
        taken = [i for i, each in enumerate(mask) if each]
        span = (taken[0], taken[-1] + 1) if taken and taken == list(range(taken[0], taken[-1] + 1)) else None
        name = next((name for name, rows in self._named.items() if rows == span), PAINTED)
        if span is not None and self._choice.value == RANGE:
            name = RANGE
        if span is not None:
            self._span = (span[0], span[1] - 1)
        with quiet(self._choice):
            self._choice.value = name
        self._show_slider(name == RANGE)

    def _show_slider(self, shown: bool) -> None:
        if shown or len(self.children) > 1:
            with quiet(self._slider):
                self._slider.value = self._span
            show(self._slider, shown)

    def _on_choice(self, name: str) -> None:
        self._show_slider(name == RANGE)
        if name in self._named:
            self._on_change(self._named[name])
        elif name == RANGE:
            self._on_slider(self._slider.value)

    def _on_slider(self, span: tuple[int, int]) -> None:
        self._span = (int(span[0]), int(span[1]))
        self._on_change((self._span[0], self._span[1] + 1))
