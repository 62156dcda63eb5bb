"""Method and settings of an inversion, as controls made from the catalogue."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...inversion import METHODS
from ...settings import Value
from ..kit.controls.form import FIELD, Form
from ..kit.parts import WIDE, close_tree, control, note
from ..kit.sharing import shared_layout

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

LABELS = {
    "rate": "learning rate",
    "net": "perceptual net",
    "fit_noise": "fit noise",
    "w_distance": "distance from mean",
    "ms_ssim": "MS-SSIM",
    "identity_net": "identity net",
    "noise_rate": "rate of noise",
}


class MethodPanel(widgets.VBox):
    """A menu of methods, the line about the chosen one, and its settings; advanced ones are folded away.

    Args:
        session: decides what is available.
        method: the one to begin with.
        settings: other values than its defaults.
    """

    def __init__(self, session: GeneratorSession, method: str, settings: Mapping[str, object]) -> None:
        METHODS[method].checked(settings)  # raises for what does not exist
        self._session = session
        self._kept: dict[str, Mapping[str, object]] = {method: settings}
        self._menu = control(
            widgets.Dropdown,
            tip="how the code is looked for",
            on=lambda _: self._change(),
            style=FIELD,
            layout={"width": "330px", "max_width": "100%"},
            options=self._options(),
            value=method,
            description="method",
        )
        self._line = note("")
        super().__init__(layout=shared_layout(**WIDE))
        self._show()

    @property
    def method(self) -> str:
        """Name of the chosen method."""
        return str(self._menu.value)

    @property
    def settings(self) -> dict[str, Value]:
        """Every setting of the chosen method. ValueError when a control holds something that is not accepted."""
        return self.form.values

    def choose(self, method: str, settings: Mapping[str, object] | None = None) -> None:
        """Choose a method and give its controls these values, and the paper's to the others."""
        METHODS[method].checked(settings or {})
        self._menu.value = method
        self.form.set(settings or {})

    def _options(self) -> list[tuple[str, str]]:
        return [
            (method.title if not method.why_not(self._session) else f"{method.title} (not here)", name)
            for name, method in METHODS.items()
        ]

    def _change(self) -> None:
        old = self.form
        self._kept[self._shown] = old.raw
        self._show()
        close_tree(old)

    def _show(self) -> None:
        self._shown = self.method
        method, reason = METHODS[self._shown], METHODS[self._shown].why_not(self._session)
        words = [html.escape(method.line), f"<i>{html.escape(method.source)}</i>"]
        words += [f"Not here: {html.escape(reason)}"] if reason else []
        self._line.value = f'<div class="sw-note">{"<br>".join(words)}</div>'
        settings = [replace(s, label=s.label or LABELS.get(s.name, "")) for s in method.settings]
        self.form = Form(settings, self._kept.get(self._shown), reset="the paper's values")
        self.children = [self._menu, self._line, self.form]


def settings_line(method: str, settings: Mapping[str, object]) -> str:
    """What differs from the paper's values, in a few words."""
    if method not in METHODS:
        return ""
    defaults = {setting.name: setting.default for setting in METHODS[method].settings}
    return ", ".join(
        f"{name} {value}" for name, value in settings.items() if name in defaults and value != defaults[name]
    )
