"""Which part of a picture the columns give: all of the chosen layers, or the eyes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import ipywidgets as widgets

from ...mixing.grid import MixGrid
from ..kit.parts import control, note, quiet, say

if TYPE_CHECKING:
    from ..kit.host import Host

WHOLE = "everything"
NOTHING_KNOWN = "Parts of this generator are not known yet: the Parts panel of a LatentExplorer finds them."


class _Machine(Protocol):
    @property
    def weights(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...


class PartChoice(widgets.HBox):
    """A menu of the parts that the session knows. Attribute: `choice`."""

    def __init__(self, host: Host[MixGrid]) -> None:
        self._host = host
        self._said = note("")
        self.choice = control(
            widgets.Dropdown,
            tip="of the marked layers, what comes from the columns: everything, or the channels of one part alone",
            on=self._choose,
            view=host.view,
            style={"description_width": "64px"},
            layout={"width": "270px", "max_width": "calc(100% - 4px)"},
            options=[WHOLE],
            description="mix only",
        )
        super().__init__([self.choice, self._said], layout={"flex_flow": "row wrap", "align_items": "center"})

    def update(self, grid: MixGrid) -> None:
        """Bring the menu to the grid, and to what the session knows by now."""
        machine = self._machine()
        names = () if machine is None else machine.names
        if grid.part and grid.part not in names:
            names = (*names, grid.part)
        with quiet(self.choice):
            if self.choice.options != (WHOLE, *names):
                self.choice.options = (WHOLE, *names)
            self.choice.value = grid.part or WHOLE
        self.choice.disabled = not names
        say(self._said, "" if names else NOTHING_KNOWN)

    def _machine(self) -> _Machine | None:
        try:
            return cast(_Machine, self._host.session.editors.of("parts"))
        except FileNotFoundError:
            return None

    def _choose(self, name: str) -> None:
        machine = self._machine()
        if name == WHOLE or machine is None:
            self._host.change("", lambda grid: grid.replace(part="", catalogue=""))
            return

        def chosen(grid: MixGrid) -> MixGrid:
            # At first in all layers: the eyes have no channel in most of those that a grid begins with.
            mask = grid.mask if grid.part else (True,) * len(grid.mask)
            return grid.replace(part=name, catalogue=machine.weights, mask=mask)

        self._host.change("", chosen)
