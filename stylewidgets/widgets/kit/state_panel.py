"""Save, load and the Python of the present picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from .compat import button, set_tooltip
from .errors import reporting
from .parts import note, row, say

PATH = "explorer.json"


class StatePanel(widgets.VBox):
    """A path with Save and Load, and a box with the code.

    Args:
        save, load: called with the path that was typed; their exceptions show in `view`.
        code: returns the text of the code box.
        path: what the file box starts with.
    """

    def __init__(
        self,
        save: Callable[[str], object],
        load: Callable[[str], object],
        code: Callable[[], str],
        view: Any,
        path: str = PATH,
    ) -> None:
        self._save, self._load, self._code = save, load, code
        self.view = view
        self._path = widgets.Text(
            value=path,
            description="file",
            continuous_update=True,
            style={"description_width": "30px"},
            layout=widgets.Layout(width="240px"),
        )
        set_tooltip(self._path, "a .json or .npz file, beside the notebook unless you give a folder")
        self._said = note("")
        self._box = widgets.Textarea(
            description="code",
            rows=8,
            style={"description_width": "36px"},
            layout=widgets.Layout(width="100%", max_width="640px"),
        )
        set_tooltip(self._box, "Python that makes this picture again, to copy")
        super().__init__(
            [
                row(
                    self._path,
                    button("save", "write the state to this file", self._on_save, "60px"),
                    button("load", "go to the state in this file", self._on_load, "60px"),
                ),
                self._said,
                self._box,
            ],
            layout=widgets.Layout(max_width="100%"),
        )

    def refresh(self) -> None:
        """Write the code of the present picture into the box."""
        self._box.value = self._code()

    def _on_save(self) -> None:
        with reporting(self.view, "saving the state"):
            say(self._said, "")
            self._save(self._path.value)
            say(self._said, f"saved in {self._path.value}")

    def _on_load(self) -> None:
        with reporting(self.view, "loading the state"):
            say(self._said, "")
            self._load(self._path.value)
            say(self._said, f"loaded from {self._path.value}")
