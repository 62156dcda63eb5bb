"""An endless map of faces on the page, to walk on by mouse, finger and keys.

Messages (JSON)::

    browser -> kernel   {"type": "walk", "page", "number", "x", "y", "acks", ("settle")}   the newest place of the mark
                        {"type": "faces", "seeds"}                       faces that came into sight, the nearest first
    kernel -> browser   {"type": "face", "seed"} + one picture           {"type": "forget"}: ask for the faces again
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import traitlets

from .esm import script, style
from .page import Messages, PageView


class WalkMap(PageView):
    """Faces on a lattice of seeds, with a mark. Callbacks: on_walk(x, y), and on_faces(seeds), to be answered by `face`."""

    _esm = script("live.js", "requests.js", "walk_map.js")
    _css = style("icons.css", "parts.css", "walk_map.css")
    MESSAGES: ClassVar[Messages] = {
        "walk": lambda message: (float(message["x"]), float(message["y"])),
        "faces": lambda message: ([int(seed) for seed in message["seeds"]],),
    }
    IN_ORDER = ("walk",)
    on_walk: Callable[[float, float], object] | None = None
    on_faces: Callable[[list[int]], object] | None = None

    seed = traitlets.Int(0).tag(sync=True)
    """The seed at the place (0, 0)."""
    x = traitlets.Float(0.0).tag(sync=True)
    """Steps of the lattice to the right of the seed in the middle."""
    y = traitlets.Float(0.0).tag(sync=True)
    """Steps downwards."""
    words = traitlets.Unicode("").tag(sync=True)
    """Where the mark is, in words."""

    def face(self, seed: int, picture: bytes) -> None:
        """Show the encoded picture of a seed wherever it is on the map."""
        self.send({"type": "face", "seed": seed}, [picture])

    def again(self) -> None:
        """Let the page ask for its faces again."""
        self.send({"type": "forget"})
