"""The film between two poses of one person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from .....latent.pose import Pose
from ....kit.controls.rows import Row, Rows
from ....kit.host import PictureHost
from ....kit.parts import WIDE, ErrorPlace, button, card, column, note, row, say, show
from ....kit.sharing import shared_layout
from ..export_panel import ExportPanel
from .who import NOBODY, Who, told

if TYPE_CHECKING:
    from .....latent.latent import Latent
    from .....session.session import GeneratorSession

NO_ANGLES = (
    "A film goes through the poses between two, and those of IUV pictures have none between them: there are no angles in "
    "files. Draw an avatar to make one."
)


class PoseFilm(widgets.VBox):
    """Two poses, a slider between them, and the film as a file. It has what `ExportPanel` asks an animator for.

    Attributes: `ends`, the two poses, None while they are not kept; `rows` (its row "between" goes from one to the other).
    """

    seconds, ease, closed = 2.0, "smooth", False

    def __init__(self, host: PictureHost) -> None:
        self._host = host
        self.ends: list[Pose | None] = [None, None]
        self.place = ErrorPlace()
        self._said = [note(""), note("")]
        self._keep = [
            button(
                f"keep as {name}",
                f"the present pose becomes the {name} of the film",
                partial(self.keep, k),
                view=self.place,
            )
            for k, name in enumerate(("start", "end"))
        ]
        self.rows = Rows(
            [_between(0.0)], on_change=lambda _, t: self._go(t), view=self.place, label="Between both poses"
        )
        self.export = ExportPanel(self, name="poses")
        self._why = note("")
        self._ends = column(*(row(*pair) for pair in zip(self._keep, self._said, strict=True)))
        super().__init__(
            [card(self._why, self._ends, self.rows, self.export, self.place, title="From one pose to another")],
            layout=shared_layout(**WIDE),
        )
        self.update()

    def keep(self, k: int) -> None:
        """The present pose becomes the start (0) or the end (1)."""
        self.ends[k] = self._who().full
        self.update()

    def update(self) -> None:
        """Follow the value: who has no angles has no film."""
        who = self._who()
        can = who.figure is not None
        say(self._why, "" if can else NO_ANGLES if who.source is not None else NOBODY)
        show(self._ends, can)
        ready = can and None not in self.ends
        for part in (self.rows, self.export):
            show(part, ready)
        for said, pose in zip(self._said, self.ends, strict=True):
            angles = pose.angles if pose is not None else {}
            names = [
                name
                for name in ("yaw", "arm_left_raise", "arm_right_raise", "elbow_left", "elbow_right")
                if name in angles
            ]
            say(said, told(angles, names) if angles else "not kept yet")

    # -- what the export is told -----------------------------------------------------------------------------------------
    @property
    def session(self) -> GeneratorSession:
        """What draws."""
        return self._host.session

    @property
    def keyframes(self) -> tuple[Latent, ...]:
        """The present person in both poses. ValueError while one is missing, or where there is nothing between them."""
        first, last = self._both()
        return tuple(self._host.value.replace(view=pose) for pose in (first, last))

    # -- inside --------------------------------------------------------------------------------------------------------
    def _who(self) -> Who:
        return Who.of(self._host.session, self._host.value)

    def _both(self) -> tuple[Pose, Pose]:
        first, last = self.ends
        if self._who().figure is None:
            raise ValueError(NO_ANGLES)
        if first is None or last is None:
            raise ValueError("keep two poses first: one as the start, one as the end")
        return first, last

    def _go(self, t: float) -> None:
        first, last = self._both()
        self._host.change("pose between", lambda latent: latent.replace(view=first.towards(last, t)))


def _between(value: float) -> Row:
    return Row("between", "between", value, 0.0, 1.0, 0.01, tip="0 is the start, 1 the end", home=None)
