"""The tool "Walk": a pad on which dragging walks from face to face."""

from __future__ import annotations

import ipywidgets as widgets

from ...kit.controls.source_controls import main_seed, start_from
from ...kit.host import PictureHost
from .seed_lattice import Blend
from .seed_pad import SeedPad
from .tool import Tool


class Walk(Tool):
    """Attribute: `pad`."""

    name, title = "walk", "Walk"

    def panel(self, host: PictureHost) -> widgets.Widget:
        def walk(blend: Blend) -> None:
            source = {"seed": blend[0][0]} if len(blend) == 1 else {"blend": blend}
            host.change("walk", lambda latent: start_from(latent, host.session.c_dim > 0, **source))

        self.pad = SeedPad(walk, seed=main_seed(host.value) or 0)
        return self.pad

    def update(self, host: PictureHost) -> None:
        """Show on the pad where the value is; a seed that is nowhere near becomes the new centre."""
        seed = main_seed(host.value)
        if seed is None:
            return
        blend = host.value.blend or ((seed, 1.0),)
        if self.pad.blend != blend and not self.pad.show_blend(blend):
            self.pad.seed = seed
