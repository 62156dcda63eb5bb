"""Icon buttons in a row: one model, one stop of the tab key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import traitlets

from ..errors import ShowsErrors, reporting
from .esm import script, sheet
from .page import Message, Messages, PageView

if TYPE_CHECKING:
    from ..host import Host

V = TypeVar("V")

LARGEST = 8 << 20
"""Bytes of a file: a notebook server cuts a message of more than 10 MB, of which coding takes a third."""


@dataclass(frozen=True)
class Action:
    """What one button says and does.

    Attributes:
        name: what scripts and `Toolbar.update` call it.
        tip: what it does, in words that a newcomer understands; also its name for screen readers where it has no text.
        do: called when it is pressed; with name and bytes of the chosen file, where `accept` is given.
        icon: one of those in icons.css; "" for a button of text.
        text: words on its face. None beside an icon that everybody knows.
        label: a shorter name for screen readers than `tip`.
        primary: whether it is what its card is for; one at most in a card.
        pressed: for a button that stays down, whether it is; None for one that does not.
        accept: endings of files, such as ".npz,.npy": the button asks for one. "" for an ordinary button.
    """

    name: str
    tip: str
    do: Callable[..., object] = field(repr=False)
    icon: str = ""
    text: str = ""
    label: str = ""
    primary: bool = False
    disabled: bool = False
    pressed: bool | None = None
    accept: str = ""

    def item(self) -> dict[str, Any]:
        """What the page is told of it."""
        return {name: value for name, value in vars(self).items() if name != "do"}


class Toolbar(PageView):
    """Buttons with icons and tooltips, reached by one tab stop and arrow keys.

    Args:
        actions: the buttons, from left to right.
        view: shows what an action raises; the widget's own view.
        label: what the buttons are for, for screen readers.
    """

    _esm = script("toolbar.js")
    _css = sheet("toolbar.css", "desk.css")
    MESSAGES: ClassVar[Messages] = {
        "press": lambda message: (str(message["name"]),),
        "file": lambda message: (
            str(message["name"]), str(message["file"]), int(message["size"]), message.get("data", b""),
        ),
    }  # fmt: skip

    items: Any = traitlets.List().tag(sync=True)
    """What the page knows of each button."""
    label = traitlets.Unicode("Actions").tag(sync=True)
    largest = traitlets.Int(LARGEST).tag(sync=True)
    """Bytes of a file that the page sends; of a larger one it says the size only."""

    def __init__(self, actions: Sequence[Action], view: ShowsErrors, label: str = "Actions", **traits: object) -> None:
        self._actions = {action.name: action for action in actions}
        self._shows = view
        self.on_press: Callable[[str], None] | None = self.press
        self.on_file: Callable[[str, str, int, bytes], None] | None = self.give
        super().__init__(items=[action.item() for action in actions], label=label, **traits)

    def press(self, name: str) -> None:
        """Do what the button of that name does. KeyError when there is none."""
        do = self._actions[name].do
        with reporting(self._shows):
            do()

    def give(self, name: str, file: str, size: int, data: bytes) -> None:
        """Do what the button of that name does with a file: its name, its bytes, and how many there are."""
        do = self._actions[name].do
        with reporting(self._shows, f"opening {file}"):
            if size > self.largest:
                raise ValueError(
                    f"it has {size:,} bytes; uploads take {self.largest:,}. Put it beside the notebook and give its path"
                )
            do(file, data)

    def update(self, **disabled: bool) -> None:
        """Say of buttons, by name, whether they have nothing to do."""
        self.change(**{name: {"disabled": value} for name, value in disabled.items()})

    def change(self, **changes: dict[str, Any]) -> None:
        """Change what buttons say, by name: `change(play={"icon": "pause", "tip": "pause the film"})`."""
        items = [{**item, **changes.get(item["name"], {})} for item in self.items]
        if items != self.items:
            self.items = items

    def _receive(self, sender: object, message: Message, buffers: Any) -> None:
        super()._receive(sender, {**message, "data": bytes(buffers[0])} if buffers else message, buffers)

    def download(self, name: str, data: bytes, mime: str) -> None:
        """Let the browser save these bytes under a name, as if somebody had followed a link."""
        self.send({"type": "download", "name": name, "mime": mime}, [data])


def undo_bar(host: Host[V], *more: Action) -> Toolbar:
    """The toolbar with "undo" and "redo" of a widget, and what else it is given."""
    undo = Action("undo", "one step back (key z)", host.undo, icon="undo")
    redo = Action("redo", "one step forward (key y)", host.redo, icon="redo")
    return Toolbar([undo, redo, *more], host.view, label="undo and more")
