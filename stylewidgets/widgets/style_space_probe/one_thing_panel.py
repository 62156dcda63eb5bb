"""Channels that do one thing: those that the shipped report found, each with a picture of what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ...stylespace import Channel
from ..kit.parts import WIDE, listen, note, quiet
from ..kit.sharing import shared_layout
from ..kit.views.cards import FAIR, GOOD, Card, Cards
from . import steps
from .edits import factor_words
from .host import ProbeHost

if TYPE_CHECKING:
    from ...latent.latent import Latent
    from ...stylespace import Report
    from ...stylespace.reports.table import Row

SIDE = 96
SHOWN, MOST = 3.0, 15.0
"""How far a channel is moved in its picture: so many times as far as the report did, and at most so many σ."""
CLEAN, CLEAN_ENOUGH = 0.06, 0.12
"""How much all other factors move on average, in σ, while a channel moves its own by half a σ: below the first it does one
thing, below the second nearly; the others are not shown here."""

ABOUT = (
    "Each of these channels changes one thing and leaves the rest nearly as it was; its picture shows where. Choose one and "
    "drag its strength."
)


class OneThingPanel(widgets.VBox):
    """A card for each channel of a report that does one thing; choosing one selects it."""

    def __init__(self, host: ProbeHost, report: Report) -> None:
        self._host = host
        self.rows = tuple(
            sorted((row for row in report.rows if row.style.mean <= CLEAN_ENOUGH), key=lambda row: row.style.mean)
        )
        self._shown: Latent | None = None
        self.cards = Cards(label="Channels that do one thing", least=98)
        listen(self.cards, self._on_choice, "chosen", host.view)
        grey = np.full((len(self.rows), SIDE, SIDE, 3), 200, np.uint8)
        self.cards.show([_card(row, host) for row in self.rows], list(grey))
        super().__init__([note(ABOUT), self.cards], layout=shared_layout(**WIDE), _dom_classes=("sw-scrolls",))

    def update(self) -> None:
        """Draw the pictures again where the latent is another one; they need the statistics."""
        latent, search = self._host.value, self._host.search
        if search.statistics is None or latent == self._shown:
            return
        self._shown = latent
        edits = [(Channel(*row.channel), row.sign * min(MOST, SHOWN * row.style.strengths[-1])) for row in self.rows]
        task = steps.edited(self._host.session, latent, edits, search.direction, SIDE)
        search.run("one thing", task, self._show, "pictures of the channels", quiet=True)

    def mark(self, channel: Channel | None) -> None:
        """Mark this channel where it has a card."""
        numbers = [k for k, row in enumerate(self.rows) if channel is not None and tuple(row.channel) == channel]
        with quiet(self.cards):
            self.cards.chosen = numbers[0] if numbers else -1

    def _show(self, pictures: NDArray[np.uint8]) -> None:
        with quiet(self.cards):
            self.cards.show(self.cards.cards, list(pictures), self.cards.chosen)

    def _on_choice(self, number: int) -> None:
        if 0 <= number < len(self.rows):
            self._host.select(Channel(*self.rows[number].channel))


def _card(row: Row, host: ProbeHost) -> Card:
    channel = Channel(*row.channel)
    clean = row.style.mean <= CLEAN
    return {
        "title": factor_words(row.factor),
        "lines": [channel.words(host.session.layers), "only this" if clean else "nearly only this"],
        "light": GOOD if clean else FAIR,
        "tip": f"{channel.paper} in the papers' names: while it moves {factor_words(row.factor)} by 0.5 σ, all other "
        f"factors move by {row.style.mean:.2f} σ on average",
    }
