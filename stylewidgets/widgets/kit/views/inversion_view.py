"""The picture pair of InversionViewer: target and result, compared in the page."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from ..errors import report
from .view import enable_colab_widgets

try:
    import anywidget
except ImportError:  # pragma: no cover - `view` says so once
    anywidget = None

_HERE = Path(__file__).parent
MODES = ("side", "swipe", "blink", "difference")


def encoded(picture: NDArray[np.uint8], final: bool = True) -> bytes:
    """A picture uint8 [H, W, 3] as PNG, which keeps every bit, or while it moves as JPEG."""
    buffer = io.BytesIO()
    if final:
        Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    else:
        Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


if anywidget is not None:

    class InversionView(anywidget.AnyWidget):
        """Two pictures beside each other, swiped, blinking or subtracted. Keys 1 to 4 choose.

        Attributes:
            on_key: called with " " when space was pressed.
            on_hello: called when a page shows it.
        """

        _esm = (_HERE / "inversion_view.js").read_text(encoding="utf-8")
        _css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("view.css", "inversion_view.css"))

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


class PlainPair(ipywidgets.VBox):
    """The same interface on core widgets: the pictures beside each other."""

    target = traitlets.Bytes(b"")
    result = traitlets.Bytes(b"")
    names: Any = traitlets.List(["target", "result"])
    mode = traitlets.Enum(MODES, "side")
    size = traitlets.Int(256, min=32)
    label = traitlets.Unicode("Target and result")
    status = traitlets.Unicode("")
    error = traitlets.Unicode("")

    def __init__(self, **traits: Any) -> None:
        self.on_key: Any = None
        self.on_hello: Any = None
        self._left, self._right = ipywidgets.Image(), ipywidgets.Image()
        self._words = ipywidgets.HTML()
        super().__init__(
            [ipywidgets.HBox([self._left, self._right], layout={"flex_flow": "row wrap"}), self._words], **traits
        )
        self.observe(self._refresh, ["target", "result", "names", "size", "status", "error"])
        self._refresh()

    def _refresh(self, _: Any = None) -> None:
        for image, data in ((self._left, self.target), (self._right, self.result)):
            image.layout.width = f"{self.size}px"
            image.format = "png" if data[:4] == b"\x89PNG" else "jpeg"
            image.value = data
        words = " | ".join(self.names) + (f" · {self.status}" if self.status else "")
        alert = f'<div role="alert">{html.escape(self.error)}</div>' if self.error else ""
        self._words.value = f"<div>{html.escape(words)}</div>{alert}"


def make_inversion_view(**traits: Any) -> Any:
    """Return an `InversionView`, or a `PlainPair` where anywidget cannot be imported."""
    return PlainPair(**traits) if anywidget is None else InversionView(**traits)
