"""Method and settings of an inversion, as controls made from the catalogue."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import ipywidgets as widgets

from ...inversion import METHODS, Setting
from ...session.session import GeneratorSession
from ..kit.parts import WIDE, button, close_tree, control, note, row, show
from ..kit.sharing import shared_layout

STYLE = {"description_width": "104px"}
LABELS = {
    "rate": "learning rate",
    "net": "perceptual net",
    "fit_noise": "fit noise",
    "w_distance": "distance from mean",
    "ms_ssim": "MS-SSIM",
    "identity_net": "identity net",
    "noise_rate": "rate of noise",
}


class SettingControl:
    """The control of one `Setting`: `value`, and `widget` to show."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.widget = _widget(setting)

    @property
    def value(self) -> Any:
        """Checked, in the setting's type."""
        value = self.widget.value
        if isinstance(self.setting.default, float):
            value = float(value)
        return self.setting.check(value)

    @value.setter
    def value(self, value: Any) -> None:
        self.widget.value = self.setting.check(value)


def _widget(setting: Setting) -> Any:
    """A menu, a tick, a number or a text: what the type of the default asks for.

    Numbers are boxes: their ranges span decades, and a box shows the paper's value as the paper writes it.
    """
    label = LABELS.get(setting.name, setting.name.replace("_", " "))
    common: dict[str, Any] = {
        "tip": f"{setting.name}: {setting.help}",
        "description": label,
        "style": STYLE,
        "layout": {"width": "230px", "max_width": "100%"},
    }
    if setting.choices:
        return control(widgets.Dropdown, options=list(setting.choices), value=setting.default, **common)
    if isinstance(setting.default, bool):
        return control(widgets.Checkbox, value=setting.default, indent=True, **common)
    if isinstance(setting.default, int):
        low, high = int(setting.low or 0), int(setting.high if setting.high is not None else 2**53)
        return control(widgets.BoundedIntText, value=setting.default, min=low, max=high, **common)
    if isinstance(setting.default, float):
        return control(widgets.FloatText, value=setting.default, **common)
    return control(widgets.Text, value=str(setting.default), continuous_update=False, **common)


class MethodPanel(widgets.VBox):
    """A menu of methods, the line about the chosen one, and its settings; advanced ones are folded away.

    Args:
        session: decides what is available.
        method: the one to begin with.
        settings: other values than its defaults.
    """

    def __init__(self, session: GeneratorSession, method: str, settings: Mapping[str, Any]) -> None:
        METHODS[method].checked(settings)  # raises for what does not exist
        self._session = session
        self._kept: dict[str, dict[str, Any]] = {method: dict(settings)}
        self._values: dict[str, Any] = {}
        self._controls: dict[str, SettingControl] = {}
        self._shown, self._unfolded = "", False
        self._menu = control(
            widgets.Dropdown,
            tip="how the code is looked for",
            on=lambda _: self._build(),
            style=STYLE,
            layout={"width": "330px", "max_width": "100%"},
            options=self._options(),
            value=method,
            description="method",
        )
        self._line = note("")
        self._plain = row(align_items="flex-start", width="100%")
        self._more = button("more settings …", "settings that the papers leave as they are", self._unfold)
        reset = button("the paper's values", "set every setting of this method back to the paper's", self.reset)
        super().__init__([self._menu, self._line, self._plain, row(self._more, reset)], layout=shared_layout(**WIDE))
        self._build()

    @property
    def method(self) -> str:
        """Name of the chosen method."""
        return str(self._menu.value)

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting of the chosen method. ValueError when a control holds something that is not accepted."""
        return self._values | {name: made.value for name, made in self._controls.items()}

    def choose(self, method: str, settings: Mapping[str, Any] | None = None) -> None:
        """Choose a method and give its controls these values, and the paper's to the others."""
        values = METHODS[method].checked(settings or {})
        self._menu.value = method
        self._values = dict(values)
        for name, made in self._controls.items():
            made.value = values[name]

    def reset(self) -> None:
        """Set every control to the paper's value."""
        self.choose(self.method)

    def _options(self) -> list[tuple[str, str]]:
        return [
            (method.title if not self._why_not(name) else f"{method.title} (not here)", name)
            for name, method in METHODS.items()
        ]

    def _why_not(self, name: str) -> str:
        available = METHODS[name].available
        return available(self._session) if available else ""

    def _build(self) -> None:
        if self._shown:
            self._kept[self._shown] = self._values | {n: made.widget.value for n, made in self._controls.items()}
        name = self._shown = self.method
        method = METHODS[name]
        gone, self._controls = self._controls, {}
        self._values = {setting.name: setting.default for setting in method.settings} | self._kept.get(name, {})
        reason = self._why_not(name)
        words = [html.escape(method.line), f"<i>{html.escape(method.source)}</i>"]
        words += [f"Not here: {html.escape(reason)}"] if reason else []
        self._line.value = f'<div class="sw-note">{"<br>".join(words)}</div>'
        show(self._more, any(setting.advanced for setting in method.settings))
        self._plain.children = self._make(advanced=False)
        if self._unfolded:
            self._advanced.children = self._make(advanced=True)
        elif "_advanced" in self.__dict__:
            self._advanced.children = ()
        close_tree(*(made.widget for made in gone.values()))

    def _unfold(self) -> None:
        """Show the advanced settings, made when they are first asked for, or hide them."""
        self._unfolded = not self._unfolded
        if self._unfolded and not self._advanced.children:
            self._advanced.children = self._make(advanced=True)
        show(self._advanced, self._unfolded)

    @cached_property
    def _advanced(self) -> widgets.HBox:
        made = row(align_items="flex-start", width="100%")
        self.children += (made,)
        return made

    def _make(self, advanced: bool) -> tuple[widgets.Widget, ...]:
        """Make the controls of the plain or of the advanced settings."""
        made = {each.name: SettingControl(each) for each in METHODS[self._shown].settings if each.advanced == advanced}
        for name, each in made.items():
            each.widget.value = self._values[name]
        self._controls |= made
        return tuple(each.widget for each in made.values())


def settings_line(method: str, settings: Mapping[str, Any]) -> str:
    """What differs from the paper's values, in a few words."""
    if method not in METHODS:
        return ""
    defaults = {setting.name: setting.default for setting in METHODS[method].settings}
    return ", ".join(
        f"{name} {value}" for name, value in settings.items() if name in defaults and value != defaults[name]
    )
