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

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from ....mixing.grid import Place
from ....render.encode import encode, mime
from ....render.ladder import SMALL, Rung
from ..errors import report
from .esm import script, style
from .view import enable_colab_widgets

_log = logging.getLogger("stylewidgets")

Pictures = Mapping[Place, Any]
Header = tuple[str, int]


def encoded(tiles: Sequence[Any]) -> tuple[bytes, str]:
    """Return pictures of one size side by side, encoded, and the media type: lossless while they are small."""
    strip = np.concatenate(list(tiles), axis=1)
    small = max(tiles[0].shape[:2]) <= SMALL
    rung = Rung(None, "png" if small else "jpeg", 85)
    return encode(strip, rung), mime(rung)


class _Listening:
    """The callbacks of a grid's view. Each may be None; an exception in one is shown in the view."""

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

    CALLBACKS = ("hello", "ack", "settle", "near", "pick", "mask", "swap", "remove", "reroll", "add", "key")

    def forget(self) -> None:
        """Call nobody any more."""
        for name in self.CALLBACKS:
            setattr(self, f"on_{name}", None)


def _arguments(kind: str, message: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a message means, as the arguments of its callback. Raises KeyError, TypeError or ValueError for nonsense."""

    def header(value: Any) -> Header:
        axis, number = value
        return str(axis), int(number)

    if kind in ("near", "pick"):
        i, j = message["place"]
        return ((int(i), int(j)),)
    if kind == "mask":
        return tuple(bool(taken) for taken in message["mask"]), int(message["stroke"])
    if kind == "swap":
        return header(message["one"]), header(message["other"])
    if kind in ("remove", "reroll"):
        return (header(message["header"]),)
    fields = {"ack": ("index", int), "add": ("axis", str), "key": ("key", str)}
    if kind in fields:
        name, make = fields[kind]
        return (make(message[name]),)
    return ()


class GridView(_Listening, anywidget.AnyWidget):
    """The grid as a table of canvases. Headers can be dragged, layers painted, cells picked, by mouse, touch or keys."""

    _esm = script("grid_view.js")
    _css = style("grid_view.css")

    state = traitlets.Dict().tag(sync=True)
    """`version`, `rows` and `columns` (each a list of names), `mask`, `layers` (name, group and title each),
    `selected` (a place or None), `stale` (places whose picture is older) and `side` (css pixels of a cell)."""
    sheet = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """All pictures as one, encoded: headers in the first row and column, as of the last rest."""
    label = traitlets.Unicode("Style mixing").tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    """Small line below."""
    error = traitlets.Unicode("").tag(sync=True)
    """Message over the grid, with a button to take it away; "" for none."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._receive)
        enable_colab_widgets()

    def show(self, index: int, pictures: Pictures, version: int) -> None:
        """Send pictures of one size to the page; it answers with an acknowledgement of `index`."""
        data, media = encoded(list(pictures.values()))
        places = [list(place) for place in pictures]
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

    def rest(self, whole: Any) -> None:
        """Keep the whole grid, a PIL image of all pictures, for pages that have no kernel to ask."""
        buffer = io.BytesIO()
        whole.save(buffer, "JPEG", quality=88)
        self.sheet = buffer.getvalue()

    def _receive(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        kind = message.get("type")
        if kind not in self.CALLBACKS:
            _log.debug("message of an unknown type from the page: %r", message)
            return
        try:
            callback = getattr(self, f"on_{kind}")
            if callback is not None:
                callback(*_arguments(str(kind), message))
        except Exception as error:  # noqa: BLE001  the edge: ipywidgets would only log it
            report(self, error)
