"""The live picture: a small view of our own.

Messages (JSON, frames with one binary buffer)::

    kernel -> browser   {"type": "frame", "index", "mime", "width", "height"} + bytes      a frame that is not final
                        traits frame, mime, info in one update                             a final frame
    browser -> kernel   {"type": "hello", "dpr", "width"}        a view is on the screen
                        {"type": "ack", "index", "ms"}           painted, and so are or will never be all before it
                        {"type": "settle"}                       nothing has moved for a moment
                        {"type": "visible", "value"}             scrolled out of sight, tab hidden, or back
                        {"type": "key", "key"}                   z y r s and arrows, while the picture has the focus
                        {"type": "pointer", "event", "x", "y", "buttons", "id", "keys", ("dx", "dy")}

A final frame travels as traits because the page asks for traits again after a reload and a saved notebook keeps them.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..errors import report
from .esm import script, style

if TYPE_CHECKING:
    from ....render.pump import Frame

_log = logging.getLogger("stylewidgets")


@lru_cache(maxsize=1)
def enable_colab_widgets() -> bool:
    """Turn on Colab's manager for third-party widgets, once. True when this is Colab.

    Looks in ``sys.modules`` and imports nothing: outside Colab the module does not exist.
    """
    output = sys.modules.get("google.colab.output")
    if output is None:
        return False
    output.enable_custom_widget_manager()
    return True


class _Listening:
    """The callbacks of a view. Each may be None; an exception in one is shown in the view.

    on_ack(index)        the frame with this index has been painted or dropped in favour of a newer one
    on_settle()          the picture has come to rest: time for a better one of the same state; once a rest
    on_hello(dpr, width) a view has been displayed; css pixels and device pixel ratio
    on_visible(value)    whether any view can be seen
    on_key(key)          "z" "y" "r" "s" "ArrowLeft" "ArrowRight" "ArrowUp" "ArrowDown"
    on_pointer(event)    dict: event ("down" "move" "up" "cancel" "leave" "wheel"), x and y in 0..1 of the picture
                         (outside during a drag), buttons (bit set), id, keys (list of held modifiers), dx, dy (wheel)
    """

    on_ack: Callable[[int], None] | None = None
    on_settle: Callable[[], None] | None = None
    on_hello: Callable[[float, float], None] | None = None
    on_visible: Callable[[bool], None] | None = None
    on_key: Callable[[str], None] | None = None
    on_pointer: Callable[[dict[str, Any]], None] | None = None


def _check_names(view: type, traits: dict[str, Any]) -> None:
    unknown = sorted(set(traits) - set(view.class_trait_names()))  # type: ignore[attr-defined]
    if unknown:
        own = ", ".join(sorted(view.class_own_traits()))  # type: ignore[attr-defined]
        raise TypeError(f"{view.__name__} has no {', '.join(unknown)}; it takes {own}")


class LiveView(_Listening, anywidget.AnyWidget):
    """A canvas that shows the newest frame, acknowledges it and reports input.

    Implements the ``Display`` protocol of ``stylewidgets.render.pump``. Unknown keyword arguments raise TypeError.
    """

    # One module without a build step: the last part uses functions of the others.
    _esm = script("resample.js", "input.js", "view.js")
    _css = style()

    frame = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded bytes of the last final frame. Set by ``show``; a page that is reloaded starts from it."""
    mime = traitlets.Unicode("image/png").tag(sync=True)
    """Media type of ``frame``."""
    info = traitlets.Dict().tag(sync=True)
    """``index``, ``width`` and ``height`` of ``frame``, and whether it was ``settled``: made because nothing moved."""
    label = traitlets.Unicode("Live picture").tag(sync=True)
    """What the picture is, for screen readers."""
    alt = traitlets.Unicode("").tag(sync=True)
    """What it shows now, for screen readers and the saved picture."""
    size = traitlets.Int(384, min=32).tag(sync=True)
    """Width in css pixels; never wider than the cell."""
    smoothing = traitlets.Enum(("smooth", "pixels"), "smooth").tag(sync=True)
    """How a picture smaller than its place is enlarged."""
    interactive = traitlets.Bool(False).tag(sync=True)
    """Whether pointer and wheel events are sent."""
    keyboard = traitlets.Bool(False).tag(sync=True)
    """Whether keys are sent. Follows ``on_key``."""
    status = traitlets.Unicode("").tag(sync=True)
    """Small line under the picture: "31 fps · 12 ms · 64 px · cpu"."""
    error = traitlets.Unicode("").tag(sync=True)
    """Message over the picture, with a button to take it away; "" for none."""
    compare = traitlets.Bytes(b"").tag(sync=True, echo_update=False)
    """Encoded picture shown while "Hold to see the start" or the space bar is held; b"" for no such button."""

    def __init__(self, **traits: Any) -> None:
        _check_names(type(self), traits)
        super().__init__(**traits)
        self._lock = threading.RLock()
        self._number = 0  # of the last frame on the wire; never restarts, unlike the index of a new pump
        self._waiting: dict[int, int] = {}  # number on the wire -> index of the frame, until acknowledged
        self._resting = True  # nothing to settle
        self._settling = False
        self.on_msg(self._receive)
        enable_colab_widgets()

    def __setattr__(self, name: str, value: Any) -> None:
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
            if not frame.final:
                self.send({"type": "frame", "mime": frame.mime, **info}, [frame.data])
                return
            with self.hold_sync():
                self.frame = bytes(frame.data)
                self.mime = frame.mime
                self.info = {**info, "settled": self._settling}

    def _receive(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        handler = getattr(self, f"_receive_{message.get('type')}", None)
        if handler is None:
            _log.debug("message of an unknown type from the page: %r", message)
            return
        try:
            handler(message)
        except Exception as error:  # the edge: ipywidgets would only log it
            report(self, error)

    def _receive_ack(self, message: dict[str, Any]) -> None:
        with self._lock:
            done = [number for number in self._waiting if number <= message["index"]]
            indices = [self._waiting.pop(number) for number in done]
        if self.on_ack is not None:
            for index in indices:
                self.on_ack(index)

    def _receive_settle(self, message: dict[str, Any]) -> None:
        # Every open page asks; the first one is enough. What is shown during the call is the settled picture.
        if self._resting:
            return
        self._resting = self._settling = True
        try:
            if self.on_settle is not None:
                self.on_settle()
        finally:
            self._settling = False

    def _receive_hello(self, message: dict[str, Any]) -> None:
        if self.on_hello is not None:
            self.on_hello(float(message["dpr"]), float(message["width"]))

    def _receive_visible(self, message: dict[str, Any]) -> None:
        if self.on_visible is not None:
            self.on_visible(bool(message["value"]))

    def _receive_key(self, message: dict[str, Any]) -> None:
        if self.on_key is not None:
            self.on_key(message["key"])

    def _receive_pointer(self, message: dict[str, Any]) -> None:
        if self.on_pointer is not None:
            self.on_pointer({name: value for name, value in message.items() if name != "type"})
