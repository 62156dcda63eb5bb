"""The picture pair of InversionViewer: target and result, compared in the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from ....core import pictures
from .esm import script, style
from .page import Message, Messages, PageView

MODES = ("side", "swipe", "blink", "difference")


def encoded(picture: NDArray[np.uint8], final: bool = True) -> bytes:
    """A picture uint8 [H, W, 3] as PNG, which keeps every bit, or while it moves as JPEG."""
    return pictures.encoded(picture, "PNG" if final else "JPEG")


class InversionView(PageView):
    """Two pictures beside each other, swiped, blinking or subtracted. Keys 1 to 4 choose. A picture can be dropped on the
    target, or chosen from the disk by its button.

    Attributes:
        on_key: called with " " when space was pressed.
        on_file: called with name and bytes of a file that was dropped or chosen.
        on_hello: called when a page shows it.
    """

    _esm = script("inversion_view.js")
    _css = style("guest.css", "inversion_view.css")
    MESSAGES: ClassVar[Messages] = {
        "hello": lambda message: (),
        "key": lambda message: (str(message["key"]),),
        "file": lambda message: (str(message["name"]), message["data"]),
    }

    target = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded; b"" for none."""
    result = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded; b"" for none."""
    names: Any = traitlets.List(["target", "result"]).tag(sync=True)
    """What stands below the two."""
    mode = traitlets.Enum(MODES, "side").tag(sync=True)
    size = traitlets.Int(320, min=32).tag(sync=True)
    """Width of one picture in css pixels; smaller where the cell is narrow."""
    label = traitlets.Unicode("Target and result").tag(sync=True)

    on_key: Callable[[str], None] | None = None
    on_hello: Callable[[], None] | None = None
    on_file: Callable[[str, bytes], None] | None = None

    def _receive(self, sender: object, message: Message, buffers: Any) -> None:
        super()._receive(sender, {**message, "data": bytes(buffers[0])} if buffers else message, buffers)
