"""A whole widget on `StateWidget`, as small as one can be: a live picture, its seed and ψ, files and code.

It is the example to start from. A widget is wiring: the value says everything, `change` makes the next value, and what
assigns `value` (a control, undo, a cell, `traitlets.link`) moves controls and picture.
"""

from __future__ import annotations

from typing import ClassVar

import ipywidgets as widgets
import traitlets

from stylewidgets.latent.latent import Latent
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.kit.base import StateWidget
from stylewidgets.widgets.kit.controls.source_controls import parse_seed
from stylewidgets.widgets.kit.host import Files, Host
from stylewidgets.widgets.kit.live_picture import LivePicture
from stylewidgets.widgets.kit.parts import LABEL, UndoButtons, column, control, row, slider
from stylewidgets.widgets.kit.state_lock import STATE
from stylewidgets.widgets.kit.state_panel import StatePanel
from stylewidgets.widgets.kit.tabs import Tabs


class StubHost(Host[Latent], Files):
    """What the controls see of the widget: never its class."""


class StubControls:
    """The controls. `root` is where they stand; `update` moves them to a value."""

    def __init__(self, host: StubHost) -> None:
        self._host = host
        self._undo = UndoButtons(host)
        # One name for each control: consecutive changes under one name are one step of the history.
        self.seed = control(
            widgets.Text,
            tip="the number that the face grows from; Enter accepts it",
            on=lambda text: host.change("", lambda latent: latent.replace(seed=parse_seed(text))),
            style=LABEL,
            layout={"width": "170px"},
            description="seed",
            continuous_update=False,
        )
        self.psi = slider(
            widgets.FloatSlider,
            "ψ",
            "truncation ψ: 0 is the average face, 1 the face as drawn",
            lambda psi: host.change("psi", lambda latent: latent.replace(psi=float(psi))),
            min=0.0,
            max=1.0,
            step=0.01,
        )
        # A panel is built when it is first opened.
        self.panels = Tabs(
            {"Face": lambda: column(self.seed, self.psi), "Save & code": lambda: StatePanel(host, "stub.json")}
        )
        self.root = column(row(*self._undo.both), self.panels)

    def update(self, latent: Latent) -> None:
        """Move every control to `latent`. The calls that this causes are ignored: `change` knows."""
        self.seed.value, self.psi.value = str(latent.seed), latent.psi
        self._undo.update()
        if (state := self.panels.shown("Save & code")) is not None:
            state.refresh()


class StubWidget(StateWidget[Latent]):
    """A live picture with a seed and ψ.

    Args:
        session: draws.
        value: where to start. None: seed 0.
        size: width of the picture in css pixels.

    Raises:
        TypeError: an unknown keyword, with the nearest one that exists.
        ValueError: `value` does not fit the generator.
    """

    value = traitlets.Instance(Latent)
    """The current `Latent`. Its class also loads the files that `save` writes."""

    KEYS: ClassVar[dict[str, str]] = {**StateWidget.KEYS, "r": "randomize"}

    def __init__(self, session: GeneratorSession, value: Latent | None = None, *, size: int = 256) -> None:
        start = session.latent(seed=0) if value is None else session.check(value)
        self.picture = LivePicture(session, size, "Live picture of the stub", on_key=self._on_key)
        super().__init__(session, start, self.picture.view, self.picture.saved, "sw-stub")
        self.picture.submit(start)
        self.controls = StubControls(self)
        self._begin(self.picture.view, self.controls.root)

    def randomize(self) -> None:
        """Take the next seed; key r."""
        self.value = self.value.replace(seed=(self.value.seed or 0) + 1)

    def _update(self) -> None:
        self.controls.update(self.value)

    def _follow(self, old: Latent, new_step: bool) -> None:
        # Drawing waits until the lock is free, so that no cell waits for a picture.
        value = self.value
        STATE.afterwards(id(self), lambda: self.picture.submit(value))

    def _end(self) -> None:
        self.picture.close()
