"""A strip of thumbnails that bring their state back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ....latent.caption import caption
from ..sharing import shared_layout
from ..views.picture_strip import PictureStrip

if TYPE_CHECKING:
    from ....latent.latent import Latent


class _Card(NamedTuple):
    latent: Latent
    picture: bytes


class SnapshotStrip(PictureStrip):
    """A row of small pictures that scrolls sideways; each restores its latent, each can be deleted and moved.

    `thumbnail(latent)` returns encoded picture bytes (PNG or JPEG); `on_restore(latent)` is called when a picture is pressed. At
    most `limit` pictures are kept; the oldest goes first. `newest_first=True` and `movable=False` make it a history strip.
    `keep`, if given, is what the button of an empty strip does.

    A thumbnail that fails leaves its item without a picture, and the reason under the strip.
    """

    def __init__(
        self,
        thumbnail: Callable[[Latent], bytes],
        on_restore: Callable[[Latent], None],
        limit: int = 24,
        *,
        newest_first: bool = False,
        movable: bool = True,
        title: str = "snapshot",
        empty: str = "No snapshot yet.",
        keep: Callable[[], object] | None = None,
    ) -> None:
        if limit < 1:
            raise ValueError(f"a strip keeps at least 1 picture; limit was {limit}")
        self._thumbnail, self._on_restore = thumbnail, on_restore
        self._limit, self._newest_first = limit, newest_first
        self._guard = threading.RLock()
        self._kept: list[_Card] = []
        self._marked: _Card | None = None
        super().__init__(
            title=title, empty=empty, action="keep this face" if keep else "", movable=movable, layout=shared_layout()
        )
        self.on_pick, self.on_delete, self.on_move = self.restore, self.remove, self.move
        self.on_clear, self.on_action = self.clear, keep

    @property
    def items(self) -> tuple[Latent, ...]:
        """The latents from left to right."""
        return tuple(card.latent for card in self._shown())

    @property
    def selected(self) -> int | None:
        """The place of the marked picture (the last one added or restored), counted from the left."""
        return next((place for place, card in enumerate(self._shown()) if card is self._marked), None)

    def add(self, latent: Latent) -> None:
        """Append a latent, or put it in front where the newest is shown first; the oldest goes beyond the limit."""
        picture, problem = b"", ""
        try:
            picture = self._thumbnail(latent)
        except Exception as error:  # noqa: BLE001  a renderer may fail in any way; the item must not be lost
            problem = f"no thumbnail: {error}"
        with self._guard:
            self._marked = _Card(latent, picture)
            self._kept = [*self._kept, self._marked][-self._limit :]
            self._arrange(problem)

    def remove(self, index: int) -> None:
        """Delete the picture at this place, counted from the left as in `items`. Raises IndexError beyond the end."""
        with self._guard:
            shown = self._shown()
            if not -len(shown) <= index < len(shown):
                raise IndexError(f"the strip has {len(shown)} pictures, counted from 0; there is no picture {index}")
            gone = shown[index]
            self._kept = [card for card in self._kept if card is not gone]
            if gone is self._marked:
                left = self._shown()
                self._marked = left[min(index % len(shown), len(left) - 1)] if left else None
            self._arrange()

    def clear(self) -> None:
        """Delete all pictures."""
        with self._guard:
            self._kept, self._marked = [], None
            self._arrange()

    def restore(self, index: int) -> None:
        """Do what pressing this picture does."""
        with self._guard:
            self._marked = self._shown()[index]
            self.marked = index
        self._on_restore(self._marked.latent)

    def move(self, index: int, to: int) -> None:
        """Bring the picture at one place to another one; nothing happens in a strip that is not movable."""
        if not self.movable:
            return
        with self._guard:
            shown = self._shown()
            shown.insert(min(max(to, 0), len(shown) - 1), shown.pop(index))
            self._kept = shown[::-1] if self._newest_first else shown
            self._arrange()

    def _shown(self) -> list[_Card]:
        return self._kept[::-1] if self._newest_first else list(self._kept)

    def _arrange(self, problem: str = "") -> None:
        shown, marked = self._shown(), self.selected
        words, pictures = [caption(card.latent) for card in shown], [card.picture for card in shown]
        self.show(words, pictures, -1 if marked is None else marked, problem)
