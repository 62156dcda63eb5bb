"""The disentanglement report: a button, its progress, and the figure."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...mixing.figures import save_figure
from ...stylespace import Report
from ..kit.parts import WIDE, button, control, note, row, say, show
from ..kit.sharing import shared_layout
from .host import ProbeHost

if TYPE_CHECKING:
    from matplotlib.figure import Figure


ABOUT = (
    "For every attribute its cleanest channel, and how much else it moves beside a direction in w (attribute dependency); "
    "disentanglement, completeness and informativeness (DCI) of Z, W, W+ and S. The report of a bundled generator comes with "
    "it; a new one takes minutes and goes on where it was stopped."
)


class ReportPanel(widgets.VBox):
    """Makes a `stylespace.Report` and shows its figure."""

    def __init__(self, host: ProbeHost) -> None:
        self._host, self._search = host, host.search
        self.report: Report | None = None
        self._image = control(widgets.Image, layout={"width": "100%", "max_width": "760px"}, format="png")
        show(self._image, False)
        self._path = control(
            widgets.Text,
            "disentanglement.svg",
            tip="file of the figure: .svg, .pdf or .png, beside the notebook unless you give a folder",
            layout={"width": "180px"},
        )
        known = bool(self._search.attributes)
        self._said = note("" if known else "nothing can be read off these pictures; see 'By attribute'")
        act = partial(button, view=host.view)
        self._save = act("save figure", "write the figure to this file", self._write, said=self._said, disabled=True)
        tip = "show the one that comes with the generator, or make one"
        start = act("show report", tip, self.start, disabled=not known)
        tip = "make the report again, whatever is there"
        anew = act("measure anew", tip, lambda: self.start(True), disabled=not known)
        super().__init__(
            [note(ABOUT), row(start, anew, self._path, self._save), self._said, self._image],
            layout=shared_layout(**WIDE),
        )

    def start(self, anew: bool = False) -> None:
        """Begin; the figure appears when it is done."""
        say(self._said, "")
        self._search.make_report(self.show_report, anew=anew)

    def show_report(self, report: Report) -> None:
        """Show a report."""
        self.report = report
        self._image.value = figure_png(report.figure())
        show(self._image, True)
        self._save.disabled = False
        say(self._said, report.line())

    def _write(self) -> str:
        assert self.report is not None
        return f"wrote {save_figure(self.report.figure(), self._path.value)}"


def figure_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=120, facecolor="white")
    return buffer.getvalue()
