"""The controls of the LatentExplorer and where they stand."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import ipywidgets as widgets

from ...latent.latent import Latent
from ..kit.controls.compare import HoldToCompare
from ..kit.controls.rows import Handle
from ..kit.controls.source_controls import SourceControls
from ..kit.errors import describe, report, reporting
from ..kit.host import PictureHost
from ..kit.parts import UndoButtons, button, column, control, heading, note, row, show
from ..kit.switcher import Switcher
from .tools.tool import Tool


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
        self.compare = HoldToCompare(
            host.picture.png, view, lambda: host.value, lambda latent: host.change("", lambda _: latent)
        )
        self._undo = UndoButtons(host)
        keep = button("snapshot", "keep this state in the history (key s)", host.snapshot, view=view)
        # As wide as the picture: its buttons wrap rather than push the controls below it.
        self._left = column(
            view,
            row(*self._undo.both, keep, *self.compare.buttons),
            flex="0 1 auto",
            width=f"{view.size + 4}px",
            margin="0 12px 0 0",
        )
        self._switcher = Switcher(
            {title: partial(self._make, tool) for title, tool in self._titles.items()}, self._on_tool
        )
        right = column(heading("Source"), self.source, self._switcher, flex="1 1 400px", min_width="0", width="auto")
        self.root = row(self._left, right, align_items="flex-start", width="100%")

    @property
    def controls(self) -> Mapping[str, Handle]:
        """The sliders for scripts, by key: ψ, and those of every tool that was opened."""
        return ChainMap(dict(self.source.psi.handles), *(dict(tool.handles) for tool in self._made))

    @property
    def shown(self) -> Tool:
        """The tool whose panel is in sight."""
        return self._titles[self._switcher.selected]

    def open(self, name: str) -> None:
        """Bring the panel of a tool into sight."""
        self._switcher.selected = next(title for title, tool in self._titles.items() if tool is self.tools[name])

    def update(self, latent: Latent) -> None:
        """Move every control to `latent`."""
        self.source.update(latent)
        for tool in self._made:
            self._tell(tool, tool.update)
        self._undo.update()

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
