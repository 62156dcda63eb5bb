"""Grids of mixed styles, drawn on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..core.pixels import Pixels
from ..mixing.grid import MixGrid, Place, nearest_first
from .messages import MOST_LATENTS

if TYPE_CHECKING:
    from .session import RemoteSession


class RemoteGridRenderer:
    """What `mixing.GridRenderer` is for a session here: what is kept from one picture to the next is kept there.

    Attributes:
        at_once: pictures of one call.
    """

    def __init__(self, session: RemoteSession) -> None:
        self.session, self.at_once = session, max(1, min(MOST_LATENTS, session.about.at_once))

    def draw(self, grid: MixGrid, places: Sequence[Place], resolution: int | None = None) -> list[Pixels]:
        """See `mixing.GridRenderer.draw`."""
        return list(self.session.cells(grid.to_dict(), list(places), resolution))

    def cells(
        self,
        grid: MixGrid,
        places: Iterable[Place] | None = None,
        *,
        resolution: int | None = None,
        near: Callable[[], Place | None] | None = None,
        batch: int = 16,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, int, Pixels]]:
        """See `mixing.GridRenderer.cells`."""
        left = list(grid.cells() if places is None else places)
        while left and not (cancelled is not None and cancelled()):
            left = nearest_first(left, None if near is None else near())
            now, left = left[:batch], left[batch:]
            for (i, j), picture in zip(now, self.draw(grid, now, resolution), strict=True):
                yield i, j, picture

    def all(self, grid: MixGrid, resolution: int | None = None) -> dict[Place, Pixels]:
        """Return every picture of a grid, headers too, by place."""
        return {(i, j): picture for i, j, picture in self.cells(grid, grid.places(), resolution=resolution)}

    def clear(self) -> None:
        """Nothing is kept here."""
