"""A map on which dragging walks from face to face."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ...kit.sharing import shared_layout
from ...kit.views.walk_map import WalkMap
from . import seed_lattice as lattice
from .seed_lattice import Blend

Faces = Callable[[Sequence[int]], object]


class SeedPad(WalkMap):
    """An endless lattice of seeds with their faces; the position mixes the four seeds around it.

    Press or drag on the map (mouse or finger), or use the arrow keys. Every change calls `on_change(blend)` with (seed, weight)
    pairs whose weights sum to 1. While one call runs, only the newest position is kept for the next, so a slow callback never
    builds a queue.

    `seed` is the seed at the origin; assigning it goes back there without a call.

    Args:
        on_change: called with each blend.
        seed: at the origin.
        faces: called with seeds whose faces came into sight, the nearest first; answers by `face`. None for a map without.

    Raises ValueError when a position is not finite.
    """

    def __init__(self, on_change: Callable[[Blend], None], seed: int = 0, faces: Faces | None = None) -> None:
        self._on_change = on_change
        self._mailbox_lock = threading.Lock()
        self._mailbox: Blend | None = None
        self._delivering = False
        super().__init__(seed=int(seed), layout=shared_layout())
        self.on_walk, self.on_faces = self.move_to, faces
        self.observe(lambda _: self._place(0.0, 0.0), "seed")
        self._place(0.0, 0.0)

    @property
    def blend(self) -> Blend:
        """The (seed, weight) pairs at the current position."""
        return lattice.blend_at(*self.position, self.seed)

    @property
    def position(self) -> tuple[float, float]:
        """The current position in lattice steps: x to the right, y downwards, (0, 0) at `seed`."""
        return self.x, self.y

    def move_to(self, x: float, y: float) -> None:
        """Go to a position and report it, unless it is there already."""
        x, y = lattice.clamp_position(x, y)
        if (x, y) != self.position:
            self._place(x, y)
            self._report()

    def show_blend(self, blend: Blend) -> bool:
        """Go, without a call, to where this blend lies (after an undo, say); False when it is nowhere here."""
        found = lattice.locate(blend, self.seed) if blend else None
        if found is not None:
            self._place(*found)
        return found is not None

    # -- inside ------------------------------------------------------------------------------------------------------
    def _place(self, x: float, y: float) -> None:
        with self.hold_sync():
            self.x, self.y = x, y
            self.words = lattice.describe(self.blend)

    def _report(self) -> None:
        with self._mailbox_lock:
            self._mailbox = self.blend
            if self._delivering:
                return  # the call that is running picks it up
            self._delivering = True
        try:
            while (blend := self._take()) is not None:
                self._on_change(blend)
        except BaseException:
            self._delivering = False
            raise

    def _take(self) -> Blend | None:
        with self._mailbox_lock:
            blend, self._mailbox = self._mailbox, None
            self._delivering = blend is not None
            return blend
