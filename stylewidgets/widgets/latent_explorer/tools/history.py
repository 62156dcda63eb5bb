"""The tool "History": what was kept, and where one was."""

from __future__ import annotations

from collections import deque

import ipywidgets as widgets

from ....latent.latent import Latent
from ...kit.controls.snapshots import SnapshotStrip
from ...kit.host import PictureHost
from ...kit.parts import button, column, note, row
from ...kit.state_lock import STATE
from .tool import Tool

THUMBNAIL = 96
STEPS = 24


class HistoryTool(Tool):
    """Attribute: `steps`, the strip of the states that were left."""

    name, title = "history", "History"

    def __init__(self) -> None:
        # Pictures of the steps wait here until somebody looks: their widgets would hold up the first frame of a drag.
        self._waiting: deque[tuple[Latent, bytes]] = deque(maxlen=STEPS)

    def panel(self, host: PictureHost) -> widgets.Widget:
        def picture(latent: Latent) -> bytes:
            kept = dict(self._waiting).get(latent)
            return kept or host.picture.thumbnail(latent, THUMBNAIL)

        self.steps = SnapshotStrip(
            picture,
            lambda latent: host.change("", lambda _: latent),
            STEPS,
            newest_first=True,
            movable=False,
            empty="nothing has changed yet",
        )
        keep = button("snapshot", "keep this state (key s)", host.snapshot, view=host.view)
        return column(row(note("snapshots"), keep), host.strip, note("where you were, newest first"), self.steps)

    def opened(self, host: PictureHost) -> None:
        """Move what waits into the strip, each state once."""
        known = set(self.steps.items)
        for latent in dict.fromkeys(latent for latent, _ in self._waiting):
            if latent not in known:
                self.steps.add(latent)
        self._waiting.clear()

    def stepped(self, host: PictureHost, old: Latent) -> None:
        self._waiting.append((old, host.picture.thumbnail(old, THUMBNAIL)))
        if self.shown:
            STATE.afterwards(id(self), lambda: self.opened(host))
