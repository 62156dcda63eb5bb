"""The disentanglement report: a button, its progress, and the figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..mixing.figure import save_figure
from ._compat import button, set_tooltip
from .errors import reporting
from .parts import note, row, say
from .probe_report import ProbeReport, figure_png

if TYPE_CHECKING:
    from .probe_search import ProbeSearch
    from .style_space_probe import StyleSpaceProbe

ABOUT = (
    "Disentanglement, completeness and informativeness (DCI) of Z, W, W+ and S for this generator, and how much else an edit "
    "moves: attribute dependency of the best channel against the direction in w of the same name. Takes minutes the first "
    "time; readings are kept on disk."
)


class ReportPanel(widgets.VBox):
    """Makes a `ProbeReport` and shows its figure."""

    def __init__(self, owner: StyleSpaceProbe, search: ProbeSearch) -> None:
        self._owner, self._search = owner, search
        self.report: ProbeReport | None = None
        self._image = widgets.Image(
            format="png", layout=widgets.Layout(width="100%", max_width="760px", display="none")
        )
        self._path = widgets.Text("disentanglement.svg", layout=widgets.Layout(width="180px"))
        set_tooltip(self._path, "file of the figure: .svg, .pdf or .png, beside the notebook unless you give a folder")
        self._said = note("" if search.attributes else "nothing can be read off these pictures; see 'By attribute'")
        self._save = button("save figure", "write the figure to this file", self._on_save, disabled=True)
        start = button(
            "make the report", "compute the figures of all four spaces", self.start, disabled=not search.attributes
        )
        super().__init__(
            [note(ABOUT), row(start, self._path, self._save), self._said, self._image],
            layout=widgets.Layout(max_width="100%", width="100%"),
        )

    def start(self) -> None:
        """Begin; the figure appears when it is done."""
        with reporting(self._owner.view):
            say(self._said, "")
            self._search.make_report(self.show_report)

    def show_report(self, report: ProbeReport) -> None:
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
