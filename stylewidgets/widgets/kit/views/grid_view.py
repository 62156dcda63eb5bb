"""The style-mixing grid on the page: pictures with their headers, and the strip of layers above them.

Messages (JSON, pictures with one binary buffer)::

    kernel -> browser   {"type": "cells", "index", "version", "places": [[i, j], ...], "mime", "count"} + one picture:
                        the cells side by side. -1 in place of i or j is a header.
    browser -> kernel   {"type": "hello"}                        a view is on the screen
                        {"type": "ack", "index"}                 painted
                        {"type": "settle"}                       nothing has changed for a moment
                        {"type": "near", "place"}                the pointer or the focus is there
                        {"type": "pick", "place"}                clicked, or Enter
                        {"type": "mask", "mask", "stroke"}       painted layers; the number of the stroke
                        {"type": "swap", "one", "other"}         headers, each [axis, number]
                        {"type": "remove" | "reroll", "header"}  a header
                        {"type": "add", "axis"}
                        {"type": "key", "key"}                   "z" "y"

The traits `state` and `sheet` are enough to show the whole grid again after a reload and without a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from ....core import pictures
from ....mixing.grid import Place
from ....render.encode import encode, mime
from ....render.ladder import SMALL, Rung
from .esm import script, style
from .page import Messages, PageView

Pictures = Mapping[Place, NDArray[np.uint8]]
Header = tuple[str, int]


def encoded(tiles: Sequence[NDArray[np.uint8]]) -> tuple[bytes, str]:
    """Return pictures of one size side by side, encoded, and the media type: lossless while they are small."""
    strip = np.concatenate(list(tiles), axis=1)
    small = max(tiles[0].shape[:2]) <= SMALL
    rung = Rung(None, "png" if small else "jpeg", 85)
    return encode(strip, rung), mime(rung)


def _place(value: Sequence[int]) -> Place:
    i, j = value
    return int(i), int(j)


def _header(value: tuple[str, int]) -> Header:
    axis, number = value
    return str(axis), int(number)


class GridView(PageView):
    """The grid as a table of canvases. Headers can be dragged, layers painted, cells picked, by mouse, touch or keys."""

    _esm = script("grid_view.js")
    _css = style("guest.css", "grid_view.css")
    MESSAGES: ClassVar[Messages] = {
        "hello": lambda message: (),
        "ack": lambda message: (int(message["index"]),),
        "settle": lambda message: (),
        "near": lambda message: (_place(message["place"]),),
        "pick": lambda message: (_place(message["place"]),),
        "mask": lambda message: (tuple(bool(taken) for taken in message["mask"]), int(message["stroke"])),
        "swap": lambda message: (_header(message["one"]), _header(message["other"])),
        "remove": lambda message: (_header(message["header"]),),
        "reroll": lambda message: (_header(message["header"]),),
        "add": lambda message: (str(message["axis"]),),
        "key": lambda message: (str(message["key"]),),
    }

    state = traitlets.Dict().tag(sync=True)
    """`version`, `rows` and `columns` (each a list of names), `mask`, `layers` (name, group and title each),
    `ranges` (name, words and the mask that each takes),
    `selected` (a place or None), `stale` (places whose picture is older) and `side` (css pixels of a cell)."""
    sheet = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """All pictures as one, encoded: headers in the first row and column, as of the last rest."""
    label = traitlets.Unicode("Style mixing").tag(sync=True)

    on_hello: Callable[[], None] | None = None
    on_ack: Callable[[int], None] | None = None
    on_settle: Callable[[], None] | None = None
    on_near: Callable[[Place], None] | None = None
    on_pick: Callable[[Place], None] | None = None
    on_mask: Callable[[tuple[bool, ...], int], None] | None = None
    on_swap: Callable[[Header, Header], None] | None = None
    on_remove: Callable[[Header], None] | None = None
    on_reroll: Callable[[Header], None] | None = None
    on_add: Callable[[str], None] | None = None
    on_key: Callable[[str], None] | None = None

    def show(self, index: int, tiles: Pictures, version: int) -> None:
        """Send pictures of one size to the page; it answers with an acknowledgement of `index`."""
        data, media = encoded(list(tiles.values()))
        places = [list(place) for place in tiles]
        self.send(
            {
                "type": "cells",
                "index": index,
                "version": version,
                "places": places,
                "mime": media,
                "count": len(places),
            },
            [data],
        )

    def rest(self, whole: NDArray[np.uint8]) -> None:
        """Keep the whole grid, all pictures as one, for pages that have no kernel to ask."""
        self.sheet = pictures.encoded(whole, "JPEG", quality=88)
