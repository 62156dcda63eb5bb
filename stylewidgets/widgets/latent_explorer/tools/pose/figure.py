"""A stick figure to pull by its joints, with mouse, finger and keys.

Messages (JSON)::

    browser -> kernel   {"type": "pull", "page", "number", "joint", "x", "y" or "home", "acks", ("settle")}   the newest wish

Places are parts of the picture: 0 is its left or top edge, 1 the other. Where the joints go is the kernel's to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import traitlets

from ....kit.views.esm import script, style
from ....kit.views.page import Message, Messages, PageView


class Pull(NamedTuple):
    """A joint and where a hand wishes it; `place` None takes it back to where the source has it."""

    joint: str
    place: tuple[float, float] | None


def _pull(message: Message) -> tuple[Pull]:
    if message.get("home"):
        return (Pull(str(message["joint"]), None),)
    x, y = float(message["x"]), float(message["y"])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"a joint is pulled to a place in the picture; {x}, {y} came")
    return (Pull(str(message["joint"]), (x, y)),)


class FigureView(PageView):
    """Draws a figure's joints and bones. Drag a joint, or use the arrow keys on it (Shift: further); Home takes it back, Page
    Down and Page Up go to other joints. Callback: `on_pull(pull)`."""

    _esm = script("live.js", "requests.js", "figure.js")
    _css = style("figure.css")
    MESSAGES: ClassVar[Messages] = {"pull": _pull}
    IN_ORDER = ("pull",)
    on_pull: Callable[[Pull], object] | None = None

    points: traitlets.Dict[str, tuple[float, float]] = traitlets.Dict().tag(sync=True)
    """Where the joints are, by name; see `avatars.joints`."""
    joints: traitlets.List[tuple[str, str, str]] = traitlets.List().tag(sync=True)
    """What can be pulled: name, what it is called, how it stands in words."""
    radius = traitlets.Float(0.18).tag(sync=True)
    """Of the head, in picture widths."""
    label = traitlets.Unicode("").tag(sync=True)
    """What the figure is, for screen readers."""
