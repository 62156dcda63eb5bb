"""The tool "Save & code": files of the state, and the Python that makes the picture."""

from __future__ import annotations

import ipywidgets as widgets

from ...kit.host import PictureHost
from ...kit.state_panel import StatePanel
from .tool import Tool


class Save(Tool):
    """Attribute: `state`."""

    name, title = "save", "Save & code"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self.state = StatePanel(host)
        return self.state

    def opened(self, host: PictureHost) -> None:
        self.state.refresh()

    def update(self, host: PictureHost) -> None:
        if self.shown:
            self.state.refresh()
