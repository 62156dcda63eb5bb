"""Frames of a live picture on their way to a display. Pure Python: knows no torch, no Jupyter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class Picture(NamedTuple):
    """What the render function makes: encoded bytes and how long encoding took, in milliseconds.

    What another machine drew says besides how long that took there, and how far apart such pictures can come.
    """

    data: bytes
    mime: str
    width: int
    height: int
    encode_ms: float = 0.0
    render_ms: float | None = None
    frame_ms: float | None = None


Encode = Callable[[], "Picture | None"]
"""Pixels on their way: encodes them, in any thread. Nothing else writes to them meanwhile. None where another machine drew a
newer value in place of this one."""


@dataclass(frozen=True)
class Frame:
    """One encoded picture on its way to a display.

    Attributes:
        index: counts up from 1, with gaps; what the display acknowledges.
        data, mime, width, height: the encoded picture.
        rung_name: "drag", "full" or "still".
        final: whether it cannot be improved: full size and lossless.
        render_ms, encode_ms: how long it took.
        value: what it shows.
    """

    index: int
    data: bytes
    mime: str
    width: int
    height: int
    rung_name: str
    final: bool
    render_ms: float = 0.0
    encode_ms: float = 0.0
    value: Any = None


class Display(Protocol):
    """Where frames go. It may call `Pump.acknowledge` at once, later, from another thread, or never."""

    def show(self, frame: Frame) -> None: ...
