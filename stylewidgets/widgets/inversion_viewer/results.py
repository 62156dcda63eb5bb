"""Panels below the pictures of InversionViewer: all runs in a table, one edit on all of them, and where a result goes."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from functools import partial

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ...core.pictures import encoded
from ...latent.latent import Direction, Latent
from ..kit.controls.direction_picker import DirectionPicker
from ..kit.controls.direction_rows import DirectionRows
from ..kit.errors import reporting
from ..kit.opening import Below
from ..kit.parts import WIDE, button, control, listen, note, quiet, row
from ..kit.sharing import shared_layout
from ..kit.state_panel import StatePanel
from ..kit.views.run_table import RunTable
from .attempt import Attempt
from .host import InversionHost
from .settings import settings_line

COLUMNS = [
    ("run", "number of the run; a click on a row shows it and brings its settings back"),
    ("method", "how it was made"),
    ("settings", "what differs from the paper's values"),
    ("state", "whether it goes on"),
    ("steps", "steps done"),
    ("s", "seconds of computation"),
    ("MSE", "mean square of the difference, pictures in [-1, 1]: lower is closer"),
    ("PSNR", "the same in dB: higher is closer"),
    ("perceptual", "perceptual distance: lower is closer"),
    ("far from faces", "realism: 1 is typical of the generator's own codes, 2 is far out"),
    ("edits off by", "how wrong known edits come out, in σ: lower is better; only where the truth is known"),
    ("note", "where it comes from"),
]
_FIGURES = ("mse", "psnr", "perceptual", "realism", "edit_error")
SIDE = 128


class RunsPanel(widgets.VBox):
    """Every run, sortable; a row restores its run."""

    def __init__(self, host: InversionHost) -> None:
        self._host = host
        self.table = RunTable(columns=[list(c) for c in COLUMNS], label="Runs")
        listen(self.table, self._on_choice, "chosen", host.view)
        tip = "compute perceptual distance, realism and, where the truth is known, how well edits work"
        tools = row(
            button("measure all", tip, host.measure_all, view=host.view),
            button("remove run", "take the shown run out of the table", host.remove, view=host.view),
            note("Click a heading to sort, a row to show that run and its settings again."),
        )
        super().__init__([self.table, tools], layout=shared_layout(**WIDE))
        self.refresh()

    def refresh(self) -> None:
        """Write the table anew."""
        rows = [self._row(attempt) for attempt in self._host.runs]
        current = self._host.current
        with quiet(self.table):
            if rows != self.table.rows:
                self.table.rows = rows
            self.table.chosen = self._host.runs.index(current) if current is not None else -1

    def _row(self, attempt: Attempt) -> list[str | float | None]:
        seconds = attempt.run.seconds if attempt.run is not None else attempt.result.seconds
        figures = [_plain(attempt.figures.get(name)) for name in _FIGURES]
        return [
            attempt.number,
            attempt.method,
            settings_line(attempt.method, attempt.settings),
            attempt.state,
            attempt.step,
            round(seconds, 1),
            *figures,
            attempt.note,
        ]

    def _on_choice(self, place: int) -> None:
        if 0 <= place < len(self._host.runs):
            self._host.select(self._host.runs[place])


def _plain(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return float(value) if value is not None and np.isfinite(value) else None


class EditsPanel(widgets.VBox):
    """Directions applied to the target's own code, where it is known, and to the results of all runs.

    `latent` holds the edits; its code is not used.
    """

    def __init__(self, host: InversionHost) -> None:
        self._host = host
        self.latent = Latent()
        session = host.session
        self._rows = DirectionRows(session.num_ws, self.change)
        self._picker = DirectionPicker(
            lambda: session.directions, session.images, lambda: host.value, self._add, host.view
        )
        self._sheet = control(widgets.HTML, layout={"max_width": "100%"})
        words = note("The same edits on every result show which of them can be edited, and which only look right.")
        super().__init__([words, self._rows, self._picker, self._sheet], layout=shared_layout(**WIDE))
        self._rows.show(self.latent)

    def change(self, _: str, transform: Callable[[Latent], Latent]) -> None:
        """See `parts.Change`."""

        with reporting(self._host.view):
            self.latent = transform(self.latent)
            self._rows.show(self.latent)
            self.refresh()

    def refresh(self) -> None:
        """Draw the row of pictures again."""
        shown = self.pictures()
        figures = "".join(
            f'<figure style="margin:0"><img alt="{html.escape(words)}" width="{SIDE}" style="display:block;border-radius:4px;'
            f'max-width:100%" src="data:image/jpeg;base64,{base64.b64encode(encoded(picture, "JPEG")).decode()}">'
            f'<figcaption class="sw-caption">{html.escape(words)}</figcaption></figure>'
            for words, picture in shown
        )
        self._sheet.value = f'<div style="display:flex;flex-wrap:wrap;gap:8px;margin-top:6px">{figures}</div>'

    def pictures(self) -> list[tuple[str, NDArray[np.uint8]]]:
        """Name and edited picture uint8 [h, w, 3]: of the target where its code is known, then of every run."""
        host, edits, i = self._host, self.latent.edits, self._host.index
        made = []
        known = host.target.latents[i] if host.target is not None else None
        if known is not None:
            latent = known.replace(edits=(*known.edits, *edits))
            made.append(("the truth", host.session.images([latent], SIDE)[0]))
        for attempt in host.runs:
            if attempt.step and i < len(attempt.result):
                picture = attempt.session(i).images([attempt.latent(i, edits=edits)], SIDE)[0]
                made.append((f"{attempt.number}: {attempt.method}", picture))
        return made

    def _add(self, direction: Direction) -> None:
        self.change("direction", lambda latent: latent.with_edit(direction, 2.0, direction.layers))


class SendPanel(widgets.VBox):
    """Buttons that open the result in another widget below, and the file and code."""

    def __init__(self, host: InversionHost) -> None:
        self.state = StatePanel(host, "inversion.safetensors")
        below = Below()
        act = partial(button, view=host.view)
        words = note("Open the result in")
        explorer = act("explorer", "a LatentExplorer from this result on", lambda: below.open_here(host.explorer()))
        grid = act("mixing grid", "a StyleMixGrid with this result as a row", lambda: below.open_here(host.grid()))
        probe = act("probe", "a StyleSpaceProbe of this result", lambda: below.open_here(host.probe()))
        super().__init__([row(words, explorer, grid, probe), self.state, below], layout=shared_layout(**WIDE))
