"""The picture pair of InversionViewer: target and result, compared in the page."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from ..errors import report
from .esm import script, style
from .view import enable_colab_widgets

MODES = ("side", "swipe", "blink", "difference")


def encoded(picture: NDArray[np.uint8], final: bool = True) -> bytes:
    """A picture uint8 [H, W, 3] as PNG, which keeps every bit, or while it moves as JPEG."""
    buffer = io.BytesIO()
    if final:
        Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    else:
        Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


class InversionView(anywidget.AnyWidget):
    """Two pictures beside each other, swiped, blinking or subtracted. Keys 1 to 4 choose.

    Attributes:
        on_key: called with " " when space was pressed.
        on_hello: called when a page shows it.
    """

    _esm = script("inversion_view.js")
    _css = style("inversion_view.css")

    target = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded; b"" for none."""
    result = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded; b"" for none."""
    names: Any = traitlets.List(["target", "result"]).tag(sync=True)
    """What stands below the two."""
    mode = traitlets.Enum(MODES, "side").tag(sync=True)
    size = traitlets.Int(256, min=32).tag(sync=True)
    """Width of one picture in css pixels; smaller where the cell is narrow."""
    label = traitlets.Unicode("Target and result").tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    """Message below the pictures, with a button to take it away; "" for none."""

    def __init__(self, **traits: Any) -> None:
        self.on_key: Callable[[str], None] | None = None
        self.on_hello: Callable[[], None] | None = None
        super().__init__(**traits)
        self.on_msg(self._receive)
        enable_colab_widgets()

    def _receive(self, _: Any, message: dict[str, Any], __: Any) -> None:
        try:
            if message.get("type") == "key" and self.on_key is not None:
                self.on_key(str(message["key"]))
            elif message.get("type") == "hello" and self.on_hello is not None:
                self.on_hello()
        except Exception as error:  # noqa: BLE001  the edge: ipywidgets would only log it
            report(self, error)
