"""Playing from snapshot to snapshot, and exporting the film."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....film.video import check_film, latent_at, segments
from ....latent.caption import caption
from ....settings import Setting
from ...kit.compat import is_playing, observe_playing, set_playing
from ...kit.controls.number import NumberBox
from ...kit.errors import describe
from ...kit.parts import button, control, empty, note, row, say
from ...kit.sharing import shared_layout
from ...kit.views.timeline import Timeline
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
SPEEDS = {"¼ ×": 0.25, "½ ×": 0.5, "1 ×": 1.0, "2 ×": 2.0, "4 ×": 4.0}
EASE_LABELS = {"rest at each face": "smooth", "even": "linear"}
SECONDS = Setting("seconds", 2.0, "seconds from one snapshot to the next", low=0.1, high=600)
FIELD, PLACE = {"description_width": "92px"}, {"width": "250px", "max_width": "100%"}
"""Of what is typed or chosen: labels and boxes stand below each other where it is narrow, and in columns where it is not."""

AGAIN, ONCE, ROUND = "again", "once", "round"
ENDS = {"start again": AGAIN, "stop": ONCE, "go on to the first face": ROUND}
"""What a film does at its end: one choice, where there were two that got in each other's way."""


class Animator(widgets.VBox):
    """Moves a picture from snapshot to snapshot: play, pause, speed, a slider over time, and export of the film.

    Args:
        session: interpolates and renders; see `GeneratorSession`.
        snapshots: returns the keyframes. Asked again whenever playing, scrubbing or exporting starts.
        current: returns the present latent; it joins a single snapshot as the second keyframe.
        show: called with each latent to be shown, at most once for each tick of the browser's clock.
        folder: where exported files go; the current folder unless given.
        thumbnail: returns the encoded small picture of a latent, for the line of pictures; None for none.
        keep: what the button does that stands there while there are no two snapshots; None for no button.

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
        thumbnail: Callable[[Latent], bytes] | None = None,
        keep: Callable[[], object] | None = None,
    ) -> None:
        self._thumbnail, self._keep = thumbnail, keep
        self._session, self._snapshots, self._current, self._show = session, snapshots, current, show
        self._film: tuple[Latent, ...] = ()
        self._now: Callable[[], float] = time.monotonic
        self._last_tick = 0.0
        self._seconds_shown = 0.0
        self._make_controls()
        self.export_panel = ExportPanel(self, folder)
        self._settings = row(self._seconds, self._speed, self._ease, self._end)
        super().__init__(
            [
                self._empty,
                self._line,
                self._note,
                self._settings,
                self.export_panel,
                self._play,
            ],
            layout=shared_layout(max_width="100%"),
        )
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
        return bool(self._end.value == ROUND)

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
        film = self.keyframes
        if film != self._film or not self._line.pictures:
            self._film = film
            with self._line.hold_sync():
                ends = film[:1] if self.closed else ()
                self._line.cards = [self._words(latent) for latent in (*film, *ends)]
                self._line.pictures = [self._picture(latent) for latent in (*film, *ends)]
        self._line.length = self._length
        ready = len(film) >= 2
        for part in (self._line, self._settings, self.export_panel):  # nothing to set where nothing plays
            (part.remove_class if ready else part.add_class)("sw-away")
        (self._empty.add_class if ready else self._empty.remove_class)("sw-away")
        say(self._note, "")

    def seek(self, seconds: float) -> None:
        """Show the film at this time."""
        self.refresh()
        self._go(min(max(seconds, 0.0), self._length))

    # -- controls ---------------------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self._play = control(widgets.Play, on=self._on_tick, min=0, max=ENDLESS, value=0, interval=TICK_MS,
                             layout={"display": "none"})  # fmt: skip
        observe_playing(self._play, self._on_playing)
        self._line = Timeline(layout=shared_layout())
        self._line.on_play, self._line.on_seek = self._on_play, self._on_scrub
        self._line.on_first = self._on_first
        keep = [button("keep this face", "keep the present face as a snapshot", self._on_keep, icon="snapshot")]
        self._empty = empty(
            "A film goes from snapshot to snapshot. Keep two faces, then play between them.",
            *(keep if self._keep else ()),
        )
        self._seconds = NumberBox(SECONDS, on=lambda _: self.refresh(), style=FIELD, layout=PLACE)
        self._speed = control(
            widgets.Dropdown,
            style=FIELD,
            layout=PLACE,
            options=list(SPEEDS.items()),
            value=1.0,
            description="speed",
        )
        self._ease = control(
            widgets.Dropdown,
            tip="whether the motion is slow near each snapshot, or even throughout",
            style=FIELD,
            layout=PLACE,
            options=list(EASE_LABELS.items()),
            description="motion",
        )
        self._end = control(
            widgets.Dropdown,
            tip="what the film does at its end",
            on=lambda _: self._on_end(),
            style=FIELD,
            layout=PLACE,
            options=list(ENDS.items()),
            description="at the end",
        )
        self._note = note("")

    @property
    def _length(self) -> float:
        """Seconds of the whole film."""
        return self.seconds * max(1, segments(len(self._film), self.closed))

    def _words(self, latent: Latent) -> str:
        return caption(latent) if self._thumbnail else ""

    def _picture(self, latent: Latent) -> bytes:
        return self._thumbnail(latent) if self._thumbnail else b""

    # -- events -----------------------------------------------------------------------------------------------------------

    def _on_playing(self, change: Mapping[str, bool]) -> None:
        self._line.playing = change["new"]
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

    def _on_play(self) -> None:
        self.playing = not self.playing

    def _on_first(self) -> None:
        self.playing = False
        self.seek(0.0)

    def _on_keep(self) -> None:
        if self._keep is not None:
            self._keep()
        self.refresh()

    def _on_end(self) -> None:
        self._film = ()  # the first picture is also the last, or is so no longer
        self.refresh()

    def _on_scrub(self, seconds: float) -> None:
        self.playing = False  # a hand on the mark and the clock would pull at each other
        self.seek(seconds)

    def _advance(self, seconds: float) -> None:
        target = self._seconds_shown + seconds
        if target >= self._length:
            if self._end.value != ONCE:
                target %= self._length
            else:
                self.playing, target = False, self._length
        self._go(target)

    def _go(self, seconds: float) -> None:
        if len(self._film) < 2:
            return
        self._seconds_shown = seconds
        self._line.at = seconds
        try:
            check_film(len(self._film), 1, self.seconds, self.ease)
            self._show(latent_at(self._session, self._film, seconds / self.seconds, self.ease, self.closed))
        except Exception as error:  # noqa: BLE001  the edge of a callback: shown here, and the clock stops
            self.playing = False
            say(self._note, describe(error))
