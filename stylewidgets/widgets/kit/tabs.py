"""Several panels in the place of one, under tabs of our own: Colab breaks Tab and Accordion (colabtools#3105, #3571)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as widgets

from .parts import control, listen
from .sharing import shared_layout
from .views.tab_bar import TabBar

AWAY = "sw-away"
"""Class of a panel that is not up: it stays in the page, so that coming back to it moves and loads nothing."""


class Tabs(widgets.VBox):
    """A row of tabs, and the panel of the chosen one below. Its place keeps its height when another one is chosen.

    Args:
        panels: makes each panel, by name, when it is chosen for the first time.
        on_show: called with the name of a panel that was chosen; not for the first one.
        rare: names of those that stand behind "more …".
        label: what the panels are, for screen readers.
    """

    def __init__(
        self,
        panels: Mapping[str, Callable[[], widgets.Widget]],
        on_show: Callable[[str], None] | None = None,
        *,
        rare: Iterable[str] = (),
        label: str = "Tools",
    ) -> None:
        self._factories = dict(panels)
        self._made: dict[str, widgets.Widget] = {}
        self._on_show = on_show
        names = list(self._factories)
        self._bar = TabBar(
            names=names, rare=[name for name in rare if name in names], selected=names[0], label=label,
            layout=shared_layout(),
        )  # fmt: skip
        self._body = control(widgets.VBox, _dom_classes=("sw-tabpanel",))
        super().__init__([self._bar, self._body], layout=shared_layout(), _dom_classes=("sw-tabs",))
        listen(self._bar, self._on_choice, "selected")
        self._show(self.selected)

    @property
    def selected(self) -> str:
        """The name of the panel that is up. Assign to choose another; KeyError when there is none of that name."""
        return str(self._bar.selected)

    @selected.setter
    def selected(self, name: str) -> None:
        if name not in self._factories:
            raise KeyError(name)
        self._bar.selected = name

    @property
    def names(self) -> tuple[str, ...]:
        """The panels that there are."""
        return tuple(self._factories)

    def made(self, name: str) -> Any | None:
        """Return a panel if it was chosen before."""
        return self._made.get(name)

    def shown(self, name: str) -> Any | None:
        """Return a panel if it is the one in sight."""
        return self._made.get(name) if self.selected == name else None

    def _show(self, name: str) -> None:
        if name not in self._made:
            self._made[name] = self._factories[name]()
            self._body.children = tuple(self._made.values())
        for other, panel in self._made.items():
            (panel.remove_class if other == name else panel.add_class)(AWAY)

    def _on_choice(self, name: str) -> None:
        if name not in self._factories:  # a page may say anything
            return
        self._show(name)
        if self._on_show is not None:
            self._on_show(name)
