"""What differs between ipywidgets 7.7 (Colab) and 8, in one place. Delete when Colab ships ipywidgets 8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import ipywidgets as widgets

W = TypeVar("W", bound=widgets.Widget)


def set_tooltip(widget: W, text: str) -> W:
    """Give a widget the text that appears under the pointer and is read to screen readers; return the widget.

    Buttons have `tooltip` in both versions; other widgets have `description_tooltip` in 7 and `tooltip` in 8.
    """
    name = "tooltip" if widget.has_trait("tooltip") else "description_tooltip"
    if widget.has_trait(name):
        setattr(widget, name, text)
    return widget


def is_playing(play: widgets.Play) -> bool:
    """Say whether a Play widget's browser clock is running (`_playing` in ipywidgets 7, `playing` in 8)."""
    return bool(play.playing if play.has_trait("playing") else play._playing)


def set_playing(play: widgets.Play, playing: bool) -> None:
    """Start or stop a Play widget's browser clock."""
    setattr(play, "playing" if play.has_trait("playing") else "_playing", playing)


def repeats(play: widgets.Play) -> bool:
    """Say whether a Play widget's repeat button is down."""
    return bool(play.repeat if play.has_trait("repeat") else play._repeat)


def set_repeat(play: widgets.Play, repeat: bool) -> None:
    """Let a Play widget start again at its end, or stop there."""
    setattr(play, "repeat" if play.has_trait("repeat") else "_repeat", repeat)


def observe_playing(play: widgets.Play, handler: Callable[[Mapping[str, bool]], None]) -> None:
    """Call `handler(change)` when a Play widget starts or stops."""
    play.observe(handler, "playing" if play.has_trait("playing") else "_playing")
