"""What every widget here is: one value with its history, and an edge at which exceptions become words."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import ipywidgets as widgets
import traitlets

from ...core.checks import unknown_name
from ...latent.latent import Latent
from .code import code
from .errors import ShowsErrors, reporting
from .history import History
from .parts import close_tree
from .state_lock import STATE
from .static import SavedPicture, SavesPicture

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

V = TypeVar("V")


class StateWidget(SavesPicture, widgets.VBox, Generic[V]):
    """A widget whose `value` is all there is to it: a frozen value that says what is shown.

    Controls build the next value and assign it by `change`; whatever else assigns it (undo, a cell, `traitlets.link`)
    moves the controls and the picture. A subclass declares `value` as a trait of its class, and says what differs:

    - `_follow(old, new_step)`: the value is another one, draw it; slow work goes to `STATE.afterwards`
    - `_update()`: bring the controls to the value
    - `_end()`: stop drawing and computing
    - `_displayed()`: draw what was put off until somebody looks
    - `_checked(value)`: raise ValueError for what cannot be shown; by default `session.check`
    - `code()`, where the value is no `Latent`, and `KEYS` for keys that do something

    Its `__init__` makes what it needs, calls `super().__init__`, builds the controls and ends with `_begin(root)`.
    `tests/contract/stub_widget.py` is a whole one.

    Args:
        session: draws.
        value: where it starts.
        view: where messages appear; has a text `error`.
        saved: the picture that a notebook keeps.
        css: a class name of its own, for style sheets and tests.

    Raises:
        TypeError: a keyword that the subclass does not take, with the nearest one that it does.
    """

    value: Any = traitlets.Any()

    KEYS: ClassVar[dict[str, str]] = {"z": "undo", "y": "redo"}
    """Keys that the picture sends, and the methods that they call."""

    def __new__(cls, *args: object, **given: object) -> Any:
        known = inspect.signature(cls.__init__).parameters
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in known.values()):
            for name in given.keys() - known.keys():
                raise TypeError(str(unknown_name(f"keyword of {cls.__name__}", name, tuple(known)[1:])))
        return super().__new__(cls, *args, **given)

    def __init__(
        self, session: GeneratorSession, value: V, view: ShowsErrors, saved: SavedPicture, css: str = ""
    ) -> None:
        self._session, self._view, self.saved = session, view, saved
        self._history: History[V] = History(value)
        self._source = ""
        self._pause: float | None = None
        self._updating, self._refreshes = False, 0
        self._closed = True  # until there is something to close
        classes = tuple(filter(None, ("sw-explorer", css)))
        super().__init__(value=value, _dom_classes=classes, layout=widgets.Layout(width="100%"))

    def _begin(self, *children: widgets.Widget) -> None:
        """Show these controls, and listen from now on."""
        self.children = children
        self._refresh()
        self.observe(self._on_value, "value")
        self._closed = False

    # -- what panels see; see `Host` -----------------------------------------------------------------------------------
    @property
    def session(self) -> GeneratorSession:
        """The session that draws."""
        return self._session

    @property
    def view(self) -> Any:
        """Where messages appear: its `error` and `status`."""
        return self._view

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back to."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to go forward to."""
        return self._history.can_redo

    def undo(self) -> None:
        """Go one step back. One drag of one control is one step."""
        self._go(self._history.undo, self._history.redo)

    def redo(self) -> None:
        """Go one step forward again."""
        self._go(self._history.redo, self._history.undo)

    def change(self, source: str, transform: Callable[[V], V], pause: float | None = None) -> None:
        """Make `transform(value)` the value, on behalf of a control.

        An exception is shown in `view`, and the controls go back to the value. A call that comes from moving the
        controls to the value does nothing.

        Args:
            source: names the control: consecutive changes by one control are one step of the history. "" for a step
                of its own.
            pause: the longest rest within one step in seconds, in place of the history's own.
        """
        with STATE:
            if self._updating:  # the control moved because we moved it
                return
            before = self._refreshes
            with reporting(self._view):
                self._source, self._pause = source, pause
                try:
                    self.value = transform(self.value)
                finally:
                    self._source, self._pause = "", None
            if self._refreshes == before:
                self._refresh()  # refused, or the same in other words: the controls go back

    def receive(self, latent: Latent) -> None:
        """Take a latent that another widget sends."""
        self.value = latent

    # -- files and code ------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `value` to a .json or .npz file and return its path."""
        made: Path = self.value.save(path)
        return made

    def load(self, path: str | os.PathLike[str]) -> Any:
        """Go to the value in a file that `save` wrote. Raises ValueError when it is damaged or does not fit."""
        self.value = type(self).value.klass.load(path)

    def code(self) -> str:
        """Return lines of Python that make exactly this picture."""
        return code(self._session, self.value)

    def close(self) -> None:
        """Stop drawing and computing, and close every widget in here. The session, and what was given, stay open."""
        begun = not getattr(self, "_closed", True)
        self._closed = True
        if begun:
            self.unobserve(self._on_value, "value")
            self._end()
        super().close()
        if begun:
            close_tree(self)

    def __repr__(self) -> str:
        # The stock one would print every trait of every child into the notebook.
        return f"{type(self).__name__}({self._session.name or 'generator'}, {self._words()})"

    # -- what a subclass says ------------------------------------------------------------------------------------------
    def _checked(self, value: V) -> V:
        checked: Any = self._session.check(value)  # type: ignore[arg-type]
        return checked

    def _update(self) -> None:
        """Bring the controls to `value`."""

    def _follow(self, old: V, new_step: bool) -> None:
        """Draw `value`; `old` was shown before, and `new_step` says whether undo goes back to it."""

    def _end(self) -> None:
        """Stop what goes on."""

    def _words(self) -> str:
        return f"{self._session.resolution} px"

    # -- wiring --------------------------------------------------------------------------------------------------------
    @traitlets.validate("value")
    def _check_value(self, proposal: Mapping[str, V]) -> V:
        return self._checked(proposal["value"])

    def _on_value(self, event: Mapping[str, V]) -> None:
        with STATE:
            new_step = self._history.push(self.value, self._source or None, self._pause)
            self._refresh()
            self._follow(event["old"], new_step)

    def _go(self, step: Callable[[], V], back: Callable[[], V]) -> None:
        with STATE:
            try:
                self.value = step()
            finally:
                if self.value != self._history.value:  # refused: the history stays where the picture is
                    back()
            self._refresh()

    def _refresh(self) -> None:
        self._refreshes += 1
        outer, self._updating = self._updating, True
        try:
            self._update()
        finally:
            self._updating = outer

    def _guard(self, action: Callable[..., object], *arguments: object) -> None:
        """Call an action of the page; what it raises is shown."""
        with reporting(self._view):
            action(*arguments)

    def _on_key(self, key: str) -> None:
        if key in self.KEYS:
            self._guard(getattr(self, self.KEYS[key]))
