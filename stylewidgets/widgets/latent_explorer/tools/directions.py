"""The tool "Directions": a slider for each edit, and a list to add more from."""

from __future__ import annotations

import ipywidgets as widgets

from ....latent.latent import Direction, Latent
from ...kit.controls.direction_picker import DirectionPicker
from ...kit.controls.direction_rows import DirectionRows
from ...kit.errors import reporting
from ...kit.host import PictureHost
from ...kit.parts import WIDE, column
from .edit_truth import EditTruth, draws_avatars
from .tool import Tool


class Directions(Tool):
    """Attributes: `rows`, `picker`, and `truth`, the line about what changed; None where nothing can be read."""

    name, title = "directions", "Directions"
    truth: EditTruth | None = None

    def panel(self, host: PictureHost) -> widgets.Widget:
        session = host.session

        def add(direction: Direction) -> None:
            with reporting(host.view):
                host.add_direction(direction)

        self.rows = DirectionRows(session.num_ws, host.change)
        self.picker = DirectionPicker(
            lambda: host.directions,
            lambda latents, side: session.images(latents, resolution=side),
            lambda: host.value,
            add,
            host.view,
        )
        if draws_avatars(session.metadata):
            self.truth = EditTruth(host.view, lambda: host.start, host.picture.render)
        return column(*(part for part in (self.rows, self.truth, self.picker) if part is not None), **WIDE)

    def update(self, host: PictureHost) -> None:
        self.rows.update(host.value)
        if self.truth is not None:
            self.truth.update(host.value)

    def opened(self, host: PictureHost) -> None:
        if host.picture.latent is not None:
            self.rested(host, host.picture.latent)

    def rested(self, host: PictureHost, latent: Latent) -> None:
        if self.truth is not None and latent == host.value:  # not of a moment of a film
            self.truth.settled(latent)
