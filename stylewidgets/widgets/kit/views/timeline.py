"""A film on the page: its pictures in a line, play and pause, and a mark that can be dragged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import traitlets

from .esm import script, style
from .page import Messages, PageView


class Timeline(PageView):
    """Shows where a film is. Callbacks: on_play() (or pause), on_first(), on_seek(seconds)."""

    _esm = script("timeline.js")
    _css = style("icons.css", "parts.css", "timeline.css")
    MESSAGES: ClassVar[Messages] = {
        "play": lambda message: (),
        "first": lambda message: (),
        "seek": lambda message: (float(message["seconds"]),),
    }
    on_play: Callable[[], object] | None = None
    on_first: Callable[[], object] | None = None
    on_seek: Callable[[float], object] | None = None

    cards: Any = traitlets.List().tag(sync=True)
    """What each picture is, in words."""
    pictures: Any = traitlets.List().tag(sync=True, echo_update=False)
    """Encoded bytes of the keyframes, evenly over the whole film."""
    at = traitlets.Float(0.0).tag(sync=True)
    """Where it is, in seconds."""
    length = traitlets.Float(1.0).tag(sync=True)
    """How long it is, in seconds."""
    playing = traitlets.Bool(False).tag(sync=True)
