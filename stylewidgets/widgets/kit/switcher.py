"""Several panels in the place of one; instead of Tab and Accordion, which Colab breaks (colabtools#3105, #3571)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from .parts import close_tree


class Switcher(widgets.VBox):
    """A row of buttons, one for each panel, and the chosen panel below.

    Args:
        panels: makes each panel, by name, when it is chosen for the first time.
        on_show: called with the name of a panel that was chosen; not for the first one.
    """

    def __init__(self, panels: Mapping[str, Callable[[], Any]], on_show: Callable[[str], None] | None = None) -> None:
        self._factories = dict(panels)
        self._made: dict[str, Any] = {}
        self._on_show = on_show
        self._buttons = widgets.ToggleButtons(
            options=list(self._factories),
            description="",
            style={"button_width": "auto", "description_width": "0"},
            layout=widgets.Layout(margin="6px 0 2px 0", max_width="100%"),
        )
        self._body = widgets.VBox(layout=widgets.Layout(max_width="100%", width="100%"))
        super().__init__([self._buttons, self._body], layout=widgets.Layout(max_width="100%"))
        self._buttons.observe(self._on_choice, "value")
        self._show()

    @property
    def selected(self) -> str:
        """The name of the panel that is up. Assign to choose another."""
        return str(self._buttons.value)

    @selected.setter
    def selected(self, name: str) -> None:
        self._buttons.value = name

    def made(self, name: str) -> Any | None:
        """Return a panel if it was chosen before."""
        return self._made.get(name)

    def close_panels(self) -> None:
        """Close the panels that are not up; those in the tree close with it."""
        close_tree(*(panel for panel in self._made.values() if panel not in self._body.children))

    def _show(self) -> None:
        name = self.selected
        if name not in self._made:
            self._made[name] = self._factories[name]()
        self._body.children = (self._made[name],)

    def _on_choice(self, _: Any) -> None:
        self._show()
        if self._on_show is not None:
            self._on_show(self.selected)
