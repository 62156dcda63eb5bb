"""A list of channels with their scores, best first, that may still be filling."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from ....stylespace import Channel, Ranking
from ....stylespace.channel import layer_words
from ..parts import control, note, quiet, say, show
from ..sharing import shared_layout

SHOWN = 40
"""Channels in the list at most; the map shows all."""


class RankedList(widgets.VBox):
    """Channels with their scores. Choosing one, by mouse or arrow keys, calls `on_pick(channel)`.

    Args:
        on_pick: called with the channel that was chosen.
        words: what the score is.
    """

    def __init__(self, on_pick: Callable[[Channel], None], words: str) -> None:
        self._channels: tuple[Channel, ...] = ()
        self._note = note("")

        def picked(channel: Channel | None) -> None:
            if channel is not None:
                on_pick(channel)

        wide = {"width": "100%", "max_width": "340px"}
        self._select = control(widgets.Select, tip=words, on=picked, layout=wide, options=[], rows=9)
        super().__init__(
            [self._note, self._select],
            layout=shared_layout(max_width="100%", flex="1 1 220px", min_width="min(200px, 100%)"),
        )
        show(self._select, False)

    def show_ranking(self, ranking: Ranking, words: str) -> None:
        """Show the first of these channels, and `words` above; what was chosen stays so where it can."""
        best = ranking.top(SHOWN)
        self._channels = tuple(channel for channel, _ in best)
        options = [
            (f"{place}.  {channel.paper}  {_layer(ranking, channel)}  {score:.3g}{_sign(ranking, channel)}", channel)
            for place, (channel, score) in enumerate(best, 1)
        ]
        say(self._note, f"{words}: the first {len(best)} of {len(ranking.order)}")
        chosen = self._select.value
        with quiet(self._select):
            self._select.options = options
            self._select.value = chosen if chosen in self._channels else None
        show(self._select, bool(options))

    def update(self, channel: Channel | None) -> None:
        """Mark this channel where the list has it."""
        with quiet(self._select):
            self._select.value = channel if channel in self._channels else None


def _layer(ranking: Ranking, channel: Channel) -> str:
    return layer_words(ranking.layers[channel.layer])


def _sign(ranking: Ranking, channel: Channel) -> str:
    """To which side to move a channel, where the ranking knows."""
    sign = ranking.sign[channel.flat(ranking.layers)]
    return "" if not sign else "  (+)" if sign > 0 else "  (−)"
