"""The tool "Animate": a film from snapshot to snapshot."""

from __future__ import annotations

import ipywidgets as widgets

from ...kit.host import PictureHost
from ...kit.parts import button, column, row
from .animation import Animator
from .tool import Tool


class Animate(Tool):
    """Only the picture moves: the value stays, so that it can be the other end of the film."""

    name, title = "animate", "Animate"

    def panel(self, host: PictureHost) -> widgets.Widget:
        def use_moment() -> None:
            shown = host.picture.latent
            host.change("", lambda latent: shown or latent)

        animator = Animator(host.session, lambda: host.snapshots, lambda: host.value, host.preview)
        use = button("use this moment", "make the picture that is shown the present state", use_moment)
        return column(animator, row(use))

    def left(self, host: PictureHost) -> None:
        host.preview(host.value)  # away from the film, back to the present state
