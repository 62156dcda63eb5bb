"""A sheet of pictures to tick on the page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from .view import enable_colab_widgets

try:
    import anywidget
except ImportError:  # pragma: no cover - `view` says so once
    anywidget = None

_HERE = Path(__file__).parent


def tiled(pictures: NDArray[np.uint8], columns: int) -> bytes:
    """Return pictures uint8 [n, h, w, 3] in rows of so many, as JPEG."""
    n, height, width = pictures.shape[:3]
    rows = -(-n // columns)
    made = np.zeros((rows * height, columns * width, 3), np.uint8)
    for k, picture in enumerate(pictures):
        i, j = divmod(k, columns)
        made[i * height : (i + 1) * height, j * width : (j + 1) * width] = picture
    buffer = io.BytesIO()
    Image.fromarray(made).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


if anywidget is not None:

    class PictureSheet(anywidget.AnyWidget):
        """Pictures that are chosen by a click, by dragging over them, or with arrow keys and space."""

        _esm = (_HERE / "picture_sheet.js").read_text(encoding="utf-8")
        _css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("view.css", "picture_sheet.css"))

        sheet = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
        """All pictures as one, encoded."""
        names: Any = traitlets.List().tag(sync=True)
        """What each picture is."""
        columns = traitlets.Int(8).tag(sync=True)
        chosen: Any = traitlets.List().tag(sync=True)
        """Numbers of the chosen pictures, rising."""
        label = traitlets.Unicode("Pictures; arrows move, space chooses").tag(sync=True)

        def __init__(self, **traits: Any) -> None:
            super().__init__(**traits)
            enable_colab_widgets()

        def show(self, pictures: NDArray[np.uint8], names: Sequence[str]) -> None:
            """Show these pictures uint8 [n, h, w, 3]; none is chosen."""
            with self.hold_sync():
                self.sheet, self.names, self.chosen = tiled(pictures, self.columns), list(names), []


class MenuSheet(ipywidgets.VBox):
    """The same interface on core widgets: one picture of all, and a list to choose from."""

    chosen: Any = traitlets.List()

    def __init__(self, columns: int = 8, **_: Any) -> None:
        self.columns = columns
        self._image = ipywidgets.Image(format="jpeg", layout={"max_width": "100%"})
        self._list = ipywidgets.SelectMultiple(rows=8)
        self._list.observe(self._on_list, "value")
        super().__init__([self._image, self._list])
        self.observe(self._on_chosen, "chosen")

    def show(self, pictures: NDArray[np.uint8], names: Sequence[str]) -> None:
        """Show these pictures uint8 [n, h, w, 3]; none is chosen."""
        self._image.value = tiled(pictures, self.columns)
        self._list.options = [(name, k) for k, name in enumerate(names)]
        self.chosen = []

    def _on_list(self, _: Any) -> None:
        self.chosen = sorted(self._list.value)

    def _on_chosen(self, _: Any) -> None:
        self._list.value = tuple(self.chosen)


def make_picture_sheet(**traits: Any) -> Any:
    """Return a `PictureSheet`, or a `MenuSheet` where anywidget cannot be imported."""
    return MenuSheet(**traits) if anywidget is None else PictureSheet(**traits)
