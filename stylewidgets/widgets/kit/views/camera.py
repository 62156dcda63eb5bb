"""A picture from the browser's camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
from PIL import Image

from ....core import pictures
from .esm import script, style
from .view import enable_colab_widgets


class Camera(anywidget.AnyWidget):
    """A button; the browser asks whether the page may see the camera, and says so where there is none.

    The picture is taken in the page and sent once; nothing is filmed, and the camera is off afterwards.

    Attributes:
        on_picture: called with the picture, RGB.
    """

    _esm = script("camera.js")
    _css = style("camera.css")

    def __init__(self, on_picture: Callable[[Image.Image], None], **traits: Any) -> None:
        self.on_picture = on_picture
        super().__init__(**traits)
        self.on_msg(self._receive)
        enable_colab_widgets()

    def _receive(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        if message.get("type") != "picture" or not buffers:
            return
        try:
            picture = pictures.read(bytes(buffers[0]))
        except ValueError:
            return  # a page sends what it drew; anything else is no picture of ours
        self.on_picture(picture)
