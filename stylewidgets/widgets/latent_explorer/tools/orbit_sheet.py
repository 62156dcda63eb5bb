"""A clear sheet over a live picture, to walk round what it shows: by mouse, finger, wheel and keys.

Messages (JSON)::

    browser -> kernel   {"type": "orbit", "page", "number", "yaw", "pitch", "fov", "rest", "acks", ("settle")}

Numbers count up, so that an older message that comes last is dropped. While a hand turns the picture, nothing is sent back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import traitlets

from ...kit.views.esm import script, style
from ...kit.views.page import Message, Messages, PageView


class Turn(NamedTuple):
    """Where a page wishes the camera, in degrees, and whether the hand has let go."""

    yaw: float
    pitch: float
    fov: float
    rest: bool


def _turn(message: Message) -> tuple[Turn]:
    angles = [float(message[name]) for name in ("yaw", "pitch", "fov")]
    if not all(map(math.isfinite, angles)):
        raise ValueError(f"a camera stands at finite angles; {angles} came")
    yaw, pitch, fov = angles
    return (Turn(yaw, pitch, fov, bool(message.get("rest"))),)


class OrbitSheet(PageView):
    """The picture under it is what is dragged; a small globe in its corner shows where one is. Callback: `on_orbit(turn)`.

    Keys, while it has the focus: arrows go round by 2 degrees, with Shift by 10; + and − come nearer and go further, Home
    looks straight.
    """

    _esm = script("live.js", "requests.js", "orbit.js")
    _css = style("orbit.css")
    MESSAGES: ClassVar[Messages] = {"orbit": _turn}
    IN_ORDER = ("orbit",)
    on_orbit: Callable[[Turn], object] | None = None

    place: traitlets.Dict[str, float] = traitlets.Dict({"yaw": 0.0, "pitch": 0.0, "fov": 30.0}).tag(sync=True)
    """Yaw, pitch and field of view in degrees."""
    home: traitlets.Dict[str, float] = traitlets.Dict({"yaw": 0.0, "pitch": 0.0, "fov": 30.0}).tag(sync=True)
    """Where Home goes to."""
    trained: traitlets.List[float] = traitlets.List([-30.0, 30.0, -15.0, 15.0]).tag(sync=True)
    """Lowest and highest yaw and pitch that the generator was trained on."""
    picture = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """What lies over the live picture, encoded, such as its depth; b"" for nothing."""
    label = traitlets.Unicode("").tag(sync=True)
    """What is seen, for screen readers."""

    def __init__(self, **traits: object) -> None:
        self._held = False
        super().__init__(**traits)

    def show(self, place: dict[str, float], label: str) -> None:
        """Bring the page to this place, where no hand holds it."""
        self.place, self.label = place, label

    def _call(self, kind: str, *arguments: object) -> None:
        (turn,) = arguments
        assert isinstance(turn, Turn)
        self._held = True
        try:
            super()._call(kind, turn)
        finally:
            self._held = False
        if turn.rest:
            self.send_state(("place", "label"))

    def _should_send_property(self, key: str, value: object) -> bool:
        if self._held and key in ("place", "label"):
            return False
        return bool(super()._should_send_property(key, value))
