"""The live picture: a small view of our own.

Messages (JSON, frames with one binary buffer)::

    kernel -> browser   {"type": "frame", "index", "mime", "width", "height", ("preview")} + bytes   a frame that is not final
                        traits frame, mime, info in one update                             a final frame
    browser -> kernel   {"type": "hello", "dpr", "width"}        a view is on the screen
                        {"type": "ack", "index", "ms"}           painted, and so are or will never be all before it;
                                                                 sent when two frames came and no other message took it along
                        {"type": "settle", "acks"}               nothing has moved for a moment
                        {"type": "visible", "value"}             scrolled out of sight, tab hidden, or back
                        {"type": "key", "key"}                   z y r s and arrows, while the picture has the focus
                        {"type": "pointer", "event", "x", "y", "buttons", "id", "keys", ("dx", "dy")}

A final frame travels as traits because the page asks for traits again after a reload and a saved notebook keeps them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import traitlets

from .esm import script, style
from .page import SHOWN, Messages, PageView

if TYPE_CHECKING:
    from ....render.pump import Frame


class LiveView(PageView):
    """A canvas that shows the newest frame, acknowledges it and reports input.

    Implements the ``Display`` protocol of ``stylewidgets.render.pump``. Callbacks:

    on_ack(index)        the frame with this index has been painted or dropped in favour of a newer one
    on_settle()          the picture has come to rest: time for a better one of the same state; once a rest
    on_hello(dpr, width) a view has been displayed; css pixels and device pixel ratio
    on_visible(value)    whether any view can be seen
    on_key(key)          "z" "y" "r" "s" "ArrowLeft" "ArrowRight" "ArrowUp" "ArrowDown"
    on_pointer(event)    dict: event ("down" "move" "up" "cancel" "leave" "wheel"), x and y in 0..1 of the picture
                         (outside during a drag), buttons (bit set), id, keys (list of held modifiers), dx, dy (wheel)
    """

    # One module without a build step: the last part uses functions of the others.
    _esm = script("live.js", "resample.js", "input.js", "view.js")
    _css = style()
    MESSAGES: ClassVar[Messages] = {
        "ack": lambda message: (message["index"],),
        "settle": lambda message: (),
        "hello": lambda message: (float(message["dpr"]), float(message["width"])),
        "visible": lambda message: (bool(message["value"]),),
        "key": lambda message: (message["key"],),
        "pointer": lambda message: ({name: value for name, value in message.items() if name != "type"},),
    }

    on_ack: Callable[[int], None] | None = None
    on_settle: Callable[[], None] | None = None
    on_hello: Callable[[float, float], None] | None = None
    on_visible: Callable[[bool], None] | None = None
    on_key: Callable[[str], None] | None = None
    on_pointer: Callable[[dict[str, object]], None] | None = None

    frame = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded bytes of the last final frame. Set by ``show``; a page that is reloaded starts from it."""
    mime = traitlets.Unicode("image/png").tag(sync=True)
    """Media type of ``frame``."""
    info = traitlets.Dict().tag(sync=True)
    """``index``, ``width`` and ``height`` of ``frame``, and whether it was ``settled``: made because nothing moved."""
    key = traitlets.Unicode("").tag(sync=True)
    """What other views of the page know it by."""
    label = traitlets.Unicode("Live picture").tag(sync=True)
    """What the picture is, for screen readers."""
    alt = traitlets.Unicode("").tag(sync=True)
    """What it shows now, for screen readers and the saved picture."""
    badge = traitlets.Unicode("").tag(sync=True)
    """Words on the picture, such as that it is a moment of a film and not the present value; "" for none."""
    size = traitlets.Int(384, min=32).tag(sync=True)
    """Width in css pixels; never wider than the cell."""
    smoothing = traitlets.Enum(("smooth", "pixels"), "smooth").tag(sync=True)
    """How a picture smaller than its place is enlarged."""
    interactive = traitlets.Bool(False).tag(sync=True)
    """Whether pointer and wheel events are sent."""
    keyboard = traitlets.Bool(False).tag(sync=True)
    """Whether keys are sent. Follows ``on_key``."""
    compare = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded picture shown while "Hold to see the start" or the space bar is held; b"" for no such button."""

    def __init__(self, **traits: object) -> None:
        super().__init__(**{"key": uuid.uuid4().hex, **traits})
        SHOWN[self.key] = self
        self._lock = threading.RLock()
        self._number = 0  # of the last frame on the wire; never restarts, unlike the index of a new pump
        self._waiting: dict[int, int] = {}  # number on the wire -> index of the frame, until acknowledged
        self._resting = True  # nothing to settle
        self._settling = False

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "on_key":
            self.keyboard = value is not None

    def show(self, frame: Frame) -> None:
        """Send a frame to the page: as a message, or as the ``frame`` trait when it is final."""
        with self._lock:
            self._number += 1
            self._waiting[self._number] = frame.index
            while len(self._waiting) > 64:  # nobody is looking, for example in an executed but closed notebook
                del self._waiting[next(iter(self._waiting))]
            self._resting = self._resting and frame.final and self._settling
            info = {"index": self._number, "width": frame.width, "height": frame.height}
            if frame.rung_name == "preview":
                info["preview"] = True
            if not frame.final:
                self.send({"type": "frame", "mime": frame.mime, **info}, [frame.data])
                return
            with self.hold_sync():
                self.frame = bytes(frame.data)
                self.mime = frame.mime
                self.info = {**info, "settled": self._settling}

    def show_at_rest(self, frame: Frame) -> None:
        """Send the final frame of what has come to rest, later than it was asked for."""
        self._settling = True
        try:
            self.show(frame)
            self._resting = True
        finally:
            self._settling = False

    def stir(self) -> None:
        """There is something newer than what was shown: a wish for the best picture counts again, even before it is drawn."""
        with self._lock:
            self._resting = False

    def acknowledge(self, number: int) -> None:
        """The page has the frame with this number on the wire, and all before it."""
        with self._lock:
            done = [sent for sent in self._waiting if sent <= number]
            indices = [self._waiting.pop(sent) for sent in done]
        for index in indices:
            super()._call("ack", index)

    def settle(self) -> None:
        """The page wants the best picture of the present state."""
        self._call("settle")

    def _call(self, kind: str, *arguments: object) -> None:
        if kind == "ack":
            (number,) = arguments
            assert isinstance(number, int)
            self.acknowledge(number)
        elif kind != "settle":
            super()._call(kind, *arguments)
        elif not self._resting:  # every open page asks; the first one is enough
            self._resting = self._settling = True  # what is shown during the call is the settled picture
            try:
                super()._call(kind)
            finally:
                self._settling = False
