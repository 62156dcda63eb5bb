"""A picture from the browser's camera."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from ..sharing import shared_layout
from .view import enable_colab_widgets

try:
    import anywidget
except ImportError:  # pragma: no cover - `view` says so once
    anywidget = None

_HERE = Path(__file__).parent


if anywidget is not None:

    class Camera(anywidget.AnyWidget):
        """A button; the browser asks whether the page may see the camera, and says so where there is none.

        The picture is taken in the page and sent once; nothing is filmed, and the camera is off afterwards.

        Attributes:
            on_picture: called with the picture, RGB.
        """

        _esm = (_HERE / "camera.js").read_text(encoding="utf-8")
        _css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("view.css", "camera.css"))

        def __init__(self, on_picture: Callable[[Image.Image], None], **traits: Any) -> None:
            self.on_picture = on_picture
            super().__init__(**traits)
            self.on_msg(self._receive)
            enable_colab_widgets()

        def _receive(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
            if message.get("type") != "picture" or not buffers:
                return
            try:
                with Image.open(io.BytesIO(bytes(buffers[0]))) as image:
                    picture = image.convert("RGB")
            except (UnidentifiedImageError, OSError):
                return  # a page sends what it drew; anything else is no picture of ours
            self.on_picture(picture)


def make_camera(on_picture: Callable[[Image.Image], None]) -> Any:
    """Return a `Camera`, or None where anywidget cannot be imported."""
    return None if anywidget is None else Camera(on_picture, layout=shared_layout())
