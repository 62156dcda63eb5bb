"""The map of style channels on the page: a row for each layer, a cell for each channel, coloured by a measure.

Messages (JSON)::

    browser -> kernel   {"type": "hello"}              a view is on the screen
                        {"type": "pick", "channel"}    a channel was clicked, or Enter: its place among all channels
                        {"type": "key", "key"}         "z" "y"

Everything shown is a trait, so the map is there again after a reload and without a kernel.
"""

from __future__ import annotations

import html
import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets
from PIL import Image

from ..errors import report
from .view import enable_colab_widgets

try:
    import anywidget
except ImportError:  # pragma: no cover - `view` says so once
    anywidget = None

_log = logging.getLogger("stylewidgets")
_HERE = Path(__file__).parent


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


if anywidget is not None:

    class ChannelMap(_Listening, anywidget.AnyWidget):
        """Rows of cells that can be hovered, zoomed, dragged, clicked and walked by keys."""

        _esm = (_HERE / "channel_map.js").read_text(encoding="utf-8")
        _css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("view.css", "channel_map.css"))

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


class ImageMap(_Listening, ipywidgets.VBox):
    """The same interface on core widgets: a picture of the map. Channels are chosen by typing their names."""

    layers: Any = traitlets.List()
    values = traitlets.Bytes(b"")
    scale = traitlets.Dict()
    selected = traitlets.Int(-1)
    marked: Any = traitlets.List()
    label = traitlets.Unicode("Map of style channels")
    status = traitlets.Unicode("")
    error = traitlets.Unicode("")

    ROW = 12
    """Pixels of a row."""

    def __init__(self, **traits: Any) -> None:
        self._image = ipywidgets.Image(format="png", layout={"width": "100%", "max_width": "760px"})
        self._status, self._error = ipywidgets.Label(), ipywidgets.HTML()
        super().__init__([self._image, self._error, self._status], **traits)
        self.observe(self._refresh, ["status", "error", "values", "layers", "scale"])
        self._refresh()

    def _refresh(self, _: Any = None) -> None:
        self._status.value = self.status
        self._error.value = f'<div role="alert">{html.escape(self.error)}</div>' if self.error else ""
        if self.layers and self.values:
            buffer = io.BytesIO()
            self._picture().save(buffer, "PNG")
            self._image.value = buffer.getvalue()

    def _picture(self) -> Image.Image:
        widths = [layer["channels"] for layer in self.layers]
        values = np.frombuffer(self.values, "<f4")
        low, high = self.scale.get("low", 0.0), self.scale.get("high", 1.0)
        grey = np.nan_to_num(np.clip((values - low) / ((high - low) or 1.0), 0, 1)) * 255
        made = np.zeros((len(widths) * self.ROW, max(widths)), np.uint8)
        for number, part in enumerate(np.split(grey, np.cumsum(widths)[:-1])):
            made[number * self.ROW : (number + 1) * self.ROW - 1, : len(part)] = part
        return Image.fromarray(made)


def make_channel_map(**traits: Any) -> Any:
    """Return a `ChannelMap`, or an `ImageMap` where anywidget cannot be imported."""
    return ImageMap(**traits) if anywidget is None else ChannelMap(**traits)
