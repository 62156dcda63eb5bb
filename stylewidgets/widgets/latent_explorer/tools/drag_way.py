"""The way that a drag took: scrubbed, played, turned round and written to a file. One card of the tool "Drag"."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from ....latent.latent import Latent
from ...kit.compat import is_playing, observe_playing, set_playing
from ...kit.errors import ShowsErrors
from ...kit.host import PictureHost
from ...kit.parts import WIDE, button, control, note, row, say, show
from ...kit.sharing import shared_layout
from ...kit.views.timeline import Timeline
from .export_panel import ExportPanel

if TYPE_CHECKING:
    from ....editing.dragging import Way
    from ....session.session import GeneratorSession

STEPS_A_SECOND = 10
PICTURES = 6
THUMBNAIL = 96
TICK_MS = 33
LONGEST_TICK = 1.0
ENDLESS = 10**6
SCRUB = "drag: way"
"""Scrubbing and playing is one step of undo."""


class WayCard(widgets.VBox):
    """A line of pictures with a mark, buttons, and the export of the film. Nothing to be seen before there is a way.

    Args:
        host: the explorer.
        view: shows what goes wrong.
        shown: called with the way and a step, when the picture is another one of the way.

    Attributes:
        way: the one that is shown; None before the first.
        step: where on it the picture is; −1 while it is elsewhere.
        line: the line of pictures.
        export: writes the film.
    """

    def __init__(self, host: PictureHost, view: ShowsErrors, shown: Callable[[Way, int], None]) -> None:
        self._host, self._shown = host, shown
        self.way: Way | None = None
        self.step = -1
        self._steps: dict[Latent, int] = {}
        self._latents: list[Latent] = []
        self._now: Callable[[], float] = time.monotonic
        self._before = self._at = 0.0
        self._clock = control(
            widgets.Play, on=lambda _: self._tick(), layout={"display": "none"}, min=0, max=ENDLESS, interval=TICK_MS
        )
        observe_playing(self._clock, lambda change: self._on_playing(bool(change["new"])))
        self.line = Timeline(layout=shared_layout())
        self.line.on_play, self.line.on_first, self.line.on_seek = self._on_play, lambda: self._seek(0.0), self._seek
        tip = "turn the way round: what was its end becomes its start"
        self.export = ExportPanel(self)
        self._about = note("")
        super().__init__(
            [self.line, row(button("reverse", tip, self.reverse, view=view, icon="swap"), self._about), self.export, self._clock],
            layout=shared_layout(**WIDE),
        )  # fmt: skip
        show(self, False)

    # -- to use ----------------------------------------------------------------------------------------------------------
    def show(self, way: Way) -> None:
        """Show this way in the place of the one before; the picture stays."""
        self.playing = False
        self.way = way
        self._latents = [way.latent(k) for k in range(len(way) + 1)]
        self._steps = {latent: k for k, latent in enumerate(self._latents)}
        some = [round(k) for k in np.linspace(0, len(way), min(PICTURES, len(way) + 1))]
        with self.line.hold_sync():
            self.line.cards = [f"step {k}" for k in some]
            self.line.pictures = [self._host.picture.thumbnail(self._latents[k], THUMBNAIL) for k in some]
            self.line.length = len(way) / STEPS_A_SECOND
        self.update()

    def go(self, step: int) -> None:
        """Make the picture after so many steps the value."""
        latent = self._latents[min(max(step, 0), len(self._latents) - 1)]
        self._host.change(SCRUB, lambda _: latent)

    def reverse(self) -> None:
        """Turn the way round; the picture stays."""
        if self.way is not None:
            self.show(self.way.reversed())

    def update(self) -> None:
        """Follow the value: the mark goes to its place, and the card away while the picture is none of the way."""
        step = self._steps.get(self._host.value, -1) if self._steps else -1
        show(self, step >= 0)
        if step < 0:
            self.playing, self.step = False, -1
            return
        assert self.way is not None
        if step != round(self._at * STEPS_A_SECOND):
            self._at = step / STEPS_A_SECOND
        self.line.at = self._at
        if step != self.step:
            say(self._about, f"step {step} of {len(self.way)}")
            self._shown(self.way, step)
        self.step = step

    @property
    def playing(self) -> bool:
        """Whether the way is played; assign to start or stop."""
        return is_playing(self._clock)

    @playing.setter
    def playing(self, playing: bool) -> None:
        if playing != self.playing:
            set_playing(self._clock, playing)

    # -- what the export is told -------------------------------------------------------------------------------------------
    @property
    def session(self) -> GeneratorSession:
        """What draws."""
        return self._host.session

    @property
    def keyframes(self) -> Sequence[Latent]:
        """Every step."""
        return self._latents

    seconds, ease, closed = 1 / STEPS_A_SECOND, "linear", False

    # -- inside ------------------------------------------------------------------------------------------------------------
    def _on_play(self) -> None:
        if not self.playing and self.way is not None and self.step == len(self.way):
            self._seek(0.0)
        self.playing = not self.playing

    def _on_playing(self, playing: bool) -> None:
        self.line.playing, self._before = playing, self._now()

    def _tick(self) -> None:
        now = self._now()
        passed, self._before = min(now - self._before, LONGEST_TICK), now
        if self.playing and self.way is not None:
            self._at = min(self._at + passed, self.line.length)
            self.go(round(self._at * STEPS_A_SECOND))
            if self._at >= self.line.length:
                self.playing = False

    def _seek(self, seconds: float) -> None:
        self.playing = False  # a hand on the mark and the clock would pull at each other
        self._at = min(max(seconds, 0.0), self.line.length)
        self.go(round(self._at * STEPS_A_SECOND))
