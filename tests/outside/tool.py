"""A tool of one's own for the LatentExplorer: the look of another seed."""

from __future__ import annotations

import ipywidgets as widgets

import stylewidgets as sw
from stylewidgets.widgets.kit.host import PictureHost


@sw.tools.register
class Borrow(sw.tools.Tool):
    name, title = "borrow", "Borrow"

    def fits(self, session: sw.GeneratorSession) -> str | None:
        return None if session.num_ws > 1 else "it reads one row of w, which leaves nothing to borrow"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self.seed = widgets.BoundedIntText(1, min=0, max=2**32 - 1, description="seed")
        self.amount = widgets.FloatSlider(0.0, min=0.0, max=1.0, step=0.01, description="amount")
        self.button = widgets.Button(description="next seed")
        self.words = widgets.HTML()
        self.seed.observe(lambda _: self.borrow(host), "value")
        self.amount.observe(lambda _: self.borrow(host), "value")
        self.button.on_click(lambda _: self.borrow(host, self.seed.value + 1, self.amount.value or 1.0))
        return widgets.VBox([self.seed, self.amount, self.button, self.words])

    def borrow(self, host: PictureHost, seed: int | None = None, amount: float | None = None) -> None:
        other = host.session.latent(seed=self.seed.value if seed is None else seed)
        strength, half = self.amount.value if amount is None else amount, host.session.num_ws // 2
        edit = sw.TransferEdit(other, strength=strength, layers=(half, host.session.num_ws), name="borrowed")
        host.change("borrow", lambda latent: latent.with_edit(edit))  # one drag is one step of the history

    def update(self, host: PictureHost) -> None:  # undo, a cell or a link may have changed the value: follow it
        edit = next((edit for edit in host.value.edits if edit.identity == ("transfer", "borrowed")), None)
        self.amount.value = edit.strength if edit else 0.0
        if isinstance(edit, sw.TransferEdit):
            self.seed.value = edit.reference.seed

    def rested(self, host: PictureHost, latent: sw.Latent) -> None:  # slow work waits until the picture stands still
        own = host.session.image(latent.replace(edits=())).astype(int)
        moved = abs(host.session.image(latent) - own).mean()
        self.words.value = f"{moved:.1f} of 255 levels from the picture without edits"
