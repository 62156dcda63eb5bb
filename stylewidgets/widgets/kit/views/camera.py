"""A picture from the browser's camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from ....core import pictures
from .esm import script, style
from .page import Message, View


class Camera(View):
    """A button; the browser asks whether the page may see the camera, and says so where there is none.

    The picture is taken in the page and sent once; nothing is filmed, and the camera is off afterwards.

    Attributes:
        on_picture: called with the picture, RGB.
    """

    _esm = script("camera.js")
    _css = style("camera.css")

    def __init__(self, on_picture: Callable[[Image.Image], None], **traits: object) -> None:
        self.on_picture = on_picture
        super().__init__(**traits)
        self.on_msg(self._receive)

    def _receive(self, _: object, message: Message, buffers: Sequence[bytes]) -> None:
        if message.get("type") != "picture" or not buffers:
            return
        try:
            picture = pictures.read(bytes(buffers[0]))
        except ValueError:
            return  # a page sends what it drew; anything else is no picture of ours
        self.on_picture(picture)
