"""Several panels in the place of one; instead of Tab and Accordion, which Colab breaks (colabtools#3105, #3571)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from .parts import WIDE, close_tree, control
from .sharing import shared_layout


class Switcher(widgets.VBox):
    """A row of buttons, one for each panel, and the chosen panel below.

    Args:
        panels: makes each panel, by name, when it is chosen for the first time.
        on_show: called with the name of a panel that was chosen; not for the first one.
    """

    def __init__(
        self, panels: Mapping[str, Callable[[], widgets.Widget]], on_show: Callable[[str], None] | None = None
    ) -> None:
        self._factories = dict(panels)
        self._made: dict[str, widgets.Widget] = {}
        self._on_show = on_show
        self._buttons = control(
            widgets.ToggleButtons,
            on=self._on_choice,
            style={"button_width": "auto", "description_width": "0"},
            layout={"margin": "6px 0 2px 0", "max_width": "100%"},
            options=list(self._factories),
            description="",
        )
        super().__init__([self._buttons], layout=shared_layout(**WIDE))
        self._show(self.selected)

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

    def shown(self, name: str) -> Any | None:
        """Return a panel if it is the one in sight."""
        return self._made.get(name) if self.selected == name else None

    def close(self) -> None:
        """Close, and with it the panels that are not up."""
        close_tree(*(panel for panel in getattr(self, "_made", {}).values() if panel not in self.children))
        super().close()

    def _show(self, name: str) -> None:
        if name not in self._made:
            self._made[name] = self._factories[name]()
        self.children = (self._buttons, self._made[name])

    def _on_choice(self, name: str) -> None:
        self._show(name)
        if self._on_show is not None:
            self._on_show(name)
