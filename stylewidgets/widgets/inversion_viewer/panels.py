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
from ..kit.opening import Beside
from ..kit.parts import NOTE, button, close_tree, column, control, heading, note, place, quiet, say, show
from ..kit.sharing import own
from ..kit.source_note import source_note
from ..kit.tabs import Tabs
from ..kit.views.toolbar import Action, Toolbar
from .attempt import Attempt
from .curves import curves
from .host import InversionHost
from .realism import sentence
from .results import EditsPanel, RunsPanel, SendPanel, title_of
from .settings import MethodPanel
from .target import MaskPanel, TargetPanel

RUNS, LOSS, EDITS, MASK, SEND = "Runs", "Curve", "Edit all results", "Part that counts", "Save & code"
CURVE_SECONDS = 0.5
SOURCED = (
    "A source decides whom this generator draws, and no code of it is another person: a run can change colours and texture of "
    "the first source in its own pose, and does not find whom a photograph shows. To draw somebody, give a source: "
    "session.put(...)."
)
"""What it cannot do where a generator draws a source."""
WORDS = ("inversion", "latent", "w", "w+", "distortion", "realism", "editability")
"""What a newcomer may not know of the methods and their figures."""


class InversionPanels:
    """All controls of a viewer. `parts` are what it shows."""

    def __init__(self, host: InversionHost, work: Jobs, method: str, settings: Mapping[str, Value]) -> None:
        self._host, self._drawn_at, self._all_terms = host, 0.0, False
        self._target_picture: NDArray[np.uint8] | None = None
        self.method = MethodPanel(host.session, method, settings)
        self.line, self.realism = note(""), note("")
        self.bar = Toolbar(
            [
                Action(
                    "start",
                    "begin a new run with this method and these settings",
                    host.start,
                    text="Start",
                    primary=True,
                ),
                Action("pause", "pause, or go on (space on the picture)", host.toggle, text="pause"),
                Action("stop", "end the run here and keep what it found", host.stop, text="stop"),
                Action("fork", "a second run from here on, with the settings as they are now", host.fork, text="fork"),
                Action(
                    "explore", "go on with this result in an explorer beside the viewer", self._explore, text="explore"
                ),
            ],
            host.view,
            label="the run",
        )
        self._left = place(
            "sw-viewer-left", *source_note(host.session, SOURCED), host.view, self.bar, self.line, self.realism, work
        )
        panels: dict[str, Callable[[], widgets.Widget]] = {
            RUNS: lambda: self.runs,
            LOSS: lambda: self._curves,
            EDITS: partial(EditsPanel, host),
            MASK: lambda: self.mask,
            SEND: partial(SendPanel, host, self._open),
        }
        self._switcher = Tabs(panels, self._on_show)
        self.target = TargetPanel(host)
        right = place(
            "sw-viewer-right", heading("Method", *WORDS), self.method, heading("Target", "target"), self.target
        )
        top = place("sw-viewer-top", self._left, right)
        self._root = place("sw-with-guest", place("sw-home", top, self._switcher))
        self.parts = (self._root,)

    # -- made when they are needed -------------------------------------------------------------------------------------
    @cached_property
    def beside(self) -> Beside:
        """The place for a widget that is opened from here."""
        made = Beside(self._host.view)
        self._root.children += (made,)
        return made

    @cached_property
    def curve(self) -> widgets.HTML:
        """How far the result is from the target, over the steps."""
        return control(widgets.HTML, curves((), 1), layout=NOTE)

    @cached_property
    def _curves(self) -> widgets.VBox:
        self._whole = button(
            "all terms",
            "every part of what the method minimises, or the one that says most",
            self._more,
            layout={"align_self": "flex-start"},
        )
        return column(self.curve, self._whole)

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
        goes = running or current is None or not current.can_go_on
        self.bar.change(
            pause={
                "text": "pause" if goes else "go on",
                "disabled": not (running or (current is not None and current.can_go_on)),
            },
            stop={"disabled": not running},
            fork={"disabled": current is None or current.run is None},
            explore={"disabled": running or current is None or not current.step},
        )
        self.realism.value = "" if current is None or running else sentence(current.figures)
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
            if "curve" in self.__dict__:
                text = curves(history, current.total if current is not None else 1, self._all_terms)
                if text != self.curve.value:
                    self.curve.value = text
            if not now:
                self._refresh_runs()

    def show_target(self, names: tuple[str, ...]) -> None:
        """Another target: nothing is painted, and where it has several pictures there is a menu of them."""
        self.target.tell(self._host.target)
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

    def painted(self, size: tuple[int, int]) -> NDArray[np.float32] | None:
        """See `MaskPanel.mask`."""
        return self.mask.mask(size) if "mask" in self.__dict__ else None

    def close(self) -> None:
        """Close what may not be in the tree."""
        close_tree(*(self.__dict__[name] for name in ("mask", "runs") if name in self.__dict__))

    def _more(self) -> None:
        self._all_terms = not self._all_terms
        self._whole.description = "the main term" if self._all_terms else "all terms"
        self.progress(self._host.current, now=True)

    def _explore(self) -> None:
        self._open(self._host.explorer())

    def _open(self, opened: widgets.Widget) -> None:
        current = self._host.current
        self.beside.open_here(opened, "" if current is None else f"Result of run {current.number}")

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
            elif name == LOSS:
                self.progress(self._host.current, now=True)


def _line(current: Attempt | None) -> str:
    """What the run is at: steps, time a step, time left, loss."""
    if current is None:
        return "Choose a target and a method, then press Start."
    words = [
        f"run {current.number}, {title_of(current)}: {current.state}",
        f"step {current.step} of {current.total}",
    ]
    run = current.run
    if run is not None and run.step:
        pace = run.seconds / run.step
        words.append(f"{pace:.2f} s a step" if pace >= 0.1 else f"{1000 * pace:.0f} ms a step")
        if current.state == RUNNING and run.step > 1:
            words.append(f"{_duration(pace * (run.total - run.step))} left")
        if run.history and "loss" in run.history[-1]:
            words.append(f"loss {run.history[-1]['loss']:.4g}")
    if "psnr" in current.figures and current.state != RUNNING:
        words.append(f"closeness {current.figures['psnr']:.1f}\u00a0dB")
    return " · ".join(words)


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )
