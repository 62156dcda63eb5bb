"""Faces to take a part from: those of a gallery that are nearest in it, and some by chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from .....jobs import Job, Progress
from .....latent.caption import caption
from .....latent.latent import Latent
from ....kit.controls.source_controls import random_seed
from ....kit.parts import button, card, listen, note, quiet, row, say
from ....kit.views.cards import Card, Cards

if TYPE_CHECKING:
    from .....editing.parts.gallery import Gallery
    from .....editing.parts.parts import Parts
    from .tool import PartsTool

SHOWN = 8
SIDE = 72
GALLERY = 600
"""Faces that are looked through; their styles are made in some seconds, while nobody waits."""
PSI = 0.7
KEPT = 256


class Faces(widgets.VBox):
    """Attributes: `nearest` and `random`, cards with a face each; `gallery`, what is looked through, which may be assigned."""

    def __init__(self, tool: PartsTool) -> None:
        self._tool = tool
        self._pictures: dict[Latent, NDArray[np.uint8]] = {}
        self._gallery: Gallery | None = None
        self._shown: dict[str, list[Latent]] = {"nearest": [], "random": []}
        self._asked: object = None
        self.nearest = self._strip("nearest", "Faces most alike in this part")
        self.random = self._strip("random", "Random faces")
        self._words = note("")
        self._again = button("other faces", "eight more by chance", self.again, view=tool.place)
        own = button(
            "add my snapshots", "look through the faces that you kept, too", self._add_snapshots, view=tool.place
        )
        parts = (self._words, self.nearest, note("By chance"), self.random, row(self._again, own))
        super().__init__([card(*parts, title="Press a face to take its part")], layout={"width": "100%"})

    @property
    def gallery(self) -> Gallery | None:
        """What is looked through; None while it is being made. ValueError for one of another generator."""
        return self._gallery

    @gallery.setter
    def gallery(self, gallery: Gallery) -> None:
        gallery.check(self._tool.host.session)
        self._gallery, self._asked = gallery, None
        self.refresh()

    def refresh(self) -> None:
        """Bring the faces to the chosen part and the picture, where either is another one."""
        tool = self._tool
        machine, part = tool.machine, tool.part
        if machine is None or not tool.shown:
            return
        if not self._shown["random"]:
            self.again()
        if self._gallery is None:
            if not tool.work.busy("gallery"):
                tool.work.run("gallery", self._made(), self._take_gallery, "looking through faces", quiet=True)
            say(self._words, "Faces are being looked through …")
        elif part is None:
            self._show("nearest", [])
            say(self._words, "Choose a part to see who is alike in it.")
        elif (asked := (tool.bare(), part, machine.weights, tool.method.value)) != self._asked:
            self._asked = asked
            self._look(machine, part, asked[0], self._gallery)

    def again(self) -> None:
        """Other random faces."""
        first = random_seed() % (2**32 - SHOWN)
        session = self._tool.host.session
        self._show("random", [session.latent(seed=first + i, psi=PSI) for i in range(SHOWN)])

    def mark(self) -> None:
        """Mark the face that the chosen part is from."""
        edit = self._tool.taken(self._tool.part)
        for name, strip in (("nearest", self.nearest), ("random", self.random)):
            shown = self._shown[name]
            with quiet(strip):
                strip.chosen = shown.index(edit.reference) if edit is not None and edit.reference in shown else -1

    # -- inside --------------------------------------------------------------------------------------------------------
    def _strip(self, name: str, label: str) -> Cards:
        strip = Cards(label=label, least=60)
        strip.add_class("sw-faces")

        def pressed(chosen: int) -> None:
            if 0 <= chosen < len(self._shown[name]):
                try:
                    self._tool.place.error = ""
                    self._tool.take(self._shown[name][chosen])
                finally:
                    self.mark()

        listen(strip, pressed, "chosen", view=self._tool.place)
        return strip

    def _show(self, name: str, latents: Sequence[Latent], closeness: Sequence[str] = ()) -> None:
        """Show faces, drawn one after the other while nothing else is to be done."""

        def ready(_: object) -> None:
            if self._shown[name] is not latents:
                return  # others were asked for meanwhile
            alike = [f"; cosine of its styles {each}" for each in closeness] or [""] * len(latents)
            cards: list[Card] = [
                {"title": "", "tip": f"take the part of {caption(latent)}{words}"}
                for latent, words in zip(latents, alike, strict=True)
            ]
            strip = self.nearest if name == "nearest" else self.random
            with quiet(strip):
                strip.show(cards, [self._pictures[latent] for latent in latents])
            self.mark()

        self._shown[name] = latents = list(latents)
        self._tool.work.run(f"{name} faces", self._drawn(latents), ready, "drawing faces", quiet=True)

    def _look(self, machine: Parts, part: str, bare: Latent, gallery: Gallery) -> None:
        try:
            found = machine.retrieve(bare, part, gallery, SHOWN + 1, method=self._tool.method.value)
        except ValueError as problem:  # such as a part that is not in the picture: it can be taken all the same
            self._show("nearest", [])
            say(self._words, f"{problem}.")
            return
        others = [(latent, closeness) for latent, closeness in found if not _same(latent, bare)][:SHOWN]
        say(self._words, f"Of {len(gallery)} faces, the most alike in the {part} first:")
        self._show("nearest", [latent for latent, _ in others], [f"{closeness:.3f}" for _, closeness in others])

    def _drawn(self, latents: Sequence[Latent]) -> Job[bool]:
        for n, latent in enumerate(latents):
            if latent not in self._pictures:
                self._pictures[latent] = self._tool.host.session.images([latent], resolution=SIDE)[0]
            yield Progress(n + 1, len(latents))
        for old in list(self._pictures)[:-KEPT]:
            del self._pictures[old]
        return True

    def _made(self, more: Iterable[Latent] = ()) -> Job[Gallery]:
        from .....editing.parts.gallery import Gallery

        session = self._tool.host.session
        if self._gallery is not None:
            return (yield from self._gallery.grown(session, more))
        return (yield from Gallery.of(session, [session.latent(seed=i, psi=PSI) for i in range(GALLERY)]))

    def _take_gallery(self, gallery: Gallery) -> None:
        if gallery is not None:
            self.gallery = gallery

    def _add_snapshots(self) -> None:
        kept = list(self._tool.host.snapshots)
        if not kept:
            raise ValueError("there are no snapshots yet: keep some faces first (key s)")
        if self._gallery is None:
            raise ValueError("the faces are still being looked through; try again in a moment")
        new = [latent for latent in kept if latent not in self._gallery.latents]
        self._tool.work.run("gallery", self._made(new), self._take_gallery, "looking through faces", quiet=True)


def _same(latent: Latent, other: Latent) -> bool:
    """Whether two are of the same seed, and so of the same face."""
    return latent.seed is not None and latent.seed == other.seed and other.code is None
