"""Panels below the pictures of InversionViewer: all runs in a table, one edit on all of them, and where a result goes."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from functools import cached_property, partial

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ...core.pictures import encoded
from ...inversion import METHODS
from ...latent.latent import Direction, Latent
from ..kit.controls.direction_picker import DirectionPicker
from ..kit.controls.direction_rows import DirectionRows
from ..kit.controls.from_tools import FromTools
from ..kit.errors import reporting
from ..kit.parts import WIDE, button, column, control, listen, note, quiet, row, show
from ..kit.sharing import shared_layout
from ..kit.state_panel import StatePanel
from ..kit.views.cards import Card, Cards
from ..kit.views.run_table import RunTable
from .attempt import THUMBNAIL, Attempt
from .host import InversionHost
from .realism import light, short
from .settings import settings_line

COLUMNS = [
    ("run", "number of the run; a click on a row shows it and brings its settings back"),
    ("method", "how it was made"),
    ("settings", "what differs from the usual values"),
    ("state", "whether it goes on"),
    ("steps", "steps done"),
    ("s", "seconds of computation"),
    ("MSE", "mean square of the difference, pictures in [-1, 1]: lower is closer"),
    ("PSNR", "the same in dB: higher is closer"),
    ("perceptual", "perceptual distance: lower is closer"),
    ("far from faces", "realism: about 1 is typical of the generator's own codes; more is further out"),
    (
        "edits off by",
        "error of what known edits change: 0 is right, 1 as wrong as no edit; only where the truth is known",
    ),
    ("note", "where it comes from"),
]
_FIGURES = ("mse", "psnr", "perceptual", "realism", "change_error")
SIDE = 128
_GREY = np.full((THUMBNAIL, THUMBNAIL, 3), 200, np.uint8)
"""The picture of a run that has not done a step yet."""


class RunsPanel(widgets.VBox):
    """A card with a picture for every run; choosing one restores it. All figures are in a table, made when asked for."""

    def __init__(self, host: InversionHost) -> None:
        self._host = host
        self._drawn: list[NDArray[np.uint8]] = []
        self.cards = Cards(label="Runs", least=128)
        listen(self.cards, self._on_choice, "chosen", host.view)
        self._none = note("No run yet: choose a method, then press Start. Each run becomes a card here.")
        tip = "compute perceptual distance, realism and, where the truth is known, how well edits work"
        self._tools = row(
            button("measure all", tip, host.measure_all, view=host.view),
            button("remove run", "take the shown run out of the list", host.remove, view=host.view),
            button("as a table", "all figures of all runs, sortable; or hide it", self._unfold, view=host.view),
        )
        super().__init__([self._none, self.cards, self._tools], layout=shared_layout(**WIDE))
        self.refresh()

    @cached_property
    def table(self) -> RunTable:
        """All figures; a click on a heading sorts, one on a row shows its run."""
        made = RunTable(columns=[list(c) for c in COLUMNS], label="Runs", layout=widgets.Layout())
        listen(made, self._on_choice, "chosen", self._host.view)
        self.children += (made,)
        self.__dict__["table"] = made  # `refresh` fills it where it is there
        self.refresh()
        return made

    def refresh(self) -> None:
        """Write cards and table anew."""
        runs, current = self._host.runs, self._host.current
        chosen = runs.index(current) if current is not None else -1
        for part, shown in ((self._none, not runs), (self._tools, bool(runs))):
            show(part, shown)
        cards = [_card(attempt) for attempt in runs]
        pictures = [attempt.thumbnail if attempt.thumbnail is not None else _GREY for attempt in runs]
        with quiet(self.cards):
            same = len(pictures) == len(self._drawn) and all(a is b for a, b in zip(pictures, self._drawn, strict=True))
            if cards != self.cards.cards or not same:
                self.cards.show(cards, pictures, chosen)
                self._drawn = pictures
            self.cards.chosen = chosen
        if "table" in self.__dict__:
            rows = [self._row(attempt) for attempt in runs]
            with quiet(self.table):
                if rows != self.table.rows:
                    self.table.rows = rows
                self.table.chosen = chosen

    def _unfold(self) -> None:
        there = "table" in self.__dict__
        show(self.table, not there or self.table.layout.display == "none")

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


def title_of(attempt: Attempt) -> str:
    """The method of a run as a menu has it."""
    return METHODS[attempt.method].title if attempt.method in METHODS else attempt.method


def _card(attempt: Attempt) -> Card:
    """Method, how far, how close, and the light of realism where that is known."""
    lines = [f"run {attempt.number} · {attempt.state}" + (f" · {attempt.note}" if attempt.note else "")]
    card: Card = {"title": title_of(attempt), "lines": lines, "tip": settings_line(attempt.method, attempt.settings)}
    if (psnr := _plain(attempt.figures.get("psnr"))) is not None:
        lines.append(f"closeness {psnr:.1f} dB")
    if "realism" in attempt.figures:
        lines.append(short(attempt.figures))
        card["light"] = light(attempt.figures)
    return card


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
        edits = column(self._rows, self._picker, max_width="min(100%, 720px)")
        super().__init__([words, edits, self._sheet], layout=shared_layout(**WIDE))
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
                made.append((f"{attempt.number}: {title_of(attempt)}", picture))
        return made

    def _add(self, direction: Direction) -> None:
        self.change("direction", lambda latent: latent.with_edit(direction, 2.0, direction.layers))


class SendPanel(widgets.VBox):
    """Buttons that open the result in another widget beside this one, and the file and code."""

    def __init__(self, host: InversionHost, show_beside: Callable[[widgets.Widget], None]) -> None:
        def take(latent: Latent) -> None:
            host.set_target(latent)

        self.state = StatePanel(host, "inversion.safetensors", FromTools(host.session, take, lambda: host.value))
        act = partial(button, view=host.view)
        words = note("Open the result in")
        explorer = act("explorer", "an explorer from this result on", lambda: show_beside(host.explorer()))
        grid = act("mixing grid", "a mixing grid with this result as a row", lambda: show_beside(host.grid()))
        probe = act("style probe", "a style probe of this result", lambda: show_beside(host.probe()))
        super().__init__([row(words, explorer, grid, probe), self.state], layout=shared_layout(**WIDE))
