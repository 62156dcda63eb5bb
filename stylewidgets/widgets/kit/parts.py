"""What the panels are made of: controls with shared looks, buttons, rows, words, and closing them."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets as widgets

from ...latent.latent import Latent
from .compat import set_tooltip
from .errors import ShowsErrors, reporting
from .glossary import help_button
from .order import newest
from .sharing import own, release, shared, shared_layout

if TYPE_CHECKING:
    from .host import Host

W = TypeVar("W", bound=widgets.Widget)
T = TypeVar("T")

Change = Callable[[str, Callable[[Latent], Latent]], None]
"""`change(source, transform)`: make `transform(value)` the new value. `source` names the control for the undo history.

The owner holds the lock, ignores calls that its own updating of the controls causes, shows exceptions and restores the
controls after one. So a control needs no guard of its own.
"""

LABEL = {"description_width": "62px"}
"""Style of the labels in front of controls that stand below each other."""

ROW = {"flex_flow": "row wrap", "align_items": "center", "max_width": "100%"}
NOTE = {"margin": "0 2px", "max_width": "100%"}
SMALL = {"padding": "0 8px"}
WIDE = {"width": "100%", "max_width": "100%"}
NOTHING: Mapping[str, str] = MappingProxyType({})


def control(
    kind: type[W],
    *values: object,
    tip: str = "",
    on: Callable[[Any], object] | None = None,
    view: ShowsErrors | None = None,
    layout: Mapping[str, str] = NOTHING,
    style: Mapping[str, str] = NOTHING,
    **settings: object,
) -> W:
    """Return a core widget of this class, with layout and style from `sharing`.

    Args:
        tip: what appears under the pointer and is read to screen readers.
        on: called with each new `value`.
        view: shows what `on` raises; None where it does so itself.
        settings: other traits.
    """
    if hasattr(kind, "style"):
        settings["style"] = shared(kind.style.klass, **style)
    made = kind(*values, layout=shared_layout(**layout), **settings)
    if tip:
        set_tooltip(made, tip)
    if on is not None:
        listen(made, on, view=view)
    return made


def listen(
    widget: widgets.Widget, on: Callable[[Any], object], trait: str = "value", view: ShowsErrors | None = None
) -> None:
    """Call `on` with each new value of a trait, unless it was set under `quiet`; `view` shows what it raises.

    A value that the page sent before one that was already heard is replaced by that: see `order`.
    """

    def heard(event: Mapping[str, Any]) -> None:
        if getattr(widget, "quiet", False):
            return
        value = newest(widget, trait, event["new"])
        if value is not event["new"]:
            with quiet(widget):
                setattr(widget, trait, value)
            return
        with _shown(view):
            on(value)
            # A newer one may have come in another thread meanwhile, and `on` have been called with it before us.
            if (last := newest(widget, trait, value)) is not value:
                on(last)

    widget.observe(heard, trait)


def _shown(view: ShowsErrors | None, doing: str = "") -> AbstractContextManager[None]:
    return nullcontext() if view is None else reporting(view, doing)


@contextmanager
def quiet(*controls: widgets.Widget) -> Iterator[None]:
    """Within this block, moving these controls calls nobody who listens by `control(on=...)` or `listen`."""
    before = [getattr(each, "quiet", False) for each in controls]
    for each in controls:
        each.quiet = True
    try:
        yield
    finally:
        for each, was in zip(controls, before, strict=True):
            each.quiet = was


def move(slider: widgets.Widget, value: float) -> None:
    """Move a slider without a call. It is widened first, or it would clip; never narrowed: it may be under a hand."""
    at = math.log(value, slider.base) if isinstance(slider, widgets.FloatLogSlider) else value
    with quiet(slider):
        slider.min, slider.max = min(slider.min, math.floor(at)), max(slider.max, math.ceil(at))
        slider.value = value


def button(
    text: str,
    tip: str,
    action: Callable[[], object],
    width: str = "auto",
    view: ShowsErrors | None = None,
    layout: Mapping[str, str] = NOTHING,
    said: widgets.HTML | None = None,
    doing: str = "",
    icon: str = "",
    primary: bool = False,
    **settings: Any,
) -> widgets.Button:
    """Return a small button that says what it does, in its face or in its tooltip.

    Args:
        icon: one of those in icons.css, before the text or, where that is "", in its place.
        primary: whether it is the one thing that its card is for.
        view: shows what `action` raises; None where the action does so itself.
        doing: what the button does in a few words, to lead the text of an exception.
        said: a `note` for the words that `action` returns, empty while there are none.
    """
    looks = (*(("sw-icon", f"sw-icon-{icon}") if icon else ()), *(("sw-primary",) if primary else ()))
    if looks:
        settings["_dom_classes"] = (*settings.get("_dom_classes", ()), *looks)
    made = control(widgets.Button, tip=tip, layout={"width": width, **layout}, description=text, **settings)

    def clicked(_: widgets.Button) -> None:
        with _shown(view, doing):
            if said is not None:
                say(said, "")
            words = action()
            if said is not None:
                say(said, str(words))

    made.on_click(clicked)
    return made


class UndoButtons:
    """The buttons "undo" and "redo" of a widget."""

    def __init__(self, host: Host[T]) -> None:
        self._host = host
        self.both = (
            button("undo", "one step back (key z)", host.undo, view=host.view),
            button("redo", "one step forward (key y)", host.redo, view=host.view),
        )

    def update(self) -> None:
        """Bring them to the history."""
        self.both[0].disabled, self.both[1].disabled = not self._host.can_undo, not self._host.can_redo


def heading(text: str, *words: str) -> widgets.HTML:
    """Return a title above a group of controls; with a "?" that says what these words of the glossary mean."""
    title = f'<span role="heading" aria-level="4">{html.escape(text)}</span>{help_button(*words) if words else ""}'
    return control(widgets.HTML, f'<div class="sw-heading">{title}</div>', layout=NOTE)


def card(*children: widgets.Widget, title: str = "", words: Iterable[str] = (), **layout: str) -> widgets.VBox:
    """Return controls that belong together, in a frame, with a title and a "?" where given; see `heading`."""
    parts = (heading(title, *words), *children) if title else children
    return control(widgets.VBox, parts, layout=layout, _dom_classes=("sw-card",))


def empty(text: str, *actions: widgets.Widget) -> widgets.VBox:
    """Return what stands in the place of something that is not there yet: words, and the button that fills it."""
    return control(widgets.VBox, (note(text), *actions), _dom_classes=("sw-empty",))


def dot(state: str, words: str) -> str:
    """HTML of a coloured dot with its words. `state`: "live", "preview", "busy", "disconnected", or "" for at rest."""
    return f'<span class="sw-dot" data-state="{html.escape(state, quote=True)}">{html.escape(words)}</span>'


class ErrorPlace(widgets.HTML):
    """A place for messages right where they are caused: give it as `view` to the controls around it. No room while empty."""

    def __init__(self) -> None:
        super().__init__(layout=shared_layout(**NOTE))

    @property
    def error(self) -> str:
        """What went wrong; "" for nothing."""
        return getattr(self, "_error", "")

    @error.setter
    def error(self, text: str) -> None:
        self._error = text
        self.value = f'<div class="sw-error" role="alert">{html.escape(text)}</div>' if text else ""


def note(text: str, **layout: str) -> widgets.HTML:
    """Return a small line of explanation."""
    made = control(widgets.HTML, layout={**NOTE, **layout})
    say(made, text)
    return made


def say(widget: widgets.HTML, text: str) -> None:
    """Change the text of a `note`."""
    widget.value = f'<div class="sw-note">{html.escape(text)}</div>' if text else ""


def row(*children: widgets.Widget, **layout: str) -> widgets.HBox:
    """Return controls beside each other that wrap where the place is narrow."""
    return control(widgets.HBox, children, layout={**ROW, **layout})


def column(*children: widgets.Widget, **layout: str) -> widgets.VBox:
    """Return controls below each other."""
    return control(widgets.VBox, children, layout={"max_width": "100%", **layout})


def place(classes: str, *children: widgets.Widget) -> widgets.VBox:
    """Return controls that a style sheet lays out: the one of a view, which knows these class names."""
    return control(widgets.VBox, children, layout={"max_width": "100%"}, _dom_classes=tuple(classes.split()))


def slider(kind: type[W], label: str, tip: str, on: Callable[[Any], object], **settings: Any) -> W:
    """Return a slider of that class with its label, as wide as its place, that speaks while it moves."""
    layout = {"width": "100%", "max_width": "440px"}
    return control(
        kind, tip=tip, on=on, style=LABEL, layout=layout, description=label, continuous_update=True, **settings
    )


def show(widget: widgets.Widget, shown: bool) -> None:
    """Show or hide a widget without taking it out of its box."""
    display = None if shown else "none"
    if widget.layout.display != display:
        own(widget).display = display


def close_tree(*roots: widgets.Widget) -> None:
    """Close widgets and everything in them, with their layouts and styles: `close` alone leaves those behind."""
    for root in roots:
        if getattr(root, "_tree_closed", False):
            continue
        root._tree_closed = True
        root.close()
        close_tree(*getattr(root, "children", ()), *getattr(root, "_canvases", ()))  # the layers of a MultiCanvas
        for name in ("layout", "style"):
            part = getattr(root, name, None)
            if isinstance(part, widgets.Widget):
                release(part)


def replace_children(box: widgets.Box, children: Iterable[widgets.Widget]) -> None:
    """Give a box these children, and close those that it had before and has no longer."""
    new = tuple(children)
    gone = [child for child in box.children if all(child is not other for other in new)]
    if gone or len(new) != len(box.children) or any(a is not b for a, b in zip(new, box.children, strict=False)):
        box.children = new
    close_tree(*gone)
