"""Cards of which one is chosen: with a picture each, or words alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import traitlets
from numpy.typing import NDArray

from ....core.pictures import encoded
from ....core.pixels import tiled
from .esm import script, style
from .page import View

GOOD, FAIR, POOR = "good", "fair", "poor"
"""What a light can say; the words beside it say the same."""


class Card(TypedDict, total=False):
    """What stands on a card: its title, a few short lines below, and the light before the last of them."""

    title: str
    lines: Sequence[str]
    light: str
    tip: str


class Cards(View):
    """One row of cards after the other. A click, Enter or space chooses one; arrows go from card to card."""

    _esm = script("cards.js")
    _css = style("cards.css")

    cards: Any = traitlets.List().tag(sync=True)
    """A `Card` each."""
    sheet = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """All pictures as one, beside each other, encoded; b"" for cards of words."""
    chosen = traitlets.Int(-1).tag(sync=True)
    """Number of the chosen card, -1 for none."""
    least = traitlets.Int(88).tag(sync=True)
    """Css pixels that a card needs at least."""
    label = traitlets.Unicode("Choices").tag(sync=True)

    def show(self, cards: Sequence[Card], pictures: Sequence[NDArray[np.uint8]] = (), chosen: int = -1) -> None:
        """Show these cards, with pictures uint8 [h, w, 3] of one size where there are as many."""
        data = b""
        if len(pictures):
            places = {(0, k): picture for k, picture in enumerate(pictures)}
            data = encoded(tiled(places, 1, len(pictures)), "JPEG", quality=88)
        with self.hold_sync():
            self.cards, self.sheet, self.chosen = [dict(card) for card in cards], data, chosen
