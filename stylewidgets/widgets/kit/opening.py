"""Where one widget opens another: the only file that knows them by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...latent.latent import Latent
from .parts import WIDE, replace_children
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


class Below(widgets.VBox):
    """The place under a widget for one that it opened."""

    def __init__(self) -> None:
        super().__init__(layout=shared_layout(**WIDE))

    def open_here(self, opened: widgets.Widget) -> None:
        """Show a widget, and close the one before."""
        replace_children(self, [opened])

    def send(self, session: GeneratorSession, latent: Latent, target: widgets.Widget | None = None) -> widgets.Widget:
        """Give a latent to a widget and return it.

        Args:
            target: a `StateWidget`, or anything with a `value`. None: the one here, or else a new explorer here.
        """
        target = target or next(iter(self.children), None)
        if target is None:
            self.open_here(target := explorer(session, latent))
        elif hasattr(target, "receive"):
            target.receive(latent)
        else:
            target.value = latent
        return target
