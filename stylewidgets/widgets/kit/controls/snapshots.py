"""A strip of thumbnails that bring their state back."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....latent.caption import caption
from ..parts import button, close_tree, control, show
from ..sharing import shared_layout

if TYPE_CHECKING:
    from ....latent.latent import Latent

SELECTED = "2px solid var(--jp-brand-color1, #2196f3)"
PLAIN = "2px solid transparent"
CROSS = 24
"""Width of the button that deletes a picture."""


class SnapshotStrip(widgets.VBox):
    """A row of small pictures that scrolls sideways; each restores its latent, each can be deleted and moved.

    `thumbnail(latent)` returns encoded picture bytes (PNG or JPEG); `on_restore(latent)` is called when a picture's
    button is pressed. At most `limit` pictures are kept; the oldest goes first. `newest_first=True` and
    `movable=False` make it a history strip.

    A thumbnail that fails leaves its item without a picture, and the reason under the strip.
    """

    def __init__(
        self,
        thumbnail: Callable[[Latent], bytes],
        on_restore: Callable[[Latent], None],
        limit: int = 24,
        *,
        size: int = 80,
        newest_first: bool = False,
        movable: bool = True,
        empty: str = "no snapshots yet",
    ) -> None:
        if limit < 1:
            raise ValueError(f"a strip keeps at least 1 picture; limit was {limit}")
        self._thumbnail, self._on_restore = thumbnail, on_restore
        self._limit, self._size, self._newest_first, self._empty = limit, size, newest_first, empty
        self._lock = threading.RLock()
        self._cards: list[_Card] = []
        self._selected: _Card | None = None
        scrolls = {"flex_flow": "row nowrap", "overflow": "auto hidden", "max_width": "100%", "min_height": "28px"}
        self._row = control(widgets.HBox, layout=scrolls)
        self._note = control(widgets.HTML)
        self._left = button("←", "move the marked picture one place to the left", lambda: self._move(-1), "34px")
        self._right = button("→", "move the marked picture one place to the right", lambda: self._move(1), "34px")
        self._delete = button("delete", "delete the marked picture", self._delete_selected)
        self._clear = button("clear", "delete all pictures of this strip", self.clear)
        for arrow in (self._left, self._right):
            show(arrow, movable)  # hidden rather than left out, so that they close with the rest
        tools = [self._left, self._right, self._delete, self._clear, self._note]
        self._tools = control(widgets.HBox, tools, layout={"flex_flow": "row wrap"})
        super().__init__([self._row, self._tools], layout=shared_layout(max_width="100%"))
        self._arrange()

    @property
    def items(self) -> tuple[Latent, ...]:
        """The latents from left to right."""
        return tuple(card.latent for card in self._shown())

    @property
    def selected(self) -> int | None:
        """The place of the marked picture (the last one added or restored), counted from the left."""
        return self._shown().index(self._selected) if self._selected in self._cards else None

    def add(self, latent: Latent) -> None:
        """Append a latent, or put it in front where the newest is shown first; the oldest goes beyond the limit."""
        picture, problem = b"", ""
        try:
            picture = self._thumbnail(latent)
        except Exception as error:  # noqa: BLE001  a renderer may fail in any way; the item must not be lost
            problem = f"no thumbnail: {error}"
        with self._lock:
            card = _Card(self, latent, picture, self._size)
            self._cards.append(card)
            gone, self._cards = self._cards[: -self._limit], self._cards[-self._limit :]
            self._selected = card
            self._changed(gone, problem)

    def remove(self, index: int) -> None:
        """Delete the picture at this place, counted from the left as in `items`. Raises IndexError beyond the end."""
        with self._lock:
            shown = self._shown()
            if not -len(shown) <= index < len(shown):
                raise IndexError(f"the strip has {len(shown)} pictures, counted from 0; there is no picture {index}")
            self._discard(shown[index])

    def clear(self) -> None:
        """Delete all pictures."""
        with self._lock:
            gone, self._cards, self._selected = self._cards, [], None
            self._changed(gone)

    def restore(self, index: int) -> None:
        """Do what the button of this picture does."""
        self._restore(self._shown()[index])

    # -- used by the cards and tools ------------------------------------------------------------------------------------

    def _restore(self, card: _Card) -> None:
        with self._lock:
            self._selected = card
            self._mark()
        self._on_restore(card.latent)

    def _discard(self, card: _Card) -> None:
        with self._lock:
            if card in self._cards:
                place = self._cards.index(card)
                self._cards = [other for other in self._cards if other is not card]
                if self._selected is card:
                    self._selected = self._cards[min(place, len(self._cards) - 1)] if self._cards else None
                self._changed([card])

    def _delete_selected(self) -> None:
        if self._selected is not None:
            self._discard(self._selected)

    def _move(self, places: int) -> None:
        with self._lock:
            if self._selected not in self._cards:
                return
            places = -places if self._newest_first else places
            old = self._cards.index(self._selected)
            new = min(max(old + places, 0), len(self._cards) - 1)
            if new != old:
                cards = list(self._cards)
                cards.insert(new, cards.pop(old))
                self._cards = cards
                self._changed([])

    # -- to the screen ----------------------------------------------------------------------------------------------------

    def _shown(self) -> list[_Card]:
        return self._cards[::-1] if self._newest_first else list(self._cards)

    def _changed(self, gone: Iterable[_Card], problem: str = "") -> None:
        self._arrange(problem)
        close_tree(*gone)

    def _arrange(self, problem: str = "") -> None:
        self._row.children = tuple(self._shown())
        self._note.value = html.escape(problem or ("" if self._cards else self._empty))
        self._mark()

    def _mark(self) -> None:
        place = self.selected
        for number, card in enumerate(self._shown(), 1):
            card.mark(number, card is self._selected)
        last = len(self._cards) - 1
        self._left.disabled = place is None or place == 0
        self._right.disabled = place is None or place == last
        self._delete.disabled = place is None
        self._clear.disabled = not self._cards


class _Card(widgets.VBox):
    """One picture with its restore button and a small cross that deletes it."""

    def __init__(self, strip: SnapshotStrip, latent: Latent, picture: bytes, size: int) -> None:
        self.latent = latent
        self.text = caption(latent)
        shown = control(
            widgets.Image,
            layout={"width": f"{size}px", "height": f"{size}px", "object_fit": "contain", "margin": "0"},
            value=picture,
            format="png" if picture[:4] == b"\x89PNG" else "jpeg",
        )
        tight = {"padding": "0 2px", "margin": "0"}
        self._restore = button(self.text, "", lambda: strip._restore(self), f"{size + CROSS}px", layout=tight)
        self._delete = button("×", "", lambda: strip._discard(self), f"{CROSS}px", layout=tight)
        top = control(widgets.HBox, [shown, self._delete], layout={"margin": "0 0 1px 0"})
        super().__init__([top, self._restore], layout=widgets.Layout(flex="0 0 auto", margin="1px", padding="1px"))

    def mark(self, number: int, selected: bool) -> None:
        """Say which place this is, also to screen readers, and outline the marked picture."""
        self._restore.tooltip = f"restore picture {number}: {self.text}" + (" (marked)" if selected else "")
        self._delete.tooltip = f"delete picture {number}: {self.text}"
        border = SELECTED if selected else PLAIN
        if self.layout.border != border:
            self.layout.border = border
