"""The channels that are edited, as a list; made one direction; sent to the other widgets."""

from __future__ import annotations

from functools import partial

import ipywidgets as widgets
import numpy as np

from ...latent.latent import Latent
from ..kit.controls.direction_rows import DirectionRows
from ..kit.parts import WIDE, button, control, note, row
from ..kit.sharing import shared_layout
from .host import ProbeHost

NOTHING = "Nothing is edited yet: select a channel on the map and drag its strength; each one becomes a row here."


class EditPanel(widgets.VBox):
    """A slider for each edit of the latent, "save as direction", and the buttons that send the latent on."""

    def __init__(self, host: ProbeHost) -> None:
        self._host = host
        self._rows = DirectionRows(host.session.num_ws, host.change, NOTHING)
        self._name = control(
            widgets.Text, tip="name of the new direction", layout={"width": "130px"}, placeholder="name"
        )
        self._path = control(
            widgets.Text,
            tip="a .safetensors or .npz file that the direction is added to",
            layout={"width": "150px"},
            placeholder="file (optional)",
        )
        self._said = note("")
        act = partial(button, view=host.view)
        save = act("save as direction", "make all channel edits one direction", self._save, said=self._said)
        explore = act("explore", "go on with this picture in a LatentExplorer", host.send)
        tip = "add this picture to the StyleMixGrid given to the probe"
        add = act("+ row of the grid", tip, self._send_to_grid, said=self._said)
        lines = [self._rows, row(self._name, self._path, save), row(explore, add), self._said]
        super().__init__(lines, layout=shared_layout(**WIDE))
        self.update(host.value)

    def update(self, latent: Latent) -> None:
        """Show the edits of a latent."""
        self._rows.show(latent)

    def _save(self) -> str:
        path = self._path.value.strip() or None
        direction = self._host.save_direction(self._name.value, path)
        added = f", added to {path}" if path else ""
        return f"{direction.name} is a direction of {np.count_nonzero(direction.vector)} channels{added}"

    def _send_to_grid(self) -> str:
        if self._host.grid is None:
            raise ValueError(
                "the probe knows no grid: give it StyleSpaceProbe(session, grid=grid), or grid.add('rows', probe.value)"
            )
        self._host.send(self._host.grid)
        return "added as a row"
