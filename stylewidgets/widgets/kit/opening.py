"""Where one widget opens another: the only file that knows them by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...latent.latent import Latent
from .errors import ShowsErrors
from .parts import button, heading, replace_children, row
from .sharing import shared_layout

if TYPE_CHECKING:
    from ...session.session import GeneratorSession
    from ..latent_explorer.explorer import LatentExplorer
    from ..style_mix_grid.grid import StyleMixGrid
    from ..style_space_probe.probe import StyleSpaceProbe


def explorer(session: GeneratorSession, latent: Latent, **options: Any) -> LatentExplorer:
    """A new `LatentExplorer` of a latent."""
    made: LatentExplorer = _named("LatentExplorer")(session, latent, **options)
    return made


def grid(session: GeneratorSession, latent: Latent, **options: Any) -> StyleMixGrid:
    """A new `StyleMixGrid` whose first row is a latent."""
    made: StyleMixGrid = _named("StyleMixGrid")(session, **{"rows": [latent, 1, 2], **options})
    return made


def probe(session: GeneratorSession, latent: Latent, **options: Any) -> StyleSpaceProbe:
    """A new `StyleSpaceProbe` of a latent."""
    made: StyleSpaceProbe = _named("StyleSpaceProbe")(session, latent, **options)
    return made


def _named(name: str) -> type[widgets.Widget]:
    # By the package's public name, at the time of opening: each of them has a panel that opens another one.
    return getattr(import_module(__name__.partition(".")[0]), name)


class Beside(widgets.VBox):
    """The place beside a widget for one that it opened: a card with a title and a way to close it. No room while empty.

    Args:
        view: shows what goes wrong.
    """

    def __init__(self, view: ShowsErrors) -> None:
        self._view = view
        super().__init__(layout=shared_layout(), _dom_classes=("sw-guest",))

    @property
    def opened(self) -> widgets.Widget | None:
        """The widget that is open here."""
        return self.children[-1] if self.children else None

    def open_here(self, opened: widgets.Widget, title: str = "") -> None:
        """Show a widget under a title, and close the one before."""
        shut = button("✕", "close this", self.shut, view=self._view)
        bar = row(heading(title or _title(opened)), shut, justify_content="space-between", flex_flow="row nowrap")
        replace_children(self, [bar, opened])

    def shut(self) -> None:
        """Close what is open here."""
        replace_children(self, [])

    def send(self, session: GeneratorSession, latent: Latent, target: widgets.Widget | None = None) -> widgets.Widget:
        """Give a latent to a widget and return it.

        Args:
            target: a `StateWidget`, or anything with a `value`. None: the one here, or else a new explorer here.
        """
        target = target or self.opened
        if target is None:
            self.open_here(target := explorer(session, latent))
        elif hasattr(target, "receive"):
            target.receive(latent)
        else:
            target.value = latent
        return target


def _title(opened: widgets.Widget) -> str:
    """What a widget is called where it is opened."""
    return {"LatentExplorer": "Explorer", "StyleMixGrid": "Mixing grid", "StyleSpaceProbe": "Style probe"}.get(
        type(opened).__name__, type(opened).__name__
    )
