"""Playing from snapshot to snapshot, and exporting the film."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....film.video import check_film, latent_at, segments
from ...kit.compat import is_playing, observe_playing, repeats, set_playing, set_repeat
from ...kit.errors import describe
from ...kit.parts import control, note, quiet, row, say
from ...kit.sharing import shared_layout
from .export_panel import ExportPanel

if TYPE_CHECKING:
    from ....latent.latent import Latent
    from ....session.session import GeneratorSession

TICK_MS = 33
"""Time between two ticks of the browser's clock, at least. It only says when to look at the time, so a slow kernel or
page makes the picture skip, and a segment still lasts as long as it should."""

LONGEST_TICK = 1.0
"""Seconds of film for one tick at most: after a cell that took minutes the film goes on where it was."""

ENDLESS = 10**6
UNITS_PER_SECOND = 100
SPEEDS = {"¼ ×": 0.25, "½ ×": 0.5, "1 ×": 1.0, "2 ×": 2.0, "4 ×": 4.0}
EASE_LABELS = {"smooth: slow at each snapshot": "smooth", "linear: even": "linear"}


class Animator(widgets.VBox):
    """Moves a picture from snapshot to snapshot: play, pause, speed, a slider over time, and export of the film.

    Args:
        session: interpolates and renders; see `GeneratorSession`.
        snapshots: returns the keyframes. Asked again whenever playing, scrubbing or exporting starts.
        current: returns the present latent; it joins a single snapshot as the second keyframe.
        show: called with each latent to be shown, at most once for each tick of the browser's clock.
        folder: where exported files go; the current folder unless given.

    The clock is an `ipywidgets.Play`, which ticks in the browser: every picture is sent inside the message of a tick,
    which is what shows on every kernel, and pause works while the kernel is busy.
    """

    def __init__(
        self,
        session: GeneratorSession,
        snapshots: Callable[[], Sequence[Latent]],
        current: Callable[[], Latent],
        show: Callable[[Latent], None],
        *,
        folder: str | Path = ".",
    ) -> None:
        self._session, self._snapshots, self._current, self._show = session, snapshots, current, show
        self._film: tuple[Latent, ...] = ()
        self._now: Callable[[], float] = time.monotonic
        self._last_tick = 0.0
        self._seconds_shown = 0.0
        self._make_controls()
        self.export_panel = ExportPanel(self, folder)
        super().__init__(
            [
                row(self._play, self._scrub, self._time),
                row(self._seconds, self._speed, self._ease, self._closed),
                self._note,
                self.export_panel,
            ],
            layout=shared_layout(max_width="100%"),
        )
        self._resize()
        self.refresh()

    # -- what others use --------------------------------------------------------------------------------------------------

    @property
    def session(self) -> GeneratorSession:
        """What interpolates and renders."""
        return self._session

    @property
    def keyframes(self) -> tuple[Latent, ...]:
        """The snapshots; when there is only one, the present latent is the second."""
        found = tuple(self._snapshots())
        return (*found, self._current()) if len(found) == 1 else found

    @property
    def seconds(self) -> float:
        """Time from one snapshot to the next at speed 1."""
        return float(self._seconds.value)

    @property
    def ease(self) -> str:
        """ "smooth" or "linear"."""
        return str(self._ease.value)

    @property
    def closed(self) -> bool:
        """Whether the film returns to its first snapshot."""
        return bool(self._closed.value)

    @property
    def speed(self) -> float:
        """Playing speed; exported films have speed 1 unless their seconds are changed."""
        return float(self._speed.value)

    @property
    def playing(self) -> bool:
        """Whether the browser's clock runs; assign to start or pause."""
        return is_playing(self._play)

    @playing.setter
    def playing(self, playing: bool) -> None:
        set_playing(self._play, playing)

    def refresh(self) -> None:
        """Look at the snapshots again; called when playing, scrubbing or exporting starts."""
        self._film = self.keyframes
        self._resize()
        count = len(self._film)
        say(self._note, "take two snapshots, then play between them" if count < 2 else f"{count} keyframes")

    def seek(self, seconds: float) -> None:
        """Show the film at this time."""
        self.refresh()
        self._go(min(max(seconds, 0.0), self._length))

    # -- controls ---------------------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self._play = control(
            widgets.Play,
            tip="play, pause, back to the start",
            on=self._on_tick,
            min=0,
            max=ENDLESS,
            value=0,
            interval=TICK_MS,
        )
        set_repeat(self._play, True)
        observe_playing(self._play, self._on_playing)
        self._scrub = control(
            widgets.IntSlider,
            tip="where in the film the picture is",
            on=self._on_scrub,
            style={"description_width": "36px"},
            layout={"width": "260px", "max_width": "100%"},
            min=0,
            max=1,
            description="time",
            readout=False,
        )
        self._time = control(widgets.Label)
        self._seconds = control(
            widgets.BoundedFloatText,
            2.0,
            tip="time from one snapshot to the next, in seconds",
            on=lambda _: self.refresh(),
            style={"description_width": "112px"},
            layout={"width": "190px"},
            min=0.1,
            max=600,
            step=0.5,
            description="seconds for each",
        )
        self._speed = control(
            widgets.Dropdown,
            style={"description_width": "44px"},
            layout={"width": "120px"},
            options=list(SPEEDS.items()),
            value=1.0,
            description="speed",
        )
        self._ease = control(
            widgets.Dropdown,
            style={"description_width": "50px"},
            layout={"width": "270px"},
            options=list(EASE_LABELS.items()),
            description="motion",
        )
        self._closed = control(
            widgets.Checkbox,
            tip="go on from the last snapshot to the first",
            on=lambda _: self.refresh(),
            layout={"width": "auto", "margin": "2px 8px"},
            description="closed loop",
            indent=False,
        )
        self._note = note("")

    @property
    def _length(self) -> float:
        """Seconds of the whole film."""
        return self.seconds * max(1, segments(len(self._film), self.closed))

    def _resize(self) -> None:
        """Fit the slider to the film's length."""
        with quiet(self._scrub):
            self._scrub.max = max(1, round(self._length * UNITS_PER_SECOND))
        self._say_time()

    def _say_time(self) -> None:
        self._time.value = f"{self._scrub.value / UNITS_PER_SECOND:.1f} / {self._length:.1f} s"

    # -- events -----------------------------------------------------------------------------------------------------------

    def _on_playing(self, change: Mapping[str, bool]) -> None:
        if change["new"]:
            self._last_tick = self._now()
            self.refresh()
            if len(self._film) < 2:
                self.playing = False

    def _on_tick(self, tick: int) -> None:
        now = self._now()
        passed, self._last_tick = min(now - self._last_tick, LONGEST_TICK), now
        if self.playing:
            self._advance(passed * self.speed)
        elif tick == 0:  # the stop button of Play: paused, and back to the start
            self.seek(0.0)

    def _on_scrub(self, _: int) -> None:
        self.playing = False  # a hand on the slider and the clock would pull at each other
        self.refresh()
        self._go(self._scrub.value / UNITS_PER_SECOND)

    def _advance(self, seconds: float) -> None:
        target = self._seconds_shown + seconds
        if target >= self._length:
            if self.closed or repeats(self._play):
                target %= self._length
            else:
                self.playing, target = False, self._length
        self._go(target)

    def _go(self, seconds: float) -> None:
        if len(self._film) < 2:
            return
        self._seconds_shown = seconds
        with quiet(self._scrub):
            self._scrub.value = round(seconds * UNITS_PER_SECOND)
        self._say_time()
        try:
            check_film(len(self._film), 1, self.seconds, self.ease)
            self._show(latent_at(self._session, self._film, seconds / self.seconds, self.ease, self.closed))
        except Exception as error:  # noqa: BLE001  the edge of a callback: shown here, and the clock stops
            self.playing = False
            say(self._note, describe(error))
