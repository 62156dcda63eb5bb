"""What is read of the picture, against the start: small bars under the directions."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....domain import Moved
from ....latent.latent import Latent
from ...kit.errors import ShowsErrors, report
from ...kit.parts import WIDE, control, note, say
from ...kit.sharing import shared_layout

if TYPE_CHECKING:
    from PIL import Image


MOST = 5
"""Bars at most, besides those of what was wanted."""
LEAST = 0.3
"""A change below so many standard deviations has no bar, unless it was wanted."""
END = 3.0
"""Standard deviations at the end of a bar."""


class EditTruth(widgets.VBox):
    """ "what changed", and below it a bar for each attribute that did; those that a slider asked for are marked.

    Where only words are known it is a line such as "smile +0.60 · yaw +3° · others 0.1 σ".

    Reading takes tens of milliseconds, so it waits until the picture has come to rest: call `settled` then. It happens never
    during a drag, and not at all while the box is not ticked.

    Args:
        view: where exceptions are shown.
        start: returns the latent that is compared with.
        picture: returns the picture of a latent; that of the one in sight without drawing it again.
        read, describe, changes: one picture to a reading, two readings to words and to changes; see `Domain.observe`.
    """

    def __init__(
        self,
        view: ShowsErrors,
        start: Callable[[], Latent],
        picture: Callable[[Latent], Image.Image],
        read: Callable[[Image.Image], object],
        describe: Callable[[object, object], str],
        changes: Callable[[object, object], Sequence[Moved]] | None = None,
    ) -> None:
        self._view, self._start, self._picture = view, start, picture
        self._read, self._describe, self._changes = read, describe, changes
        self._kept: tuple[Latent, object] | None = None  # the reading of the start
        self._shown: Latent | None = None
        self.toggle = control(
            widgets.Checkbox,
            tip="when the picture rests, a network reads it and says what changed since the start, wanted or not",
            on=self._toggled,
            layout={"width": "auto"},
            value=True,
            description="what changed",
            indent=False,
        )
        self.line = note("")
        super().__init__([self.toggle, self.line], layout=shared_layout(**WIDE))

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
            self._show(latent)
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

    def _show(self, latent: Latent) -> None:
        start = self._start()
        if latent == start:
            say(self.line, "Nothing yet: this is the start.")
            return
        if self._kept is None or self._kept[0] != start:
            self._kept = (start, self._read(self._picture(start)))
        before, now = self._kept[1], self._read(self._picture(latent))
        if self._changes is None:
            say(self.line, "against the start: " + self._describe(before, now))
        else:
            self.line.value = bars(self._changes(before, now), {e.name for e in latent.edits if e.strength})

    def _toggled(self, _: object) -> None:
        say(self.line, "")
        if self.toggle.value and self._shown is not None:
            self.settled(self._shown)


def bars(changes: Sequence[Moved], wanted: Collection[str]) -> str:
    """HTML: a bar for each change that can be seen or was wanted, to the left or right of a middle line.

    Args:
        changes: of every attribute, the largest first.
        wanted: names of directions; "hair style curly" wants the attribute "hair style".
    """

    def asked(change: Moved) -> bool:
        return any(name == change.name or name.startswith(f"{change.name} ") for name in wanted)

    seen = [change for change in changes if abs(change.sigma) >= LEAST][:MOST]
    shown = [change for change in changes if change in seen or asked(change)]
    rest = [abs(change.sigma) for change in changes if change not in shown]
    lines = [_bar(change, asked(change)) for change in shown]
    mean = sum(rest) / len(rest) if rest else 0.0
    said = f"all others: {mean:.1f} σ on average" if shown else f"nothing that can be seen: {mean:.1f} σ on average"
    return f'<div class="sw-bars" role="list">{"".join(lines)}</div><div class="sw-note">{said}</div>'


def _bar(change: Moved, wanted: bool) -> str:
    share = min(abs(change.sigma), END) / END / 2
    left = 0.5 - share if change.sigma < 0 else 0.5
    place = f"left:{100 * left:.1f}%;width:{100 * share:.1f}%"
    words, mark = html.escape(change.words), " sw-wanted" if wanted else ""
    said = " (wanted)" if wanted else ""
    return (
        f'<div class="sw-bar{mark}" role="listitem" title="{words}{said}: {change.sigma:+.1f} σ"><span>{words}{said}</span>'
        f'<span class="sw-bar-track"><i style="{place}"></i></span></div>'
    )
