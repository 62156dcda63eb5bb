"""A form: controls made from settings, whose values go round and whose mistakes stand where they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as widgets

from ....settings import Setting, Value
from ..compat import button, set_tooltip
from ..parts import close_tree, note, row, say, show


class Form(widgets.VBox):
    """A menu, a tick, a number or a text for each setting; advanced ones are folded away.

    A value that is not accepted stays in its control, with the reason beside it, until it is mended.

    Args:
        settings: in the order to show them.
        values: other ones than the defaults.
        reset: label of the button that brings the defaults back; "" for no button.
        width: of a control.
        label_width: of the label in it.

    Attributes:
        controls: the core widget of each setting, by name, for scripts and links.
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
        self.controls = {name: _control(setting, width, label_width) for name, setting in self._settings.items()}
        self._plain, self._advanced = row(align_items="flex-start"), row(align_items="flex-start")
        show(self._advanced, False)
        buttons = []
        if any(setting.advanced for setting in settings):
            more = widgets.ToggleButton(
                value=False, description="more settings …", layout=widgets.Layout(width="130px")
            )
            set_tooltip(more, "settings that are mostly left as they are")
            more.observe(lambda _: show(self._advanced, more.value), "value")
            buttons.append(more)
        if reset:
            buttons.append(button(reset, "set every setting back", lambda: self.set({}), "160px"))
        super().__init__(
            [self._plain, *([row(*buttons), self._advanced] if buttons else [])],
            layout=widgets.Layout(max_width="100%", min_width="0"),
        )
        self._place()
        self.raw = values or {}
        for name, control in self.controls.items():
            control.observe(lambda _, name=name: self._judge(name), "value")

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
        return {name: control.value for name, control in self.controls.items()}

    @raw.setter
    def raw(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            self.controls[name].value = value

    def set(self, values: Mapping[str, object]) -> None:
        """Give the controls these values and the others their defaults. ValueError before anything changes."""
        self.raw = {name: s.check(values.get(name, s.default)) for name, s in self._settings.items()}

    def _judge(self, name: str) -> Value | ValueError:
        """The value of a control, or what is wrong with it, which is then said beside it."""
        try:
            value = self._settings[name].check(self.controls[name].value)
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
        for box, advanced in ((self._plain, False), (self._advanced, True)):
            names = [name for name, setting in self._settings.items() if setting.advanced is advanced]
            box.children = [
                widget
                for name in names
                for widget in (self.controls[name], self._notes.get(name))
                if widget is not None
            ]


def _control(setting: Setting, width: str, label_width: str) -> widgets.Widget:
    """A menu, a tick, a number or a text: what the type of the default asks for.

    Numbers are boxes: their ranges span decades, and a box shows the paper's value as the paper writes it.
    """
    common = {
        "value": setting.default,
        "description": setting.words,
        "style": {"description_width": label_width},
        "layout": widgets.Layout(width=width, max_width="100%"),
    }
    made: widgets.Widget
    if setting.choices:
        made = widgets.Dropdown(options=list(setting.choices), **common)
    elif isinstance(setting.default, bool):
        made = widgets.Checkbox(indent=True, **common)
    elif isinstance(setting.default, int):
        low = int(setting.low if setting.low is not None else -(2**53))
        high = int(setting.high if setting.high is not None else 2**53)
        made = widgets.BoundedIntText(min=low, max=high, **common)
    elif isinstance(setting.default, float):
        made = widgets.FloatText(**common)
    else:
        made = widgets.Text(continuous_update=False, **common)
    return set_tooltip(made, f"{setting.name}: {setting.help}")
