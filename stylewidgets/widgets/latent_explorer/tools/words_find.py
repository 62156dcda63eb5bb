"""Pictures that a sentence fits: among random faces or the kept ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ....latent.latent import Latent
from ....settings import Setting
from ...kit.controls.number import NumberBox
from ...kit.controls.snapshots import SnapshotStrip
from ...kit.controls.source_controls import random_seed
from ...kit.parts import button, card, note, row, say

if TYPE_CHECKING:
    from .words import WordsTool

SHOWN = 8
THUMBNAIL = 96
MOST = 5000
COUNT = Setting("faces", 48, "how many random faces are looked at", low=2, high=MOST)


class Finder(widgets.VBox):
    """ "Find": the faces that fit the words best. Attributes: `count`, of random faces; `strip`, what was found."""

    def __init__(self, tool: WordsTool) -> None:
        self._tool = tool
        self.count = NumberBox(COUNT, layout={"width": "150px"}, style={"description_width": "80px"})
        self._search = button("find among random faces", "look at new faces", self.search, view=tool.place)
        self._rank = button("rank my snapshots", "put the faces that you kept in order", self.rank, view=tool.place)
        self._note = note("Press a picture to go there.")
        host = tool.host
        self.strip = SnapshotStrip(
            lambda latent: host.picture.thumbnail(latent, THUMBNAIL),
            lambda latent: host.change("", lambda _: latent),
            SHOWN,
            movable=False,
            empty="nothing looked for yet",
        )
        super().__init__(
            [
                card(
                    row(self.count, self._search, self._rank),
                    self._note,
                    self.strip,
                    title="Find faces that fit the words",
                )
            ]
        )

    def search(self) -> None:
        """Look at random faces, with the present psi and edits left out."""
        first = random_seed() % (2**32 - MOST)
        start = self._tool.host.session.latent(psi=self._tool.host.value.psi)
        self._look([start.replace(seed=first + i) for i in range(self.count.value)])

    def rank(self) -> None:
        """Look at the snapshots."""
        kept = list(self._tool.host.snapshots)
        if not kept:
            raise ValueError("there are no snapshots yet: keep some faces first (key s)")
        self._look(kept)

    def _look(self, latents: Sequence[Latent]) -> None:
        sentence = self._tool.texts[1]

        def ready(found: Any) -> None:
            self.strip.clear()
            for one in found[:SHOWN]:
                self.strip.add(one.latent)
            best, last = found[0].score, found[-1].score
            say(
                self._note, f"for {sentence!r}, best first: fits by {best:.2f}, the worst of {len(found)} by {last:.2f}"
            )

        self._tool.work.run("find", self._tool.words.find.steps(sentence, latents), ready, "looking at faces")
