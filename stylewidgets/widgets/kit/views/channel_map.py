"""The map of style channels on the page: a row for each layer, a cell for each channel, coloured by a measure.

Messages (JSON)::

    browser -> kernel   {"type": "hello"}              a view is on the screen
                        {"type": "pick", "channel"}    a channel was clicked, or Enter: its place among all channels
                        {"type": "key", "key"}         "z" "y"

Everything shown is a trait, so the map is there again after a reload and without a kernel.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..errors import report
from .esm import script, style
from .view import enable_colab_widgets

_log = logging.getLogger("stylewidgets")


class _Listening:
    """The callbacks of a map. Each may be None; an exception in one is shown in the map."""

    on_hello: Callable[[], None] | None = None
    on_pick: Callable[[int], None] | None = None
    on_key: Callable[[str], None] | None = None

    def forget(self) -> None:
        """Call nobody any more."""
        self.on_hello = self.on_pick = self.on_key = None


def page_layers(layers: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the trait `layers` for the style layers of a session."""
    return [{"name": layer.name, "kind": layer.kind, "channels": int(layer.channels)} for layer in layers]


def as_bytes(values: Any) -> bytes:
    """Return the trait `values` for one number a channel; what is not finite is not known."""
    array = np.array(values, dtype="<f4")
    array[~np.isfinite(array)] = np.nan
    return array.tobytes()


class ChannelMap(_Listening, anywidget.AnyWidget):
    """Rows of cells that can be hovered, zoomed, dragged, clicked and walked by keys."""

    _esm = script("channel_map.js")
    _css = style("channel_map.css")

    layers: Any = traitlets.List().tag(sync=True)
    """`page_layers` of the session."""
    values = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Little-endian float32, one a channel in StyleSpace order, NaN where it is not known; b"" for none."""
    scale = traitlets.Dict().tag(sync=True)
    """`measure` and `unit` in words, `low` and `high` of the colours, `palette` "diverging" or "sequential"."""
    selected = traitlets.Int(-1).tag(sync=True)
    """Place of the selected channel among all, -1 for none."""
    marked: Any = traitlets.List().tag(sync=True)
    """Places of the channels that are edited."""
    label = traitlets.Unicode("Map of style channels").tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    """Small line below."""
    error = traitlets.Unicode("").tag(sync=True)
    """Message over the map, with a button to take it away; "" for none."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._receive)
        enable_colab_widgets()

    def _receive(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        kind = message.get("type")
        try:
            if kind == "hello" and self.on_hello is not None:
                self.on_hello()
            elif kind == "pick" and self.on_pick is not None:
                self.on_pick(int(message["channel"]))
            elif kind == "key" and self.on_key is not None:
                self.on_key(str(message["key"]))
            elif kind not in ("hello", "pick", "key"):
                _log.debug("message of an unknown type from the page: %r", message)
        except Exception as error:  # noqa: BLE001  the edge: ipywidgets would only log it
            report(self, error)
