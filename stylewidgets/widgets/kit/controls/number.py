"""A box for a number, which says what is not accepted: the core ones change or drop it without a word."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
import traitlets

from ....settings import Setting
from ..errors import ShowsErrors
from ..parts import NOTHING, ROW, close_tree, control, listen, note, say
from ..sharing import shared_layout


def read_number(text: str) -> int | float | str:
    """The number that was typed, with a decimal point or a decimal comma; the text itself where it is none."""
    bare = "".join(text.split())
    try:
        return int(bare)
    except ValueError:
        pass
    try:
        number = float(bare.replace(",", "."))
    except ValueError:
        return text
    return number if math.isfinite(number) else text


class _Typed(traitlets.TraitType):
    """A number, or a text that is none."""

    default_value = 0
    info_text = "a number, or what was typed in its place"

    def validate(self, obj: traitlets.HasTraits | None, value: Any) -> Any:
        if isinstance(value, str):
            return read_number(value)
        for kind in (operator.index, float):  # numpy's numbers, too: a page is sent Python's own
            try:
                return kind(value)
            except (TypeError, ValueError):
                continue
        return self.error(obj, value)


class NumberText(widgets.Text):
    """A core text box whose `value` is a number, or what was typed where that is none. It checks no limits.

    A box of ``type="number"`` would not do: browsers drop the comma of "1,5" before anybody sees it, and IntText cuts 2.7 to 2.
    """

    value = _Typed(help="the number").tag(sync=True)

    def __init__(self, value: float | str | None = None, **settings: Any) -> None:
        super().__init__(value, **{"continuous_update": False} | settings)


class NumberBox(widgets.HBox):
    """A number within the limits of a setting.

    What is not accepted stays in the box with the reason beside it; until it is mended `value` is the last good number.
    Assigning to `value` raises ValueError for one that is not accepted.

    Args:
        setting: a whole number or a float.
        on: called with each new number that is accepted.
        view: shows what `on` raises.
        layout, style: of the box, which is the attribute `box`.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        on: Callable[[Any], object] = lambda _: None,
        view: ShowsErrors | None = None,
        layout: Mapping[str, str] = NOTHING,
        style: Mapping[str, str] = NOTHING,
    ) -> None:
        self._setting, self._on = setting, on
        self._good: Any = setting.default
        self._problem = ""
        self._note: widgets.HTML | None = None
        self.box = control(
            NumberText, setting.default, tip=setting.help, layout=layout, style=style, description=setting.words
        )
        listen(self.box, self._typed, view=view)
        super().__init__([self.box], layout=shared_layout(**ROW))

    @property
    def value(self) -> Any:
        """The last number that was accepted, in the type of the setting's default."""
        return self._good

    @value.setter
    def value(self, value: object) -> None:
        self.box.value = self._setting.check(value)

    @property
    def problem(self) -> str:
        """What is said beside the box; "" while its number is accepted."""
        return self._problem

    def _typed(self, given: object) -> None:
        try:
            value = self._setting.check(given)
        except ValueError as problem:
            self._say(f"{problem}; {self._good} stays in force")
            return
        self._say("")
        if value != self._good:
            self._good = value
            self._on(value)

    def _say(self, problem: str) -> None:
        """Show what is wrong; the note is there only while something is."""
        self._problem = problem
        parts: list[widgets.Widget] = [self.box]
        gone = None if problem else self._note
        if problem:
            self._note = self._note or note("")
            say(self._note, problem)
            parts.append(self._note)
        else:
            self._note = None
        self.children = parts
        if gone is not None:
            close_tree(gone)
