"""Drag: points are set on the picture, and the picture goes to them step by step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from ....editing.dragging.choices import choices
from ....editing.dragging.settings import METHOD
from ....jobs import DONE, SLICE
from ....latent.latent import Latent
from ...kit.controls.form import Form
from ...kit.host import PictureHost
from ...kit.jobs import Jobs
from ...kit.parts import ErrorPlace, button, card, control, note, place, row, say
from ...kit.sharing import own
from ...kit.views.brush import Brush
from .drag_points import PointsCard, landmarks
from .drag_sheet import PointSheet
from .drag_way import WayCard
from .tool import Tool

if TYPE_CHECKING:
    from ....editing.dragging import Drag, Way

JOB = "drag"
GO, GO_ON = "drag", "go on"
ENDED = {
    "reached": "Arrived: every point is where it should go.",
    "stalled": "No point came nearer for a while, so it stopped. Move the ends, paint what may move, or take fewer points.",
    "steps": "All steps are done. Press drag to go on from here.",
    "": "Stopped. Go on, or move the points and drag from here.",
}


class DragTool(Tool):
    """Points with arrows on the picture, a mask, and the way that the picture took.

    Attributes: `sheet`, the points on the picture; `brush`, the mask; `points`, `way`, the cards; `form`, the settings; `go`,
    the button; `work`, which drives it; `run`, the drag under way or done last; `place`, where mistakes are told.
    """

    name, title = "drag", "Drag"
    seeds = True
    run: Drag | None = None
    place: ErrorPlace

    def panel(self, host: PictureHost) -> widgets.Widget:
        self._host = host
        self._from = host.value  # what the drag under way began with, or goes on from
        self._fresh, self._dropped, self._last_frame = True, False, 0.0
        self.place = ErrorPlace()
        self.work = Jobs(self.place)
        own(self.work).min_height = None  # no line before there is long work
        shape = np.asarray(host.picture.render(host.value)).shape
        self.sheet = PointSheet(self._touched, (shape[0], shape[1]))
        self.brush = Brush(self._touched, over=True, seen=True, active=False, label="What may move")
        self.points = PointsCard(self.sheet, self.brush, self.place, self._touched)
        tip = "move the picture until every point is at its end; watch it, and stop it whenever you like"
        self.go = button(GO, tip, self.play, view=self.place, icon="play", primary=True)
        self._said = note("")
        self.way = WayCard(host, self.place, self._at)
        self.form = Form(METHOD.settings, reset="usual settings")
        self._suited = note("")
        for made in (self.form.controls[name] for name in ("lr", "layer", "published")):
            made.observe(lambda _: self._say_suited(), "value")
        self._say_suited()
        return place(
            "sw-cards",
            card(self.points, title="Points"),
            self.place,
            card(row(self.go), self.work, self._said, self.way, title="Way"),
            card(self.form, self._suited, title="Settings", words=("w+",)),
        )

    def overlay(self, host: PictureHost) -> widgets.Widget:
        width = {"max_width": f"{host.picture.view.size}px"}  # as wide as the picture, whatever the room beside it
        return control(widgets.Box, [self.brush, self.sheet], layout=width, _dom_classes=("sw-stack",))

    # -- to use ----------------------------------------------------------------------------------------------------------
    def start(self) -> Drag:
        """The drag of the picture in sight by the points on it, of which no step is done yet.

        Raises:
            ValueError: points, a mask, settings or a latent that do not fit; the text says what to do.
        """
        if not len(self.sheet.handles):
            raise ValueError("click on the picture where something is, and then where it should go")
        session, mask = self._host.session, self.points.mask
        made: Any = session.start(
            {
                "kind": "drag",
                "latent": self._host.value.to_dict(),
                "handles": self.sheet.handles.tolist(),
                "targets": self.sheet.targets.tolist(),
                "mask": None if mask is None else session.put(mask),
                "settings": self.form.values,
            }
        )
        return made

    def play(self) -> None:
        """Begin from the picture in sight, or go on with the drag that was stopped."""
        if self.work.busy(JOB):
            self.work.pause()
            return
        if not self._can_go_on():
            self.run = self.start()
        assert self.run is not None
        self._fresh, self._dropped, self._from = False, False, self._host.value
        say(self._said, "")
        self.points.free(False)
        self.work.run(JOB, self.run, words="dragging", kept=True, each=self._watch, ended=self._ended)

    # -- a tool ----------------------------------------------------------------------------------------------------------
    def update(self, host: PictureHost) -> None:
        if self.run is not None and self.work.busy(JOB) and host.value != self._from:
            self._dropped = True  # the picture is another one now: what was found stays unused
            self.work.stop(JOB)
        self.way.update()
        self._name()

    def opened(self, host: PictureHost) -> None:
        self.points.use_brush(False)
        if host.picture.latent is not None:
            self.rested(host, host.picture.latent)

    def left(self, host: PictureHost) -> None:
        self.points.use_brush(False)
        if self.work.busy(JOB):
            host.preview(host.value)  # where it is paused; what goes on shows itself again

    def rested(self, host: PictureHost, latent: Latent) -> None:
        if latent == host.value:
            self.points.suggest(landmarks(host.session, host.picture.render(latent)))

    # -- inside ----------------------------------------------------------------------------------------------------------
    def _say_suited(self) -> None:
        """What the zeros stand for here."""
        try:
            found = choices(self._host.session, self.form.values, max(self.sheet.shape))
        except ValueError as problem:  # told beside the control, too
            say(self._suited, str(problem))
            return
        say(
            self._suited,
            f"Here: step size {found.lr:.2g}, features of {found.layer}, {found.rows} rows of w+ move, discs of "
            f"{found.motion_radius} pixels are pushed, and handles looked for {found.track_radius} pixels around.",
        )

    def _watch(self) -> None:
        """After each step; a frame for each slice of work is enough, and leaves its time to the steps."""
        now = time.monotonic()
        if self.run is None or now - self._last_frame < SLICE:
            return
        self._host.preview(self.run.latent())
        self.sheet.show(self.run.points, self.run.targets)
        self._last_frame = time.monotonic()

    def _ended(self) -> None:
        assert self.run is not None
        self.points.free(True)
        if self._dropped:
            return
        way = self.run.result()
        if way is not None and len(way):
            self.way.show(way)
            self._host.change("", lambda _: way.latent())
        else:
            self._host.preview(self._host.value)
        say(self._said, ENDED["" if way is None else way.ended])
        self._name()

    def _touched(self) -> None:
        """The reader changed points or mask: what was stopped is not gone on with."""
        self._fresh = True
        self.points.tell()
        self._name()

    def _can_go_on(self) -> bool:
        run = self.run
        if run is None or self._fresh or self.work.busy(JOB) or run.status == DONE or not run.step:
            return False
        return bool(self._host.value == run.latent()) and run.settings == self.form.values

    def _name(self) -> None:
        words = GO_ON if self._can_go_on() else GO
        if self.go.description != words:
            self.go.description = words

    def _at(self, way: Way, step: int) -> None:
        """The way is shown at this step: the points are where they were found then."""
        self.sheet.show(way.points[step], way.targets)
