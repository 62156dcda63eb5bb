"""Two angles by hand: a head that is turned, or a lamp that is moved.

Messages (JSON)::

    browser -> kernel   {"type": "turn", "page", "number", "x", "y", "acks", ("settle")}   the newest angles
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import traitlets

from ..views.esm import script, style
from ..views.page import Messages, PageView


class AnglePad(PageView):
    """A head ("head": x turns it to the picture's right, y up) or a lamp over a ball ("lamp": x its azimuth, y its elevation).

    Drag it by mouse or finger, or use the arrow keys (Shift: larger steps); Home goes back. Callback: on_turn(x, y).
    """

    _esm = script("live.js", "requests.js", "angle_pad.js")
    _css = style("angle_pad.css")
    MESSAGES: ClassVar[Messages] = {"turn": lambda message: (float(message["x"]), float(message["y"]))}
    IN_ORDER = ("turn",)
    on_turn: Callable[[float, float], object] | None = None

    kind = traitlets.Enum(("head", "lamp"), "head").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    """What is moved, in words."""
    x = traitlets.Float(0.0).tag(sync=True)
    """Degrees, to the picture's right."""
    y = traitlets.Float(0.0).tag(sync=True)
    """Degrees, up."""
    roll = traitlets.Float(0.0).tag(sync=True)
    """Degrees clockwise; only shown."""
    home = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.0, 0.0)).tag(sync=True)
    """Where the key Home goes."""
    reach = traitlets.Tuple(*[traitlets.Float()] * 4, default_value=(-35.0, 35.0, -15.0, 15.0)).tag(sync=True)
    """Lowest and highest x, lowest and highest y."""
