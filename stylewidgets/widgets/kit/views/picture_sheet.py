"""A sheet of pictures to tick on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from ....core.pictures import encoded
from ....core.pixels import tiled
from .esm import script, style
from .page import View


class PictureSheet(View):
    """Pictures that are chosen by a click, by dragging over them, or with arrow keys and space."""

    _esm = script("picture_sheet.js")
    _css = style("picture_sheet.css")

    sheet = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """All pictures as one, encoded."""
    names: Any = traitlets.List().tag(sync=True)
    """What each picture is."""
    columns = traitlets.Int(8).tag(sync=True)
    chosen: Any = traitlets.List().tag(sync=True)
    """Numbers of the chosen pictures, rising."""
    label = traitlets.Unicode("Pictures; arrows move, space chooses").tag(sync=True)

    def show(self, pictures: NDArray[np.uint8], names: Sequence[str]) -> None:
        """Show these pictures uint8 [n, h, w, 3]; none is chosen."""
        with self.hold_sync():
            places = {divmod(k, self.columns): picture for k, picture in enumerate(pictures)}
            whole = tiled(places, -(-len(pictures) // self.columns), self.columns)
            self.sheet, self.names, self.chosen = encoded(whole, "JPEG", quality=88), list(names), []
