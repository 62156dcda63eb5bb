"""How InversionViewer is laid out: target, pictures and method, then curves, runs, edits, mask and files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property, partial

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ...jobs import RUNNING
from ...settings import Value
from ..kit.errors import reporting
from ..kit.jobs import Jobs
from ..kit.parts import NOTE, button, close_tree, column, control, heading, note, quiet, row, say, show
from ..kit.sharing import own
from ..kit.tabs import Tabs
from .attempt import Attempt
from .curves import curves
from .host import InversionHost
from .results import EditsPanel, RunsPanel, SendPanel
from .settings import MethodPanel
from .target import MaskPanel, TargetPanel

LOSS, RUNS, EDITS, MASK, SEND = "Loss", "Runs", "Edit all results", "Mask", "Open, save, code"
CURVE_SECONDS = 0.5


class InversionPanels:
    """All controls of a viewer. `parts` are what it shows."""

    def __init__(self, host: InversionHost, work: Jobs, method: str, settings: Mapping[str, Value]) -> None:
        self._host, self._drawn_at = host, 0.0
        self._target_picture: NDArray[np.uint8] | None = None
        self.method = MethodPanel(host.session, method, settings)
        self.curve = control(widgets.HTML, curves((), 1), layout=NOTE)
        self.line = note("")
        act = partial(button, view=host.view)
        self._start = act("start", "begin a new run with this method and these settings", host.start)
        self._start.button_style = "primary"
        self._pause = act("pause", "pause, or go on (space on the picture)", host.toggle)
        self._stop = act("stop", "end the run here and keep what it found", host.stop)
        self._fork = act("fork", "a second run from here on, with the settings as they are now", host.fork)
        self._left = column(
            host.view,
            row(self._start, self._pause, self._stop, self._fork),
            self.line,
            work,
            flex="1 1 420px",
            min_width="0",
        )
        panels: dict[str, Callable[[], widgets.Widget]] = {
            LOSS: lambda: self.curve,
            RUNS: lambda: self.runs,
            EDITS: partial(EditsPanel, host),
            MASK: lambda: self.mask,
            SEND: partial(SendPanel, host),
        }
        self._switcher = Tabs(panels, self._on_show)
        right = column(heading("Method"), self.method, flex="1 1 300px", min_width="0")
        both = row(self._left, right, align_items="flex-start", width="100%")
        self.parts = (heading("Target"), TargetPanel(host), both, self._switcher)

    # -- made when they are needed -------------------------------------------------------------------------------------
    @cached_property
    def mask(self) -> MaskPanel:
        """The brush."""
        made = MaskPanel()
        if self._target_picture is not None:
            made.pad.show_picture(self._target_picture)
        return made

    @cached_property
    def runs(self) -> RunsPanel:
        """The table."""
        return RunsPanel(self._host)

    @cached_property
    def _picture(self) -> widgets.Dropdown:
        """A menu of the pictures of a target, where there are several."""
        made = control(
            widgets.Dropdown,
            tip="which of the pictures is shown; all are inverted at once",
            on=self._on_picture,
            view=self._host.view,
            style={"description_width": "52px"},
            layout={"width": "220px"},
            description="picture",
        )
        view, *others = self._left.children
        self._left.children = (view, made, *others)
        return made

    @cached_property
    def way(self) -> widgets.IntSlider:
        """A slider over the steps on the way."""
        made = control(
            widgets.IntSlider,
            0,
            tip="look at steps on the way there; at the right end is the result",
            on=self._on_way,
            view=self._host.view,
            style={"description_width": "48px"},
            layout={"width": "calc(100% - 12px)", "max_width": "508px"},  # the knob is wider than its track
            min=0,
            max=1,
            description="rewind",
            readout=False,
            continuous_update=True,
        )
        self._way_words = note("")
        self._left.children += (made, self._way_words)
        return made

    # -- bringing up to date -------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Buttons, table, strip and curve to the shown run as it is."""
        current = self._host.current
        running = current is not None and current.state == RUNNING
        self._pause.description = "pause" if running or current is None or not current.can_go_on else "go on"
        self._pause.disabled = not (running or (current is not None and current.can_go_on))
        self._stop.disabled = not running
        self._fork.disabled = current is None or current.run is None
        self._refresh_runs()
        self._show_frames(current)
        self.progress(current, now=True)
        if (send := self._switcher.shown(SEND)) is not None:
            send.state.refresh()
        if (edits := self._switcher.shown(EDITS)) is not None and not running:
            edits.refresh()

    def progress(self, current: Attempt | None, now: bool = False) -> None:
        """The line and, now and then, curve and table."""
        say(self.line, _line(current))
        clock = time.monotonic()
        if now or clock - self._drawn_at >= CURVE_SECONDS:
            self._drawn_at = clock
            run = None if current is None else current.run
            history = () if current is None else (run.history if run is not None else current.result.history)
            text = curves(history, current.total if current is not None else 1)
            if text != self.curve.value:
                self.curve.value = text
            if not now:
                self._refresh_runs()

    def show_target(self, names: tuple[str, ...]) -> None:
        """Another target: nothing is painted, and where it has several pictures there is a menu of them."""
        if "mask" in self.__dict__:
            self.mask.paint(None)
        if len(names) < 2 and "_picture" not in self.__dict__:
            return
        with quiet(self._picture):
            self._picture.options = [(name, k) for k, name in enumerate(names)]
            self._picture.value = 0
        show(self._picture, len(names) > 1)

    def show_picture(self, picture: NDArray[np.uint8]) -> None:
        """Put the target's picture uint8 [H, W, 3] under the brush."""
        self._target_picture = picture
        if "mask" in self.__dict__:
            self.mask.pad.show_picture(picture)

    def painted(self, side: int) -> NDArray[np.float32] | None:
        """See `MaskPanel.mask`."""
        return self.mask.mask(side) if "mask" in self.__dict__ else None

    def close(self) -> None:
        """Close what may not be in the tree."""
        close_tree(self.curve, *(self.__dict__[name] for name in ("mask", "runs") if name in self.__dict__))

    # -- events --------------------------------------------------------------------------------------------------------
    def _refresh_runs(self) -> None:
        if self._switcher.shown(RUNS) is not None:
            self.runs.refresh()

    def _show_frames(self, current: Attempt | None) -> None:
        if current is None and "way" not in self.__dict__:
            return
        frames = [] if current is None or current.run is None else current.run.frames
        shown = len(frames) > 1
        for part in (self.way, self._way_words):
            show(part, current is not None)
            own(part).visibility = "visible" if shown else "hidden"  # its place stays, so that nothing below jumps
        say(self._way_words, f"steps kept: {frames[0].step} to {frames[-1].step}" if shown else "no steps kept yet")
        if shown:
            with quiet(self.way):
                self.way.max = self.way.value = len(frames)  # its right end is the result itself, not a frame

    def _on_way(self, place: int) -> None:
        self._host.scrub(None if place >= self.way.max else int(place))

    def _on_picture(self, index: int | None) -> None:
        if index is not None:
            self._host.show_picture(int(index))

    def _on_show(self, name: str) -> None:
        panel: widgets.Widget = self._switcher.made(name)
        with reporting(self._host.view):
            if name == SEND:
                panel.state.refresh()
            elif name in (RUNS, EDITS):
                panel.refresh()


def _line(current: Attempt | None) -> str:
    """What the run is at: steps, time a step, time left, loss."""
    if current is None:
        return "Choose a target and a method, then start."
    words = [f"run {current.number}, {current.method}: {current.state}", f"step {current.step} of {current.total}"]
    run = current.run
    if run is not None and run.step:
        pace = run.seconds / run.step
        words.append(f"{pace:.2f} s a step" if pace >= 0.1 else f"{1000 * pace:.0f} ms a step")
        if current.state == RUNNING and run.step > 1:
            words.append(f"{_duration(pace * (run.total - run.step))} left")
        if run.history and "loss" in run.history[-1]:
            words.append(f"loss {run.history[-1]['loss']:.4g}")
    if "psnr" in current.figures and current.state != RUNNING:
        words.append(f"PSNR {current.figures['psnr']:.1f} dB")
    return " · ".join(words)


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )
