"""The picture that is there without a kernel: on GitHub and nbviewer, in exported HTML, in a reopened notebook.

A widget's own output is nothing but a reference to a model that lives in a kernel. So a second, ordinary output stands
beside it in the cell and is replaced each time the picture comes to rest. While a live view is in the same output area,
``view.css`` hides it, and nothing is seen twice.
"""

from __future__ import annotations

import base64
import html
import logging
import uuid
from typing import Any

from PIL import Image

from ...core import pictures

_log = logging.getLogger("stylewidgets")

LONGEST_SIDE = 512
"""Larger pictures are saved at this size, in pixels."""

MOST_BYTES = 200_000
"""Larger files are saved as JPEG: the notebook holds the picture twice, once in HTML and once as an image."""


def compact(data: bytes, mime: str) -> tuple[bytes, str]:
    """Return an encoded picture that is fit to be saved in a notebook, and its media type: PNG or JPEG."""
    image = pictures.read(data)
    if max(image.size) <= LONGEST_SIDE and len(data) <= MOST_BYTES and mime in ("image/png", "image/jpeg"):
        return data, mime
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return pictures.encoded(image, "JPEG"), "image/jpeg"


def mimebundle(data: bytes, mime: str, alt: str, width: int) -> dict[str, str]:
    """Return the output for an encoded picture, ``width`` css pixels wide: HTML, the image itself, and words."""
    data, mime = compact(data, mime)
    code = base64.b64encode(data).decode("ascii")
    words = html.escape(alt, quote=True)
    style = "width:100%;height:auto;border-radius:4px"
    return {
        "text/html": (
            f'<div class="stylewidgets-static" style="max-width:{width}px">'
            f'<img alt="{words}" width="{width}" style="{style}" src="data:{mime};base64,{code}"></div>'
        ),
        mime: code,
        "text/plain": alt,
    }


class SavedPicture:
    """One saved picture: ``display`` puts it into the running cell, ``update`` replaces it wherever it stands.

    ``width`` in css pixels. Outside IPython both do nothing.
    """

    def __init__(self, width: int = 384) -> None:
        self.display_id = f"stylewidgets-{uuid.uuid4().hex}"
        self.width = width
        self._picture: tuple[bytes, str, str] | None = None
        self._displayed = False

    def update(self, data: bytes, mime: str, alt: str) -> None:
        """Make the encoded picture ``data`` the saved one, described by ``alt``. Call it when the picture rests."""
        picture = (bytes(data), mime, alt)
        if picture == self._picture:
            return
        self._picture = picture
        if self._displayed:
            self._publish(update=True)

    def display(self) -> None:
        """Put the picture into the output of the running cell. Nothing happens before the first ``update``."""
        if self._picture is not None:
            self._displayed = True
            self._publish(update=False)

    def _publish(self, *, update: bool) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.display import publish_display_data

        if self._picture is None or not InteractiveShell.initialized():
            return
        try:
            bundle = mimebundle(*self._picture, self.width)
        except ValueError as error:  # Pillow cannot read it; the live picture does not depend on this
            _log.warning("the picture could not be saved in the notebook: %s", error)
            return
        publish_display_data(bundle, transient={"display_id": self.display_id}, update=update)


class SavesPicture:
    """Mixin for a widget with an attribute ``saved``: displaying it puts the saved picture next to it.

    Stands before the widget class among the bases. Inside another widget's layout nothing is saved.
    """

    saved: SavedPicture

    def _ipython_display_(self, **options: object) -> None:
        parent: Any = super()
        if hasattr(parent, "_ipython_display_"):  # ipywidgets 7
            parent._ipython_display_(**options)
        else:
            from IPython.display import display

            # The words are what a reader without a kernel sees above the picture: not the widget's whole state.
            display({**parent._repr_mimebundle_(**options), "text/plain": type(self).__name__}, raw=True)
        self._displayed()
        self.saved.display()

    def _displayed(self) -> None:
        """Called when it was put on a page, before its picture is saved: time for what its first sight does not need."""
