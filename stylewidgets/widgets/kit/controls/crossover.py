"""Which layers come from the columns: coarse, middle, fine, a range, or painted one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets

from ....directions.layers import named_ranges
from ..compat import set_tooltip
from ..parts import show

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
        self._on_change, self._quiet = on_change, False
        self._named = named_ranges(num_ws)
        captions = [(f"{name} {a}–{b - 1}", name) for name, (a, b) in self._named.items()]
        self._choice = widgets.ToggleButtons(
            options=[*captions, (RANGE, RANGE), (PAINTED, PAINTED)],
            description="",
            tooltips=[
                f"these rows of w+ come from the columns: {what}" for what in ("pose and shape", "features", "colour")
            ][: len(captions)]
            + ["rows of w+ from the columns, by a slider", "layers painted on the strip above the grid"],
            style={"button_width": "auto", "description_width": "0"},
            layout=widgets.Layout(max_width="100%"),
        )
        # Both ends count, as people read them: 2–5 are the rows 2, 3, 4 and 5.
        self._slider = widgets.IntRangeSlider(
            min=0, max=num_ws - 1, value=(0, num_ws - 1), description="rows", style={"description_width": "36px"},
            layout=widgets.Layout(width="100%", max_width="360px"),
        )  # fmt: skip
        set_tooltip(self._slider, "the first and the last row of w+ that come from the columns, both included")
        self._choice.observe(self._on_choice, "value")
        self._slider.observe(self._on_slider, "value")
        super().__init__([self._choice, self._slider], layout=widgets.Layout(max_width="100%"))

    def update(self, mask: Sequence[bool]) -> None:
        """Move the controls to a mask over the rows of w+."""
        taken = [i for i, each in enumerate(mask) if each]
        span = (taken[0], taken[-1] + 1) if taken and taken == list(range(taken[0], taken[-1] + 1)) else None
        name = next((name for name, rows in self._named.items() if rows == span), PAINTED)
        if span is not None and self._choice.value == RANGE:
            name = RANGE
        self._quiet = True
        try:
            if span is not None:
                self._slider.value = (span[0], span[1] - 1)
            self._choice.value = name
            show(self._slider, name == RANGE)
        finally:
            self._quiet = False

    def _on_choice(self, _: object) -> None:
        if self._quiet:
            return
        show(self._slider, self._choice.value == RANGE)
        if self._choice.value in self._named:
            self._on_change(self._named[self._choice.value])
        elif self._choice.value == RANGE:
            self._on_slider(None)

    def _on_slider(self, _: object) -> None:
        if not self._quiet:
            first, last = self._slider.value
            self._on_change((int(first), int(last) + 1))
