"""Drawing on ipycanvas safely. Only this file touches its private parts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ipycanvas import Canvas
from ipycanvas.canvas import _CANVAS_MANAGER

_DRAWING = threading.RLock()


@contextmanager
def drawing() -> Iterator[None]:
    """Send everything drawn in this block, on any canvas, as one message.

    Replaces `ipycanvas.hold_canvas`: all canvases share one manager, so an exception inside that block would stop
    every later drawing, and a second thread's drawing could be swallowed. The manager also remembers which canvas it
    drew on last, which a reloaded page has forgotten (ipycanvas#322): forgetting it here too makes every block name
    its canvas again.
    """
    manager = _CANVAS_MANAGER
    with _DRAWING:
        outer = manager._caching
        manager._caching = True
        manager._current_canvas = None
        try:
            yield
        finally:
            try:
                manager.flush()
            finally:
                manager._commands_cache, manager._buffers_cache = [], []
                manager._caching, manager._current_canvas = outer, None  # nor hold a closed canvas, and its widget


def listen_to_strokes(
    canvas: Canvas,
    down: Callable[[float, float], None],
    move: Callable[[float, float], None],
    up: Callable[[], None],
    draw: Callable[[], None],
) -> None:
    """Hear mouse and finger alike, in pixels of the canvas; `draw` is called for each page that shows it.

    There is no pointer capture: a stroke that leaves the canvas never gets its "up", so leaving ends it.
    """
    canvas.on_mouse_down(down)
    canvas.on_mouse_move(move)
    canvas.on_mouse_up(lambda *_: up())
    canvas.on_mouse_out(lambda *_: up())
    canvas.on_touch_start(lambda touches: down(*touches[0]) if touches else None)
    canvas.on_touch_move(lambda touches: move(*touches[0]) if touches else None)
    canvas.on_touch_end(lambda touches: None if touches else up())
    canvas.on_touch_cancel(lambda *_: up())
    canvas.on_client_ready(draw)


LEAVE_STYLE = """<style>
@keyframes sw-leave-a { 0%, 90% { visibility: hidden; } }
@keyframes sw-leave-b { 0%, 90% { visibility: hidden; } }
.sw-leave-a { animation: sw-leave-a 0.1s; }
.sw-leave-b { animation: sw-leave-b 0.1s; }
</style>"""
"""Belongs into an HTML widget beside a canvas that uses `release_focus`."""


def release_focus(canvas: Canvas) -> None:
    """Make the browser take the focus from a canvas; call it when the canvas reports the Tab key.

    A focused ipycanvas swallows every key, Tab too, so that the keyboard could never leave it (ipycanvas#358). What is
    invisible cannot have the focus: hidden for a tenth of a second it loses it, and the next Tab goes on from there.
    The style sheet does the timing; two names take turns because an animation starts only when its name changes.
    """
    old, new = ("sw-leave-a", "sw-leave-b") if "sw-leave-a" in canvas._dom_classes else ("sw-leave-b", "sw-leave-a")
    canvas.remove_class(old)
    canvas.add_class(new)
