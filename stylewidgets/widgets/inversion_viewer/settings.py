"""Method and settings of an inversion, as controls made from the catalogue."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...inversion import METHODS
from ...settings import Value
from ..kit.controls.form import FIELD, Form
from ..kit.parts import WIDE, button, close_tree, control, listen, note, quiet
from ..kit.sharing import shared_layout
from ..kit.views.cards import Cards

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


WAYS = (
    ("Fast", "seconds; about alike", ("e4e", "restyle", "psp", "fast")),
    ("Balanced", "a minute or so; close", ("hybrid", "projector")),
    ("Exact", "some minutes; closest, and bends the generator a little", ("pti", "image2stylegan")),
)
"""The three cards: title, what to expect, and the methods that it stands for; the first that works on a generator counts."""


def method_of(way: str, session: GeneratorSession) -> str:
    """The method that a card stands for on this generator."""
    names = next(names for title, _, names in WAYS if title == way)
    return next((name for name in names if not METHODS[name].why_not(session)), names[-1])


class MethodPanel(widgets.VBox):
    """Three cards for those who only want a result; behind "all methods" a menu of all, and the settings of the chosen one.

    Args:
        session: decides what is available.
        method: the one to begin with.
        settings: other values than its defaults.
    """

    def __init__(self, session: GeneratorSession, method: str, settings: Mapping[str, object]) -> None:
        METHODS[method].checked(settings)  # raises for what does not exist
        self._session = session
        self._kept: dict[str, Mapping[str, object]] = {method: settings}
        self._shown = method
        self._form: Form | None = None
        self.cards = Cards(label="How to look for the code", least=104)
        listen(self.cards, self._on_card, "chosen")
        self._methods = [method_of(title, session) for title, _, _ in WAYS]
        self.cards.show([{"title": title, "lines": [words], "tip": METHODS[name].title}
                         for (title, words, _), name in zip(WAYS, self._methods, strict=True)])  # fmt: skip
        self._line = note("")
        self._all = button(
            "All methods and settings …",
            "every method, with its settings",
            self._unfold,
            layout={"align_self": "flex-start"},
        )
        super().__init__([self.cards, self._line, self._all], layout=shared_layout(**WIDE))
        self._show()

    @property
    def method(self) -> str:
        """Name of the chosen method."""
        return self._shown

    @property
    def settings(self) -> dict[str, Value]:
        """Every setting of the chosen method. ValueError when a control holds something that is not accepted."""
        return self._form.values if self._form is not None else METHODS[self._shown].checked(self._kept[self._shown])

    @property
    def form(self) -> Form:
        """The settings of the chosen method as controls, made when they are first asked for."""
        if self._form is None:
            method = METHODS[self._shown]
            settings = [replace(s, label=s.label or LABELS.get(s.name, "")) for s in method.settings]
            usual = "the paper's values" if method.from_paper else "usual values" if method.settings else ""
            self._form = Form(settings, self._kept.get(self._shown), reset=usual)
            self._place()
        return self._form

    def choose(self, method: str, settings: Mapping[str, object] | None = None) -> None:
        """Choose a method and give its controls these values, and the usual ones to the others."""
        METHODS[method].checked(settings or {})
        self._change(method)
        if self._form is not None:
            self._form.set(settings or {})
        else:
            self._kept[method] = dict(settings or {})

    @cached_property
    def _menu(self) -> widgets.Dropdown:
        return control(
            widgets.Dropdown,
            tip="how the code is looked for",
            on=self._change,
            style=FIELD,
            layout={"width": "330px", "max_width": "100%"},
            options=[
                (method.title if not method.why_not(self._session) else f"{method.title} (not here)", name)
                for name, method in METHODS.items()
            ],
            value=self._shown,
            description="method",
        )

    def _unfold(self) -> None:
        """Show the menu and the settings, or hide them."""
        folded = self._all.description.startswith("All")
        self._all.description = "Fewer settings" if folded else "All methods and settings …"
        if folded:
            self.form  # noqa: B018  made now, if it was not before
        self._place()

    def _place(self) -> None:
        folded = self._all.description.startswith("All")
        more = [] if folded or self._form is None else [self._menu, self._form]
        self.children = [self.cards, self._line, self._all, *more]

    def _on_card(self, number: int) -> None:
        if 0 <= number < len(self._methods):
            self._change(self._methods[number])

    def _change(self, method: str) -> None:
        if method == self._shown:
            return
        old = self._form
        if old is not None:
            self._kept[self._shown] = old.raw
        self._shown, self._form = method, None
        self._kept.setdefault(method, {})
        self._show()
        if old is not None:
            self.form  # noqa: B018  that of the new method takes its place
            close_tree(old)

    def _show(self) -> None:
        method, reason = METHODS[self._shown], METHODS[self._shown].why_not(self._session)
        words = [
            f"<b>{html.escape(method.title)}</b>",
            html.escape(method.line),
            f"<i>{html.escape(method.source)}</i>",
        ]
        words += [f"Not here: {html.escape(reason)}"] if reason else []
        self._line.value = f'<div class="sw-note">{"<br>".join(words)}</div>'
        with quiet(self.cards):
            self.cards.chosen = self._methods.index(self._shown) if self._shown in self._methods else -1
        if "_menu" in self.__dict__:
            with quiet(self._menu):
                self._menu.value = self._shown


def settings_line(method: str, settings: Mapping[str, object]) -> str:
    """What differs from the usual values, in a few words."""
    if method not in METHODS:
        return ""
    defaults = {setting.name: setting.default for setting in METHODS[method].settings}
    return ", ".join(
        f"{name} {value}" for name, value in settings.items() if name in defaults and value != defaults[name]
    )
