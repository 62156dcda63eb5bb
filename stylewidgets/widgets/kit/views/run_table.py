"""A table on the page that is sorted by a click on a heading and chosen from by a click on a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from .view import enable_colab_widgets

try:
    import anywidget
except ImportError:  # pragma: no cover - `view` says so once
    anywidget = None

_HERE = Path(__file__).parent

if anywidget is not None:

    class RunTable(anywidget.AnyWidget):
        """Rows of text and numbers under headings."""

        _esm = (_HERE / "run_table.js").read_text(encoding="utf-8")
        _css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("view.css", "run_table.css"))

        columns: Any = traitlets.List().tag(sync=True)
        """[heading, what it means] of each column."""
        rows: Any = traitlets.List().tag(sync=True)
        """Lists of text, numbers and None, in the order of the runs."""
        chosen = traitlets.Int(-1).tag(sync=True)
        """Number of the chosen row, however they are sorted."""
        label = traitlets.Unicode("Runs").tag(sync=True)

        def __init__(self, **traits: Any) -> None:
            super().__init__(**traits)
            enable_colab_widgets()


class PlainTable(ipywidgets.VBox):
    """The same interface on core widgets: a list to choose from."""

    columns: Any = traitlets.List()
    rows: Any = traitlets.List()
    chosen = traitlets.Int(-1)
    label = traitlets.Unicode("Runs")

    def __init__(self, **traits: Any) -> None:
        self._list = ipywidgets.Select(rows=5, layout={"width": "100%"})
        self._syncing = False
        super().__init__([self._list], **traits)
        self._list.observe(self._on_list, "value")
        self.observe(self._refresh, ["rows", "chosen"])
        self._refresh()

    def _refresh(self, _: Any = None) -> None:
        self._syncing = True
        try:
            lines = [" · ".join(_words(v) for v in row if v not in (None, "")) for row in self.rows]
            self._list.options = [(line, k) for k, line in enumerate(lines)]
            self._list.value = self.chosen if 0 <= self.chosen < len(self.rows) else None
        finally:
            self._syncing = False

    def _on_list(self, event: Any) -> None:
        if not self._syncing and event["new"] is not None:
            self.chosen = event["new"]


def _words(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def make_run_table(**traits: Any) -> Any:
    """Return a `RunTable`, or a `PlainTable` where anywidget cannot be imported."""
    return PlainTable(**traits) if anywidget is None else RunTable(**traits)
