"""What an avatar looks like: every factor but its pose, to be changed by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from .....latent.pose import Pose
from ....kit.controls.rows import Row, Rows
from ....kit.parts import WIDE, ErrorPlace, card, control, note, row, say
from ....kit.sharing import shared_layout
from .who import Who

if TYPE_CHECKING:
    from .....avatars import Factor, Figure


class Looks(widgets.VBox):
    """A menu for each choice, a slider for each number. Every change is a source of its own.

    Args:
        put: takes a source with its words, and makes it the one that is drawn.
        who: whom the picture shows now.

    Attributes: `menus` by factor, `rows`.
    """

    def __init__(self, put: Callable[[Any, str], object], who: Callable[[], Who]) -> None:
        self._put, self._who = put, who
        self.place = ErrorPlace()
        self._words = note("")
        self.menus: dict[str, widgets.Dropdown] = {}
        self._menus = row()
        self.rows = Rows(on_change=lambda key, value: self.change({key: value}), view=self.place, label="Looks")
        super().__init__(
            [card(self._words, self._menus, self.rows, self.place, title="Looks")], layout=shared_layout(**WIDE)
        )

    def update(self) -> None:
        """Follow the value."""
        figure = self._who().figure
        if figure is None:
            say(self._words, "Only avatars have looks to change: choose one under Person.")
            self._menus.children, self.menus = (), {}
            self.rows.update([])
            return
        say(self._words, "")
        values = _values(figure)
        factors = {name: factor for name, factor in _factors(figure).items() if name not in figure.angles}
        chosen = {name: factor for name, factor in factors.items() if factor.categories}
        if set(self.menus) != set(chosen):
            self.menus = {name: self._menu(factor) for name, factor in chosen.items()}
            self._menus.children = tuple(self.menus.values())
        for name, menu in self.menus.items():
            menu.value = round(values[name])
        self.rows.update([_row(factor, values[factor.name]) for factor in factors.values() if not factor.categories])

    def change(self, values: Mapping[str, float]) -> None:
        """The same avatar with other values of some factors."""
        figure = self._who().figure
        if figure is None:
            raise ValueError("only avatars have looks to change: choose one under Person")
        all_of_them = {**_values(figure), **values}
        made = type(figure)(np.array(list(all_of_them.values()), np.float32), figure.groups, figure.way, figure.size)
        self._put(made, f"with another {', '.join(values)}")

    def _menu(self, factor: Factor) -> widgets.Dropdown:
        return control(
            widgets.Dropdown,
            on=lambda value: self.change({factor.name: float(value)}),
            view=self.place,
            style={"description_width": "84px"},
            layout={"width": "210px"},
            options=[(name, k) for k, name in enumerate(factor.categories)],
            description=factor.name.replace("_", " "),
        )


def _factors(figure: Figure) -> dict[str, Factor]:
    from .....avatars.world.groups import columns

    return {factor.name: factor for factor in columns(tuple(figure.groups)).factors}


def _values(figure: Figure) -> dict[str, float]:
    return dict(zip(_factors(figure), figure.posed(Pose())[0].tolist(), strict=True))


def _row(factor: Factor, value: float) -> Row:
    span = factor.high - factor.low
    unit = "°" if factor.unit.startswith("degrees") else ""
    words = factor.name.replace("_", " ")
    return Row(
        factor.name, words, value, factor.low, factor.high, 1 if span > 10 else 0.01, unit, factor.unit or words, None
    )
