"""How InversionViewer is laid out: target, pictures and method, then curves, runs, edits, mask and files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...jobs import RUNNING
from ..kit.compat import button, set_tooltip
from ..kit.jobs import Jobs
from ..kit.parts import STYLE, close_tree, column, heading, note, row, say, show
from ..kit.state_panel import StatePanel
from ..kit.switcher import Switcher
from .attempt import Attempt
from .curves import curves
from .results import EditsPanel, RunsPanel, SendPanel, labelled
from .settings import MethodPanel
from .target import MaskPanel, TargetPanel

if TYPE_CHECKING:
    from .viewer import InversionViewer

LOSS, RUNS, EDITS, MASK, SEND = "Loss", "Runs", "Edit all results", "Mask", "Open, save, code"
CURVE_SECONDS = 0.5


class InversionPanels:
    """All controls of a viewer. `root` is what it shows."""

    def __init__(
        self,
        owner: InversionViewer,
        work: Jobs,
        method: str,
        settings: dict[str, Any],
        guard: Callable[[Callable[[], Any]], None],
    ) -> None:
        self._owner, self._guard, self._syncing, self._drawn_at = owner, guard, False, 0.0
        self.target = TargetPanel(owner.session, owner.set_target, guard)
        self.method = MethodPanel(owner.session, method, settings)
        self.mask = MaskPanel()
        self.runs = RunsPanel(owner, guard)
        self.curve = widgets.HTML(curves((), 1), layout=widgets.Layout(width="100%", max_width="580px"))
        self.line = note("")
        self._picture = labelled(("target",))
        self._picture.observe(self._on_picture, "value")
        self.way = widgets.IntSlider(
            0,
            min=0,
            max=1,
            description="rewind",
            readout=False,
            continuous_update=True,
            style={"description_width": "48px"},
            layout=widgets.Layout(width="calc(100% - 12px)", max_width="508px"),  # the knob is wider than its track
        )
        set_tooltip(self.way, "look at steps on the way there; at the right end is the result")
        self.way.observe(self._on_way, "value")
        self._way_words = note("")
        self._switcher = Switcher(
            {
                LOSS: lambda: self.curve,
                RUNS: lambda: self.runs,
                EDITS: lambda: EditsPanel(owner, guard),
                MASK: lambda: self.mask,
                SEND: self._make_send,
            },
            self._on_show,
        )
        self.root = self._layout(work)

    # -- layout --------------------------------------------------------------------------------------------------------
    def _layout(self, work: Jobs) -> widgets.VBox:
        owner = self._owner
        self._start = self._button("start", "begin a new run with this method and these settings", owner.start, "70px")
        self._start.button_style = "primary"
        self._pause = self._button("pause", "pause, or go on (space on the picture)", owner.toggle, "70px")
        self._stop = self._button("stop", "end the run here and keep what it found", owner.stop, "60px")
        self._fork = self._button(
            "fork", "a second run from here on, with the settings as they are now", owner.fork, "60px"
        )
        left = column(
            owner.view,
            self._picture,
            row(self._start, self._pause, self._stop, self._fork),
            self.line,
            work,
            self.way,
            self._way_words,
            flex="1 1 420px",
            min_width="0",
        )
        right = column(heading("Method"), self.method, flex="1 1 300px", min_width="0")
        return column(
            widgets.HTML(STYLE, layout=widgets.Layout(display="none")),
            heading("Target"),
            self.target,
            row(left, right, align_items="flex-start", width="100%"),
            self._switcher,
            width="100%",
        )

    def _button(self, text: str, tooltip: str, action: Callable[[], Any], width: str) -> widgets.Button:
        return button(text, tooltip, lambda: self._guard(action), width)

    def _make_send(self) -> SendPanel:
        owner = self._owner
        state = StatePanel(owner.save, owner.load, owner.code, owner.view, "inversion.safetensors")
        state.refresh()
        return SendPanel(owner, state, self._guard)

    @property
    def edits(self) -> EditsPanel | None:
        """The panel of edits if it was opened."""
        made: EditsPanel | None = self._switcher.made(EDITS)
        return made

    # -- bringing up to date -------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Buttons, table, strip and curve to the shown run as it is."""
        current = self._owner.current
        self._syncing = True
        try:
            running = current is not None and current.state == RUNNING
            self._pause.description = "pause" if running or current is None or not current.can_go_on else "go on"
            self._pause.disabled = not (running or (current is not None and current.can_go_on))
            self._stop.disabled = not running
            self._fork.disabled = current is None or current.run is None
            self.runs.refresh()
            self._show_frames(current)
        finally:
            self._syncing = False
        self.progress(current, now=True)
        send = self._switcher.made(SEND)
        if send is not None and self._switcher.selected == SEND:
            send.state.refresh()
        if self.edits is not None and self._switcher.selected == EDITS and not running:
            self.edits.refresh()

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
            if not now and self._switcher.selected == RUNS:
                self.runs.refresh()

    def show_target(self, names: tuple[str, ...]) -> None:
        """The menu of pictures, where there are several."""
        self._syncing = True
        try:
            self._picture.options = [(name, k) for k, name in enumerate(names)]
            self._picture.value = 0
            show(self._picture, len(names) > 1)
        finally:
            self._syncing = False

    def close(self) -> None:
        """Close what is not in the tree."""
        self._switcher.close_panels()
        close_tree(self.mask, self.runs, self.curve)

    # -- events --------------------------------------------------------------------------------------------------------
    def _show_frames(self, current: Attempt | None) -> None:
        frames = [] if current is None or current.run is None else current.run.frames
        shown = len(frames) > 1
        for part in (self.way, self._way_words):
            show(part, current is not None)
            part.layout.visibility = "visible" if shown else "hidden"  # its place stays, so that nothing below jumps
        say(self._way_words, f"steps kept: {frames[0].step} to {frames[-1].step}" if shown else "no steps kept yet")
        if shown:
            self.way.max = len(frames)
            self.way.value = len(frames)  # its right end is the result itself, not a frame

    def _on_way(self, event: Any) -> None:
        if not self._syncing:
            self._guard(lambda: self._owner.scrub(None if event["new"] >= self.way.max else int(event["new"])))

    def _on_picture(self, event: Any) -> None:
        if not self._syncing and event["new"] is not None:
            self._guard(lambda: self._owner.show_picture(int(event["new"])))

    def _on_show(self, name: str) -> None:
        if name == SEND:
            self._switcher.made(SEND).state.refresh()  # type: ignore[union-attr]
        elif name == RUNS:
            self.runs.refresh()
        elif name == EDITS:
            self._guard(self.edits.refresh)  # type: ignore[union-attr]


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
