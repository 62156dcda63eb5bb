"""The map of style channels on the page: a row for each layer, a cell for each channel, coloured by a measure.

Messages (JSON)::

    browser -> kernel   {"type": "hello"}              a view is on the screen
                        {"type": "pick", "channel"}    a channel was clicked, or Enter: its place among all channels
                        {"type": "name", "text"}       a channel by its name in the papers, such as "6_50"
                        {"type": "key", "key"}         "z" "y"

Everything shown is a trait, so the map is there again after a reload and without a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from ....stylespace.channel import layer_words
from .esm import script, style
from .page import Messages, PageView

if TYPE_CHECKING:
    from ....generators.protocol import Layer


def page_layers(layers: Sequence[Layer]) -> list[dict[str, object]]:
    """Return the trait `layers` for the style layers of a session."""
    return [
        {"name": layer.name, "words": layer_words(layer), "kind": layer.kind, "channels": int(layer.channels)}
        for layer in layers
    ]


def as_bytes(values: ArrayLike) -> bytes:
    """Return the trait `values` for one number a channel; what is not finite is not known."""
    array = np.array(values, dtype="<f4")
    array[~np.isfinite(array)] = np.nan
    return array.tobytes()


class ChannelMap(PageView):
    """Rows of cells that can be hovered, zoomed, dragged, clicked and walked by keys."""

    _esm = script("channel_map.js")
    _css = style("guest.css", "channel_map.css")
    MESSAGES: ClassVar[Messages] = {
        "hello": lambda message: (),
        "pick": lambda message: (int(message["channel"]),),
        "name": lambda message: (str(message["text"]),),
        "key": lambda message: (str(message["key"]),),
    }

    layers: Any = traitlets.List().tag(sync=True)
    """`page_layers` of the session."""
    values = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Little-endian float32, one a channel in StyleSpace order, NaN where it is not known; b"" for none."""
    scale = traitlets.Dict().tag(sync=True)
    """`measure` and `unit` in words, `low` and `high` of the colours, `palette` "diverging" or "sequential"."""
    selected = traitlets.Int(-1).tag(sync=True)
    """Place of the selected channel among all, -1 for none."""
    marked: Any = traitlets.List().tag(sync=True)
    """Places of the channels that are edited."""
    label = traitlets.Unicode("Map of style channels").tag(sync=True)

    on_hello: Callable[[], None] | None = None
    on_pick: Callable[[int], None] | None = None
    on_name: Callable[[str], None] | None = None
    on_key: Callable[[str], None] | None = None
