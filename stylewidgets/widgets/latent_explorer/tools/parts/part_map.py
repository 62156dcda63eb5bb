"""Regions of a picture on the picture: the one under the pointer is lit, a click chooses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from ....kit.views.esm import script, style
from ....kit.views.page import Messages, PageView

NOWHERE = 255
"""The label of places that belong to no region."""


class PartMap(PageView):
    """A clear sheet to lie over a live picture. Which region is under the pointer is found in the page.

    There is nothing on it for keys: who uses it offers the regions as buttons, too. Callback:

    on_pick(region)  a region was clicked
    """

    _esm = script("part_map.js")
    _css = style("part_map.css")
    MESSAGES: ClassVar[Messages] = {"pick": lambda message: (int(message["region"]),)}
    on_pick: Callable[[int], object] | None = None

    labels = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """The region of each place, one byte each, row by row; b"" for nothing known."""
    width = traitlets.Int(340).tag(sync=True)
    """Css pixels of the picture below."""
    size: Any = traitlets.List([1, 1]).tag(sync=True)
    """Height and width of the map in places."""
    names: Any = traitlets.List().tag(sync=True)
    """What each region is called."""
    chosen: Any = traitlets.List().tag(sync=True)
    """The chosen regions."""

    def show(self, labels: NDArray[np.integer[Any]], names: Sequence[str]) -> None:
        """Show regions [h, w]: indices into `names`, less than 255 of them; negative for none."""
        with self.hold_sync():
            self.size, self.names = list(labels.shape), list(names)
            self.labels = np.where(labels < 0, NOWHERE, labels).astype(np.uint8).tobytes()
