"""Small things that the panels share: the type of a change, headings, wrapping rows and closing."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as widgets

from ...latent.latent import Latent

Change = Callable[[str, Callable[[Latent], Latent]], None]
"""`change(source, transform)`: make `transform(value)` the new value. `source` names the control for the undo history.

The owner holds the lock, ignores calls that its own updating of the controls causes, shows exceptions and restores the
controls after one. So a control needs no guard of its own.
"""

LABEL = {"description_width": "62px"}
"""Style of the labels in front of controls that stand below each other."""

STYLE = """<style>
.sw-explorer .sw-heading { color: var(--jp-ui-font-color1, inherit); font-weight: 600; font-size: 13px;
  line-height: 20px; border-bottom: 1px solid var(--jp-border-color2, #8884); margin-top: 4px; }
.sw-explorer .sw-note { color: var(--jp-ui-font-color2, inherit); font-size: 12px; line-height: 16px; }
.sw-explorer .sw-caption { color: var(--jp-ui-font-color1, inherit); font-size: 12px; line-height: 14px;
  text-align: center; }
</style>"""
"""Colours come from the theme, so light and dark both read. Goes into an HTML widget: core ones have no style sheet."""


def heading(text: str) -> widgets.HTML:
    """Return a title above a group of controls."""
    return widgets.HTML(
        f'<div class="sw-heading" role="heading" aria-level="4">{html.escape(text)}</div>',
        layout=widgets.Layout(width="100%", margin="0"),
    )


def note(text: str) -> widgets.HTML:
    """Return a small line of explanation."""
    made = widgets.HTML(layout=widgets.Layout(margin="0 2px", max_width="100%"))
    say(made, text)
    return made


def say(widget: widgets.HTML, text: str) -> None:
    """Change the text of a `note`."""
    widget.value = f'<div class="sw-note">{html.escape(text)}</div>' if text else ""


def row(*children: Any, **layout: Any) -> widgets.HBox:
    """Return controls beside each other that wrap where the place is narrow."""
    return widgets.HBox(list(children), layout=row_layout(**layout))


def row_layout(**layout: Any) -> widgets.Layout:
    """Return the layout of a `row`."""
    return widgets.Layout(**{"flex_flow": "row wrap", "align_items": "center", "max_width": "100%", **layout})


def column(*children: Any, **layout: Any) -> widgets.VBox:
    """Return controls below each other."""
    return widgets.VBox(list(children), layout=widgets.Layout(**{"max_width": "100%", **layout}))


def slider(kind: Any, label: str, **settings: Any) -> Any:
    """Return a slider of that class with its label, as wide as its place, that speaks while it moves."""
    return kind(
        description=label,
        continuous_update=True,
        style=LABEL,
        layout=widgets.Layout(width="100%", max_width="440px"),
        **settings,
    )


def show(widget: Any, shown: bool) -> None:
    """Show or hide a widget without taking it out of its box."""
    display = None if shown else "none"
    if widget.layout.display != display:
        widget.layout.display = display


def close_tree(*roots: Any) -> None:
    """Close widgets and everything in them, with their layouts and styles: `close` alone leaves those behind."""
    for root in roots:
        close_tree(*getattr(root, "children", ()), *getattr(root, "_canvases", ()))  # the layers of a MultiCanvas
        for name in ("layout", "style"):
            part = getattr(root, name, None)
            if isinstance(part, widgets.Widget):
                part.close()
        root.close()


def replace_children(box: widgets.Box, children: Iterable[Any]) -> None:
    """Give a box these children, and close those that it had before and has no longer."""
    new = tuple(children)
    gone = [child for child in box.children if all(child is not other for other in new)]
    if gone or len(new) != len(box.children) or any(a is not b for a, b in zip(new, box.children, strict=False)):
        box.children = new
    close_tree(*gone)
