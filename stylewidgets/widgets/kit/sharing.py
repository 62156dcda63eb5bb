"""Layouts and styles that many controls have in common.

ipywidgets makes a model of its own for the layout and for the style of each control, so a slider is three models, and
most of what a page has to open says the same thing again. Here equal ones are one. Each counts its users; the last one
that closes, closes it.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TypeVar

import ipywidgets as widgets

W = TypeVar("W", bound=widgets.Widget)
_POOL: dict[Hashable, widgets.Widget] = {}
_LOCK = threading.RLock()
_LOOKS = frozenset(name for name in widgets.Layout.class_own_traits() if not name.startswith("_"))


class SharedLayout(widgets.Layout):
    """A layout of many widgets. It cannot be changed, since that would change them all: `own` makes one that can."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _LOOKS and hasattr(self, "users"):
            raise AttributeError(f"this layout is shared, so its {name} stays; change that of sharing.own(widget)")
        super().__setattr__(name, value)


def shared(kind: type[W], **settings: object) -> W:
    """Return the layout or style of this class with these settings, made when nobody has it yet."""
    key = (kind, *sorted(settings.items()))
    with _LOCK:
        part = _POOL.get(key)
        if part is None or part.comm is None:  # `Widget.close_all()` closes those in use, too
            part = _POOL[key] = kind(**settings)
            part.key, part.users = key, 0
        part.users += 1
    return part


def shared_layout(**settings: str) -> SharedLayout:
    """Return the layout with these settings."""
    layout: SharedLayout = shared(SharedLayout, **settings)
    return layout


def own(widget: widgets.Widget) -> widgets.Layout:
    """Return the layout of a widget for changing: it gets one of its own first where it shares one."""
    old = widget.layout
    if isinstance(old, SharedLayout):
        widget.layout = widgets.Layout(**dict(old.key[1:]))
        release(old)
    return widget.layout


def release(part: widgets.Widget) -> None:
    """Say that one widget needs this layout or style no longer; what nobody needs is closed."""
    with _LOCK:
        part.users = getattr(part, "users", 1) - 1
        if part.users > 0:
            return
        key = getattr(part, "key", None)
        if _POOL.get(key) is part:
            del _POOL[key]
    part.close()
