"""The controls of the LatentExplorer and where they stand."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import ipywidgets as widgets

from ...latent.caption import caption
from ...latent.latent import Latent
from ..kit.controls.compare import HoldToCompare
from ..kit.controls.rows import Handle
from ..kit.controls.source_controls import SourceControls
from ..kit.errors import describe, report, reporting
from ..kit.host import PictureHost
from ..kit.parts import card, control, note, row, show
from ..kit.sharing import shared_layout
from ..kit.tabs import Tabs
from ..kit.views.toolbar import Action, Toolbar
from .tools.tool import Tool

NARROWEST = 232
"""Pixels that the buttons and snapshots under a picture need, however small it is."""


class ExplorerPanels:
    """Builds the controls, moves them to a latent, and passes what people do to the host.

    `root` is the whole layout: the picture with its buttons, and the tools beside it or, on a narrow screen, below.
    """

    def __init__(self, host: PictureHost, tools: Sequence[Tool]) -> None:
        self._host = host
        self.tools = {tool.name: tool for tool in tools}
        titles = [
            tool.title or tool.name for tool in tools
        ]  # two tools may have the same: then their names tell them apart
        self._titles = {
            tool.name if titles.count(title) > 1 else title: tool for title, tool in zip(titles, tools, strict=True)
        }
        self._made: list[Tool] = []
        self._overlays: dict[Tool, widgets.Widget] = {}
        session, view = host.session, host.picture.view
        self.source = SourceControls(session.num_ws, host.change, session.c_dim, session.metadata.get("classes") or ())
        show(self.source, not session.needs_source)  # there the source decides who is drawn, and its tool says whom
        self.compare = HoldToCompare(
            host.picture.png, view, lambda: host.value, lambda latent: host.change("", lambda _: latent)
        )
        self._bar = Toolbar(
            [
                Action("undo", "one step back (key z)", host.undo, icon="undo", label="undo"),
                Action("redo", "one step forward (key y)", host.redo, icon="redo", label="redo"),
                *self.compare.actions,
                Action("snapshot", "keep this face (key s)", host.snapshot, icon="snapshot", label="snapshot"),
                Action("download", "download this picture as PNG", self._download, icon="download"),
            ],
            view,
            "Picture",
            layout=shared_layout(),
        )
        self.compare.on_start = self._update_bar
        # As wide as the picture, and never so wide that nothing is left for the controls; beside them it stays in sight.
        width = f"min({max(view.size, NARROWEST)}px, max(46cqw, 100cqw - 420px))"
        side = (view, row(self._bar, self.source.help, justify_content="space-between"), host.strip)
        self._left = control(widgets.VBox, side, layout={"width": width}, _dom_classes=("sw-side",))
        self._tabs = Tabs(
            {title: partial(self._make, tool) for title, tool in self._titles.items()},
            self._on_tool,
            rare=[title for title, tool in self._titles.items() if tool.rare],
        )
        right = control(widgets.VBox, (self.source, card(self._tabs)), _dom_classes=("sw-main",))
        self.root = control(widgets.Box, (self._left, right), _dom_classes=("sw-desk",))

    @property
    def controls(self) -> Mapping[str, Handle]:
        """The sliders for scripts, by key: ψ, and those of every tool that was opened."""
        return ChainMap(dict(self.source.psi.handles), *(dict(tool.handles) for tool in self._made))

    @property
    def shown(self) -> Tool:
        """The tool whose panel is in sight."""
        return self._titles[self._tabs.selected]

    def open(self, name: str) -> None:
        """Bring the panel of a tool into sight."""
        self._tabs.selected = next(title for title, tool in self._titles.items() if tool is self.tools[name])

    def update(self, latent: Latent) -> None:
        """Move every control to `latent`."""
        self.source.update(latent)
        for tool in self._made:
            self._tell(tool, tool.update)
        self._update_bar()

    def _update_bar(self) -> None:
        host = self._host
        at_start = host.value == self.compare.start
        self._bar.update(undo=not host.can_undo, redo=not host.can_redo, back=at_start, pin=at_start)

    def _download(self) -> None:
        latent = self._host.value
        self._bar.download(f"{caption(latent).replace(' · ', ', ')}.png", self._host.picture.png(latent), "image/png")

    def stepped(self, old: Latent) -> None:
        """A new step of the history left this state."""
        for tool in self.tools.values():
            self._tell(tool, tool.stepped, old)

    def rested(self, latent: Latent) -> None:
        """The picture of a latent has come to rest."""
        self._tell(self.shown, self.shown.rested, latent)

    # -- tools ---------------------------------------------------------------------------------------------------------
    def _make(self, tool: Tool) -> widgets.Widget:
        """The panel of a tool; words in its place where it fails, for a tool may be anybody's."""
        try:
            panel, overlay = tool.panel(self._host), tool.overlay(self._host)
            if not isinstance(panel, widgets.Widget):
                raise TypeError(f"its panel() returns a widget; {type(panel).__name__} came")
        except Exception as error:  # noqa: BLE001  the edge: ipywidgets would only log it
            report(self._host.view, error, f"opening {tool.title or tool.name}")
            return note(describe(error))
        self._made.append(tool)
        self._tell(tool, tool.update)
        if overlay is not None:
            self._overlays[tool] = overlay
            if len(self._overlays) == 1:
                picture, *others = self._left.children
                self._stack = control(widgets.Box, [picture], _dom_classes=("sw-stack",))
                self._left.children = (self._stack, *others)
            self._stack.children = (*self._stack.children, overlay)
        return panel

    def _on_tool(self, title: str) -> None:
        before = next((tool for tool in self.tools.values() if tool.shown), None)
        if before is not None:
            before.shown = False
            self._tell(before, before.left)
        self.begin()

    def begin(self) -> None:
        """The tool that is up is in sight now."""
        tool = self.shown
        if tool in self._made:
            tool.shown = True
            self._tell(tool, tool.opened)
        for owner, overlay in self._overlays.items():
            show(overlay, owner is tool)

    def _tell(self, tool: Tool, hook: Callable[..., None], *arguments: Latent) -> None:
        with reporting(self._host.view, tool.title or tool.name, keep=True):
            hook(self._host, *arguments)
