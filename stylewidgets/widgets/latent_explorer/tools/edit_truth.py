"""The line under the directions that says what is read of the picture, against the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....latent.latent import Latent
from ...kit.errors import ShowsErrors, report
from ...kit.parts import ROW, control, note, say
from ...kit.sharing import shared_layout

if TYPE_CHECKING:
    from PIL import Image


class EditTruth(widgets.HBox):
    """ "read factors", and beside it a line such as "smile +0.60 · yaw +3° · others 0.1 σ".

    Reading takes tens of milliseconds, so it waits until the picture has come to rest: call `settled` then. It happens never
    during a drag, and not at all while the box is not ticked.

    Args:
        view: where exceptions are shown.
        start: returns the latent that is compared with.
        picture: returns the picture of a latent; that of the one in sight without drawing it again.
        read, describe: one picture to a reading, two readings to words; see `Domain.observe`.
    """

    def __init__(
        self,
        view: ShowsErrors,
        start: Callable[[], Latent],
        picture: Callable[[Latent], Image.Image],
        read: Callable[[Image.Image], object],
        describe: Callable[[object, object], str],
    ) -> None:
        self._view, self._start, self._picture = view, start, picture
        self._read, self._describe = read, describe
        self._kept: tuple[Latent, object] | None = None  # the reading of the start
        self._shown: Latent | None = None
        self.toggle = control(
            widgets.Checkbox,
            tip="when the picture rests, let the factor network say what changed since the start",
            on=self._toggled,
            layout={"width": "auto"},
            value=True,
            description="read factors",
            indent=False,
        )
        self.line = note("")
        super().__init__([self.toggle, self.line], layout=shared_layout(**ROW))

    @property
    def text(self) -> str:
        """The line as it is shown, with the markup of a note."""
        return str(self.line.value)

    def settled(self, latent: Latent) -> None:
        """The picture of `latent` has come to rest."""
        self._shown = latent
        if not self.toggle.value:
            return
        try:
            say(self.line, self._words(latent))
        except (FileNotFoundError, ImportError) as problem:  # the explorer works without the network
            self.toggle.value = False
            say(self.line, str(problem))
        except Exception as error:  # noqa: BLE001  the edge: nothing above would show it
            self.toggle.value = False
            report(self._view, error, "reading factors")

    def update(self, latent: Latent) -> None:
        """The latent is another one now: what is said of the last one no longer holds."""
        if self.line.value and latent != self._shown:
            say(self.line, "")

    def _words(self, latent: Latent) -> str:
        start = self._start()
        if latent == start:
            return "this is the start"
        if self._kept is None or self._kept[0] != start:
            self._kept = (start, self._read(self._picture(start)))
        return "against the start: " + self._describe(self._kept[1], self._read(self._picture(latent)))

    def _toggled(self, _: object) -> None:
        say(self.line, "")
        if self.toggle.value and self._shown is not None:
            self.settled(self._shown)
