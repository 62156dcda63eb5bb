"""Comparing with the start: hold to see it, go back to it, or make the present state the start."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as widgets

from ..compat import button
from ..errors import reporting

if TYPE_CHECKING:
    from PIL.Image import Image

    from ....latent.latent import Latent


class Renders(Protocol):
    """What is needed of a `GeneratorSession`."""

    def render(self, latent: Latent) -> Image: ...


class HoldToCompare(widgets.HBox):
    """The buttons "set start" and "back to start", and the picture that the view shows while its button is held.

    Args:
        session: renders the start.
        view: a `LiveView`; its trait `compare` gets the start's picture as PNG, its `error` what goes wrong.
        current: returns the present latent.
        show: goes to a latent.
        start: the start; the present latent unless given. Assign the attribute `start` to change it.

    The picture is rendered when the start changes, never while the button is held.
    """

    def __init__(
        self,
        session: Renders,
        view: Any,
        current: Callable[[], Latent],
        show: Callable[[Latent], None],
        start: Latent | None = None,
    ) -> None:
        self._session, self._view, self._current, self._show = session, view, current, show
        self._start = current() if start is None else start
        super().__init__(
            [
                button("set start", "make the present picture the one to compare with", self.set_start),
                button("back to start", "go back to the picture to compare with", self.back_to_start),
            ],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        with reporting(view):
            self.start = self._start

    @property
    def start(self) -> Latent:
        """The latent that the picture is compared with."""
        return self._start

    @start.setter
    def start(self, start: Latent) -> None:
        buffer = io.BytesIO()
        self._session.render(start).save(buffer, "PNG")
        self._start = start  # only after it could be rendered
        self._view.compare = buffer.getvalue()

    def set_start(self) -> None:
        """Make the present latent the start."""
        with reporting(self._view):
            self.start = self._current()

    def back_to_start(self) -> None:
        """Go to the start."""
        with reporting(self._view):
            self._show(self._start)
