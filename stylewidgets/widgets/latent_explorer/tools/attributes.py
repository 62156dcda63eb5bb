"""Attributes: a row for each in its own unit, moved by the flow while it is dragged."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import ipywidgets as widgets

from .... import domain
from ....latent.flow import FlowEdit
from ....latent.latent import Latent
from ...kit.controls.rows import Handle, Row, Rows
from ...kit.errors import reporting
from ...kit.host import PictureHost
from ...kit.jobs import Jobs
from ...kit.parts import WIDE, button, column, note, say, show
from .tool import Tool

if TYPE_CHECKING:
    from ....editing.flow import Flow
    from ....editing.flow.attributes import Attribute
    from ....session.session import GeneratorSession

NO_W = "a code in s has no w, which a flow edits: start from a seed, or from a code in z, w or w+"
NO_READER = (
    "this flow reads nothing off codes, as published files do not: edit from Python with the attributes of the start, "
    "flow.edit(latent, start={…}, …)"
)


class Attributes(Tool):
    """What the picture has of each attribute, to be dragged to what it should have; a row that was never touched follows.

    Attributes: `rows`, `flow` (None until one is there), `prepare`, the button where one has to be made first.
    """

    name, title = "attributes", "Attributes"
    near = True
    seeds = True
    flow: Flow | None = None

    def fits(self, session: GeneratorSession) -> str | None:
        from ....editing.flow.machine import Flow

        known = domain.of(session)
        if (known is not None and known.reader is not None) or Flow.known(session):
            return None
        return (
            "there is no flow for it, and nothing reads attributes off its pictures to make one from: register a domain "
            "with a reader, or session.editors.fit('flow', reader=…, names=…)"
        )

    def panel(self, host: PictureHost) -> widgets.Widget:
        from ....editing.flow.machine import Flow

        self._values: dict[str, float] = {}  # what is read of the picture at rest
        self._before: dict[str, float] = {}  # and of the code before the edit
        self.rows = Rows(
            on_change=lambda key, value: self._move(host, key, value),
            on_remove=lambda key: self._take_back(host, key),
            view=host.view,
            label="Attributes",
        )
        self._words = note("")
        self._jobs = Jobs(host.view)
        self.prepare = button(
            "Prepare", "make the flow of this generator; pause and stop keep what is done", lambda: self._make(host)
        )
        self._work = column(self.prepare, self._jobs)
        show(self._work, False)
        if Flow.known(host.session):
            self._take(host, Flow.load(host.session))
        else:
            from ....editing.flow.fitting import seconds

            minutes = max(1, round(seconds(host.session) / 60))
            self.prepare.description = f"Prepare (about {minutes} min)"
            say(
                self._words,
                "No flow is there for this generator yet. It is made from faces of its own, read one by one.",
            )
            show(self._work, True)
        return column(self._words, self._work, self.rows, **WIDE)

    @property
    def handles(self) -> Mapping[str, Handle]:
        return self.rows.handles if self.flow is not None else MappingProxyType({})

    def opened(self, host: PictureHost) -> None:
        self.rested(host, host.value)

    def update(self, host: PictureHost) -> None:
        if self.flow is not None:
            self._show(host)

    def rested(self, host: PictureHost, latent: Latent) -> None:
        """Read what the picture has; not while it is dragged."""
        if self.flow is None or latent != host.value:
            return
        if latent.code is not None and latent.code.space == "s":
            say(self._words, NO_W)
        elif self.flow.core.reader is None:
            say(self._words, NO_READER)
        else:
            say(self._words, "")
            self._values = self.flow.attributes(latent)
            edit = self._edit(latent)
            self._before = self.flow.attributes(latent.with_edit(edit.with_strength(0))) if edit else self._values
        self._show(host)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _edit(self, latent: Latent) -> FlowEdit | None:
        assert self.flow is not None
        return self.flow.edit_of(latent)

    def _move(self, host: PictureHost, key: str, value: float) -> None:
        flow = self.flow
        assert flow is not None
        host.change(f"attribute {key}", lambda latent: flow.wish(latent, {key: value}))

    def _take_back(self, host: PictureHost, key: str) -> None:
        flow = self.flow
        assert flow is not None
        host.change(f"attribute {key} taken back", lambda latent: flow.wish(latent, {key: None}))

    def _show(self, host: PictureHost) -> None:
        """The rows: wishes where there are some, else what is read."""
        assert self.flow is not None
        edit = self._edit(host.value)
        wished = edit.controls if edit is not None else {}
        self.rows.update([
            self._row(entry, wished.get(entry.name, self._values.get(entry.name, 0.0)), entry.name in wished)
            for entry in self.flow.core.attributes.shown
            if self._values or entry.name in wished
        ])  # fmt: skip

    def _row(self, entry: Attribute, value: float, wished: bool) -> Row:
        span = entry.high - entry.low
        places = max(0, 2 - len(str(int(span)))) + 1
        degrees = entry.unit == "degrees"
        before = self._before.get(entry.name)
        words = "" if degrees or not entry.unit else f" ({'chance, 0 to 1' if entry.chance else entry.unit})"
        now = "" if before is None else f"; {before:.{places}f} before the edit"
        return Row(
            entry.name,
            entry.name.replace("_", " "),
            round(min(max(value, entry.low), entry.high), places),
            entry.low,
            entry.high,
            1.0 if span > 20 else 0.01,
            unit="°" if degrees else "",
            tip=f"{entry.name.replace('_', ' ')}{words}{now}",
            home=None if before is None else round(min(max(before, entry.low), entry.high), places),
            removes=wished,
        )

    def _take(self, host: PictureHost, flow: Flow) -> None:
        self.flow = flow
        host.session.editors.add("flow", flow)

    def _make(self, host: PictureHost) -> None:
        def made(flow: object) -> None:
            self.flow = cast("Flow", flow)
            show(self._work, False)
            say(self._words, "")
            with reporting(host.view):
                self.rested(host, host.value)

        if not self._jobs.busy():
            self.prepare.disabled = True
            self._jobs.run(
                "flow", host.session.editors.fit("flow"), made, "preparing the flow", ended=self._came_to_rest
            )

    def _came_to_rest(self) -> None:
        self.prepare.disabled = False
        self.prepare.description = "Prepare: go on"
