"""A form: controls made from settings, whose values go round and whose mistakes stand where they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import ipywidgets as widgets

from ....settings import Setting, Value
from ..parts import WIDE, button, close_tree, control, listen, note, row, say, show
from ..sharing import shared_layout
from .number import NumberText

FIELD = {"description_width": "104px"}
"""Style of the label in a control of a form."""


class Form(widgets.VBox):
    """A menu, a tick, a number or a text for each setting; advanced ones are folded away.

    A value that is not accepted stays in its control, with the reason beside it, until it is mended.

    Args:
        settings: in the order to show them.
        values: other ones than the defaults.
        reset: label of the button that brings the defaults back; "" for no button.
        width: of a control.
        label_width: of the label in it.
    """

    def __init__(
        self,
        settings: Sequence[Setting],
        values: Mapping[str, object] | None = None,
        *,
        reset: str = "",
        width: str = "230px",
        label_width: str = "104px",
    ) -> None:
        self._settings = {setting.name: setting for setting in settings}
        self._notes: dict[str, widgets.HTML] = {}
        self._values: dict[str, object] = {name: s.default for name, s in self._settings.items()} | dict(values or {})
        self._look = {"width": width, "max_width": "100%"}, {"description_width": label_width}
        self._controls: dict[str, widgets.Widget] = {}
        self._plain, self._unfolded = row(align_items="flex-start", width="100%"), False
        buttons = []
        if any(setting.advanced for setting in settings):
            # Not a toggle, which would be the only one of its style in most widgets: one more thing for a page to open.
            self._more = button("more settings …", "settings that are mostly left as they are", self._unfold)
            buttons.append(self._more)
        if reset:
            buttons.append(button(reset, "set every setting back", lambda: self.set({})))
        super().__init__([self._plain, *([row(*buttons)] if buttons else [])], layout=shared_layout(**WIDE))
        self._make(advanced=False)

    @cached_property
    def _advanced(self) -> widgets.HBox:
        made = row(align_items="flex-start", width="100%")
        show(made, self._unfolded)
        self.children += (made,)
        return made

    def _unfold(self) -> None:
        """Show the advanced settings, made when they are first asked for, or hide them."""
        self._unfolded = not self._unfolded
        self._make(advanced=True)
        show(self._advanced, self._unfolded)
        self._more.description = "fewer settings" if self._unfolded else "more settings …"

    def _make(self, advanced: bool) -> None:
        """Make the controls of the plain or of the advanced settings that there are not yet."""
        layout, style = self._look
        for name, setting in self._settings.items():
            if setting.advanced is advanced and name not in self._controls:
                self._controls[name] = made = _control(setting, layout, style)
                made.value = self._values[name]
                listen(made, partial(self._changed, name))
        self._place()

    @property
    def controls(self) -> Mapping[str, widgets.Widget]:
        """The core widget of each setting, by name, for scripts and links; those of advanced ones are made now."""
        self._make(advanced=True)
        return self._controls

    @property
    def values(self) -> dict[str, Value]:
        """Every setting, checked, in its type. ValueError when a control holds something that is not accepted."""
        found = {name: self._judge(name) for name in self._settings}
        for problem in found.values():
            if isinstance(problem, ValueError):
                raise problem
        return {name: value for name, value in found.items() if not isinstance(value, ValueError)}

    @property
    def raw(self) -> dict[str, object]:
        """What the controls hold, accepted or not. Setting it changes those that are named."""
        return self._values | {name: made.value for name, made in self._controls.items()}

    @raw.setter
    def raw(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            self._values[name] = value
            if name in self._controls:
                self._controls[name].value = value

    def set(self, values: Mapping[str, object]) -> None:
        """Give the controls these values and the others their defaults. ValueError before anything changes."""
        self.raw = {name: s.check(values.get(name, s.default)) for name, s in self._settings.items()}

    def _changed(self, name: str, _: object) -> None:
        self._judge(name)

    def _judge(self, name: str) -> Value | ValueError:
        """The value of a control, or what is wrong with it, which is then said beside it."""
        try:
            value = self._settings[name].check(self.raw[name])
        except ValueError as problem:
            if name not in self._notes:
                self._notes[name] = note("")
                self._place()
            say(self._notes[name], str(problem))
            return problem
        if name in self._notes:
            gone = self._notes.pop(name)
            self._place()
            close_tree(gone)
        return value

    def _place(self) -> None:
        made = [
            (self._settings[name].advanced, control, self._notes.get(name)) for name, control in self._controls.items()
        ]
        for advanced in (False, True):
            parts = [part for kind, *both in made if kind is advanced for part in both if part is not None]
            if parts or not advanced:
                (self._advanced if advanced else self._plain).children = parts


def _control(setting: Setting, layout: Mapping[str, str], style: Mapping[str, str]) -> widgets.Widget:
    """A menu, a tick, a number or a text: what the type of the default asks for.

    Numbers are boxes: their ranges span decades, and a box shows the paper's value as the paper writes it.
    """
    common: dict[str, Any] = {
        "tip": f"{setting.name}: {setting.help}",
        "style": style,
        "layout": layout,
        "value": setting.default,
        "description": setting.words,
    }
    if setting.choices:
        return control(widgets.Dropdown, options=list(setting.choices), **common)
    if isinstance(setting.default, bool):
        return control(widgets.Checkbox, indent=True, **common)
    if isinstance(setting.default, (int, float)):
        return control(NumberText, **common)
    return control(widgets.Text, continuous_update=False, **common)
