"""Method and settings of an inversion, as controls made from the catalogue."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from ...inversion import METHODS, Setting
from ...session.session import GeneratorSession
from ..kit.compat import button, set_tooltip
from ..kit.parts import close_tree, note, row, say, show

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
        self.widget = set_tooltip(_widget(setting), f"{setting.name}: {setting.help}")

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
        "description": label, "style": STYLE, "layout": widgets.Layout(width="230px", max_width="100%"),
    }  # fmt: skip
    if setting.choices:
        return widgets.Dropdown(options=list(setting.choices), value=setting.default, **common)
    if isinstance(setting.default, bool):
        return widgets.Checkbox(value=setting.default, indent=True, **common)
    if isinstance(setting.default, int):
        low, high = int(setting.low or 0), int(setting.high if setting.high is not None else 2**53)
        return widgets.BoundedIntText(value=setting.default, min=low, max=high, **common)
    if isinstance(setting.default, float):
        return widgets.FloatText(value=setting.default, **common)
    return widgets.Text(value=str(setting.default), continuous_update=False, **common)


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
        self._controls: dict[str, SettingControl] = {}
        self._shown = ""
        self._menu = widgets.Dropdown(
            options=self._options(),
            value=method,
            description="method",
            style={"description_width": "52px"},
            layout=widgets.Layout(width="330px", max_width="100%"),
        )
        set_tooltip(self._menu, "how the code is looked for")
        self._line = widgets.HTML(layout=widgets.Layout(max_width="460px", margin="0 2px"))
        self._plain, self._advanced = row(align_items="flex-start"), row(align_items="flex-start")
        self._more = widgets.ToggleButton(
            value=False, description="more settings …", layout=widgets.Layout(width="130px")
        )
        set_tooltip(self._more, "settings that the papers leave as they are")
        self._more.observe(lambda _: show(self._advanced, self._more.value), "value")
        self._reset = button(
            "the paper's values", "set every setting of this method back to the paper's", self.reset, "160px"
        )
        self.said = note("")
        super().__init__(
            [self._menu, self._line, self._plain, row(self._more, self._reset), self._advanced, self.said],
            layout=widgets.Layout(max_width="100%", min_width="0"),
        )
        show(self._advanced, False)
        self._menu.observe(lambda _: self._build(), "value")
        self._build()

    @property
    def method(self) -> str:
        """Name of the chosen method."""
        return str(self._menu.value)

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting of the chosen method. ValueError when a control holds something that is not accepted."""
        return {name: control.value for name, control in self._controls.items()}

    def choose(self, method: str, settings: Mapping[str, Any] | None = None) -> None:
        """Choose a method and give its controls these values, and the paper's to the others."""
        values = METHODS[method].checked(settings or {})
        self._menu.value = method
        for name, value in values.items():
            self._controls[name].value = value

    def reset(self) -> None:
        """Set every control to the paper's value."""
        self.choose(self.method)

    def close_controls(self) -> None:
        """Close what is not in the tree."""
        close_tree(*(c.widget for c in self._controls.values()))

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
            self._kept[self._shown] = {name: control.widget.value for name, control in self._controls.items()}
        name = self._shown = self.method
        method = METHODS[name]
        old = self._controls
        self._controls = {setting.name: SettingControl(setting) for setting in method.settings}
        for key, value in self._kept.get(name, {}).items():
            self._controls[key].widget.value = value
        reason = self._why_not(name)
        self._line.value = (
            f'<div class="sw-note">{html.escape(method.line)}<br><i>{html.escape(method.source)}</i></div>'
        )
        say(self.said, f"Not here: {reason}" if reason else "")
        plain = [c.widget for c in self._controls.values() if not c.setting.advanced]
        advanced = [c.widget for c in self._controls.values() if c.setting.advanced]
        self._plain.children, self._advanced.children = plain, advanced
        show(self._more, bool(advanced))
        close_tree(*(c.widget for c in old.values()))


def settings_line(method: str, settings: Mapping[str, Any]) -> str:
    """What differs from the paper's values, in a few words."""
    if method not in METHODS:
        return ""
    defaults = {setting.name: setting.default for setting in METHODS[method].settings}
    return ", ".join(
        f"{name} {value}" for name, value in settings.items() if name in defaults and value != defaults[name]
    )
