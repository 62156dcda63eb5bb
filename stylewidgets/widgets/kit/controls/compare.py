"""Comparing with the start: hold to see it, go back to it, or make the present state the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import reporting
from ..views.toolbar import Action

if TYPE_CHECKING:
    from ....latent.latent import Latent
    from ..views.view import LiveView


class HoldToCompare:
    """The actions "set start" and "back to start", and the picture that the view shows while its button is held.

    Args:
        png: returns the picture of a latent as PNG.
        view: a `LiveView`; its trait `compare` gets the start's picture, its `error` what goes wrong.
        current: returns the present latent; it is the first start.
        go: goes to a latent.

    The picture is drawn when the start changes, never while the button is held.
    """

    def __init__(
        self,
        png: Callable[[Latent], bytes],
        view: LiveView,
        current: Callable[[], Latent],
        go: Callable[[Latent], None],
    ) -> None:
        self._png, self._view, self._current, self._go = png, view, current, go
        self._start = current()
        self.on_start: Callable[[], object] | None = None  # called when there is another start
        self.actions = (
            Action("back", "back to the start", self.back_to_start, icon="reset", disabled=True),
            Action("pin", "make this picture the start, which others are compared with", self.set_start, icon="pin"),
        )
        with reporting(view):
            self.start = self._start

    @property
    def start(self) -> Latent:
        """The latent that the picture is compared with."""
        return self._start

    @start.setter
    def start(self, start: Latent) -> None:
        self._view.compare = self._png(start)
        self._start = start  # only after it could be drawn
        if self.on_start is not None:
            self.on_start()

    def set_start(self) -> None:
        """Make the present latent the start."""
        self.start = self._current()

    def back_to_start(self) -> None:
        """Go to the start."""
        self._go(self._start)
