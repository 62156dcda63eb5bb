"""The disentanglement report: a button, its progress, and the figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...mixing.figures import save_figure
from ...stylespace import Report
from ..kit.compat import button, set_tooltip
from ..kit.errors import reporting
from ..kit.parts import note, row, say
from .search import ProbeSearch

if TYPE_CHECKING:
    from .probe import StyleSpaceProbe

ABOUT = (
    "For every attribute its cleanest channel, and how much else it moves beside a direction in w (attribute dependency); "
    "disentanglement, completeness and informativeness (DCI) of Z, W, W+ and S. The report of a bundled generator comes with "
    "it; a new one takes minutes and goes on where it was stopped."
)


class ReportPanel(widgets.VBox):
    """Makes a `stylespace.Report` and shows its figure."""

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch) -> None:
        self._owner, self._search = owner, search
        self.report: Report | None = None
        self._image = widgets.Image(
            format="png", layout=widgets.Layout(width="100%", max_width="760px", display="none")
        )
        self._path = widgets.Text("disentanglement.svg", layout=widgets.Layout(width="180px"))
        set_tooltip(self._path, "file of the figure: .svg, .pdf or .png, beside the notebook unless you give a folder")
        known = bool(search.attributes)
        self._said = note("" if known else "nothing can be read off these pictures; see 'By attribute'")
        self._save = button("save figure", "write the figure to this file", self._on_save, disabled=True)
        start = button(
            "report", "show the one that comes with the generator, or make one", self.start, disabled=not known
        )
        anew = button(
            "measure anew", "make the report again, whatever is there", lambda: self.start(True), disabled=not known
        )
        super().__init__(
            [note(ABOUT), row(start, anew, self._path, self._save), self._said, self._image],
            layout=widgets.Layout(max_width="100%", width="100%"),
        )

    def start(self, anew: bool = False) -> None:
        """Begin; the figure appears when it is done."""
        with reporting(self._owner.view):
            say(self._said, "")
            self._search.make_report(self.show_report, anew=anew)

    def show_report(self, report: Report) -> None:
        """Show a report."""
        self.report = report
        self._image.value = figure_png(report.figure())
        self._image.layout.display = None
        self._save.disabled = False
        say(self._said, report.line())

    def _on_save(self) -> None:
        with reporting(self._owner.view):
            assert self.report is not None
            say(self._said, f"wrote {save_figure(self.report.figure(), self._path.value)}")


def figure_png(figure: Any) -> bytes:
    """Return a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=120, facecolor="white")
    return buffer.getvalue()
