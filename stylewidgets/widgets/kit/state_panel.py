"""Save, load and the Python of the present picture."""

from __future__ import annotations

from functools import partial

import ipywidgets as widgets

from .controls.from_tools import FromTools
from .host import Files
from .parts import button, control, note, row
from .sharing import shared_layout

PATH = "explorer.json"


class StatePanel(widgets.VBox):
    """A path with Save and Load, and a box with the code.

    Args:
        files: saves, loads and says the code; its exceptions show in its `view`.
        path: what the file box starts with.
        tools: takes files of other tools by upload; None for none.
    """

    def __init__(self, files: Files, path: str = PATH, tools: FromTools | None = None) -> None:
        self._files = files
        self._path = control(
            widgets.Text,
            path,
            tip="a .json or .npz file, beside the notebook unless you give a folder",
            style={"description_width": "36px"},
            layout={"width": "246px"},
            description="file",
            continuous_update=True,
        )
        self._said = note("")
        self._box = control(
            widgets.Textarea,
            tip="Python that makes this picture again, to copy",
            style={"description_width": "36px"},
            layout={"width": "calc(100% - 4px)", "max_width": "640px"},
            description="code",
            rows=8,
        )
        act = partial(button, width="60px", view=files.view, said=self._said)
        save = act("save", "write the state to this file", self._save, doing="saving the state")
        load = act("load", "go to the state in this file", self._load, doing="loading the state")
        self.tools = tools
        parts = [row(self._path, save, load), self._said, *([] if tools is None else [tools]), self._box]
        super().__init__(parts, layout=shared_layout(max_width="100%"))
        self.refresh()

    def refresh(self) -> None:
        """Write the code of the present picture into the box."""
        self._box.value = self._files.code()
        if self.tools is not None:
            self.tools.refresh()

    def _save(self) -> str:
        self._files.save(self._path.value)
        return f"saved in {self._path.value}"

    def _load(self) -> str:
        self._files.load(self._path.value)
        return f"loaded from {self._path.value}"
