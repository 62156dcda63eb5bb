"""What is told about the points of a drag, and the mask: one card of the tool "Drag"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from .... import domain
from ...kit.errors import ShowsErrors
from ...kit.parts import WIDE, button, control, listen, note, row, say, show
from ...kit.sharing import shared_layout
from ...kit.views.brush import Brush
from ...kit.views.points import PointSheet

if TYPE_CHECKING:
    from ....session.session import GeneratorSession

HOW = "On the picture, press on something and draw it to where it should go; or click twice."
FREE, HELD = "may move; all else is held", "must stay; all else may move"


class PointsCard(widgets.VBox):
    """Buttons for the points on a sheet and for the mask on a brush, and how many there are. Attribute: `meaning`.

    Args:
        sheet, brush: what lies on the picture.
        view: shows what goes wrong.
        changed: called when a button has changed points or mask.
    """

    def __init__(self, sheet: PointSheet, brush: Brush, view: ShowsErrors, changed: Callable[[], None]) -> None:
        self._sheet, self._brush, self._changed = sheet, brush, changed
        self._suggestions: Mapping[str, tuple[float, float]] = {}
        self._free = True

        def act(text: str, tip: str, action: Callable[[], object], icon: str = "") -> widgets.Button:
            return button(text, tip, lambda: self._do(action), view=view, icon=icon)

        self._remove = act("remove", "take the chosen point away (Delete); else the last one", sheet.remove)
        self._mirror = act("mirror", "the same for the other half of the picture", sheet.mirror)
        self._clear = act("clear", "take all points away", lambda: sheet.set([]), "trash")
        self._suggest = control(
            widgets.ToggleButton,
            tip="marks on the picture where eyes, nose and mouth are; click one to take it as a start",
            on=lambda _: self._mark(),
            layout={"width": "auto"},
            value=True,
            description="suggestions",
        )
        show(self._suggest, False)
        self.paint = control(
            widgets.ToggleButton,
            tip="paint on the picture what may move, or what must stay; press again to set points",
            on=self.use_brush,
            view=view,
            layout={"width": "auto"},
            value=False,
            description="paint a mask",
            _dom_classes=("sw-icon", "sw-icon-brush"),
        )
        self.meaning = control(
            widgets.Dropdown,
            tip="what the paint stands for",
            on=lambda _: changed(),
            style={"description_width": "70px"},
            layout={"width": "270px", "max_width": "100%"},
            options=[(FREE, True), (HELD, False)],
            description="the paint",
        )
        self._unpaint = act("no mask", "take all paint away", brush.clear)
        self._about = note(HOW)
        super().__init__(
            [
                self._about,
                row(self._remove, self._mirror, self._clear, self._suggest),
                row(self.paint, self.meaning, self._unpaint),
            ],
            layout=shared_layout(**WIDE),
        )
        listen(brush, lambda _: self.tell(), "paint")
        self.tell()

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """True where things may move, in the picture's shape; None where nothing is painted."""
        if not self._brush.paint:
            return None
        painted = self._brush.mask_at(*self._sheet.shape)
        return painted if self.meaning.value else ~painted

    def use_brush(self, used: bool) -> None:
        """Let the hand paint, or set points."""
        self._brush.active = used
        self._sheet.active = not used
        if self.paint.value != used:
            self.paint.value = used

    def free(self, free: bool) -> None:
        """Let points and mask be changed, or not while a drag moves them."""
        self.use_brush(False)
        self._free = self._sheet.active = free
        for part in (self.paint, self.meaning, self._unpaint):
            part.disabled = not free
        self.tell()

    def suggest(self, places: Mapping[str, tuple[float, float]]) -> None:
        """Offer these places, (row, column) by name."""
        self._suggestions = places
        show(self._suggest, bool(places))
        self._mark()

    def tell(self) -> None:
        """Say how many points there are and how much may move, and which buttons have something to do."""
        n, open_ = len(self._sheet.handles), len(self._sheet.points) - len(self._sheet.handles)
        painted = self.mask
        words = [f"{n} {'point' if n == 1 else 'points'}"] if n else []
        words += ["now click where it should go"] if open_ else []
        words += [] if painted is None else [f"{100 * painted.mean():.0f} % of the picture may move"]
        say(self._about, " · ".join(words) if n or open_ else f"{HOW} {''.join(words)}".strip())
        for part in (self._remove, self._clear):
            part.disabled = not self._sheet.points or not self._free
        self._mirror.disabled = not n or not self._free
        for part in (self.meaning, self._unpaint):
            show(part, painted is not None or self._brush.active)

    def _do(self, action: Callable[[], object]) -> None:
        action()
        self._changed()

    def _mark(self) -> None:
        self._sheet.suggest(self._suggestions if self._suggest.value else {})


def landmarks(session: GeneratorSession, picture: Any) -> dict[str, tuple[float, float]]:
    """Named places on a picture, (row, column) in pixels, where the domain finds some; {} where it does not."""
    known = domain.of(session)
    if known is None or known.landmarks is None:
        return {}
    return known.landmarks(np.asarray(picture))
