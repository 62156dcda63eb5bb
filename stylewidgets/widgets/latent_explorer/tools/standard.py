"""The tools that every explorer has, where they fit."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets

from .... import domain
from ....jobs import Job, Progress
from ....latent.latent import Direction, Latent
from ...kit.controls.direction_picker import DirectionPicker
from ...kit.controls.direction_rows import DirectionRows
from ...kit.controls.from_tools import FromTools
from ...kit.controls.rows import Handle
from ...kit.controls.snapshots import SnapshotStrip
from ...kit.controls.source_controls import main_seed, start_from
from ...kit.controls.transform_controls import TransformControls
from ...kit.errors import reporting
from ...kit.host import PictureHost
from ...kit.jobs import Jobs
from ...kit.parts import button, column, listen, note, row
from ...kit.sharing import own
from ...kit.state_lock import STATE
from ...kit.state_panel import StatePanel
from .animation import Animator
from .attributes import Attributes
from .camera import CameraTool
from .drag import DragTool
from .edit_truth import EditTruth
from .parts import PartsTool
from .pose import PoseTool
from .rig import RigTool
from .seed_lattice import Blend
from .seed_pad import SeedPad
from .tool import Tool, register
from .words import WordsTool

if TYPE_CHECKING:
    from ....directions import DirectionSet
    from ....session.session import GeneratorSession

THUMBNAIL = 96
STEPS = 24
NEW_ROWS = 4
"""Sliders for the first of uploaded directions."""
FACES = 300
"""Small pictures that the map keeps."""


register(PoseTool)  # where it fits it comes first: without somebody there is nothing to see


@register
class Directions(Tool):
    """A slider for each edit, and a list to add more from.

    Attributes: `rows`, `picker`, and `truth`, the line about what changed; None where nothing can be read.
    """

    name, title = "directions", "Directions"
    truth: EditTruth | None = None

    def panel(self, host: PictureHost) -> widgets.Widget:
        session = host.session

        def add(direction: Direction) -> None:
            with reporting(host.view):
                host.add_direction(direction)

        self.rows = DirectionRows(
            session.num_ws, host.change, reach=lambda edit, name: session.editors.reach(edit, name)
        )
        self.picker = DirectionPicker(
            lambda: host.directions,
            lambda latents, side: session.images(latents, resolution=side),
            lambda: host.value,
            add,
            host.view,
        )
        known = domain.of(session)
        if known is not None and known.observe is not None and known.describe is not None:
            render = host.picture.render
            self.truth = EditTruth(host.view, lambda: host.start, render, known.observe, known.describe, known.changes)
        return column(*(part for part in (self.rows, self.picker, self.truth) if part is not None), width="100%")

    @property
    def handles(self) -> Mapping[str, Handle]:
        return self.rows.handles

    def update(self, host: PictureHost) -> None:
        self.rows.show(host.value)
        self.picker.update(host.value)
        if self.truth is not None:
            self.truth.update(host.value)

    def opened(self, host: PictureHost) -> None:
        if host.picture.latent is not None:
            self.rested(host, host.picture.latent)

    def rested(self, host: PictureHost, latent: Latent) -> None:
        if self.truth is not None and latent == host.value:  # not of a moment of a film
            self.truth.settled(latent)


register(Attributes)
register(WordsTool)
register(PartsTool)
register(DragTool)
register(RigTool)


@register
class TransformTool(Tool):
    """Shift, turn and scale the picture inside the network. Attribute: `sliders`."""

    name, title = "transform", "Move"

    def fits(self, session: GeneratorSession) -> str | None:
        return None if session.can_transform else "only StyleGAN3 can move its picture"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self.sliders = TransformControls(host.change)
        return self.sliders

    def update(self, host: PictureHost) -> None:
        self.sliders.update(host.value)


register(CameraTool)


@register
class Walk(Tool):
    """A map of faces to walk on. Attribute: `pad`."""

    name, title = "walk", "Walk"
    seeds = True

    def __init__(self) -> None:
        self._drawn_as: Latent | None = None
        self._faces: dict[int, bytes] = {}  # by seed
        self._waiting: deque[int] = deque()

    def panel(self, host: PictureHost) -> widgets.Widget:
        def walk(blend: Blend) -> None:
            source = {"seed": blend[0][0]} if len(blend) == 1 else {"blend": blend}
            host.change("walk", lambda latent: start_from(latent, host.session.c_dim > 0, **source))

        self._work = Jobs(host.view)
        own(self._work).min_height = None  # no line before there is long work
        self.pad = SeedPad(walk, seed=main_seed(host.value) or 0, faces=lambda seeds: self._want(host, seeds))
        return column(
            note("Drag, or use the arrow keys, to walk from face to face. In between, faces are blends."),
            self.pad,
            self._work,
        )

    def opened(self, host: PictureHost) -> None:
        if (looks := self._looks(host)) != self._drawn_as:  # other edits: the faces on the map are no longer those
            self._drawn_as, self._faces = looks, {}
            self._waiting.clear()
            self.pad.again()

    def _looks(self, host: PictureHost) -> Latent:
        """What the faces on the map have in common with the picture."""
        return start_from(host.value, host.session.c_dim > 0, seed=0)

    def _want(self, host: PictureHost, seeds: Sequence[int]) -> None:
        self._drawn_as = self._drawn_as or self._looks(host)
        for seed in seeds:
            if seed in self._faces:
                self.pad.face(seed, self._faces[seed])
        self._waiting = deque(
            dict.fromkeys([*(seed for seed in seeds if seed not in self._faces), *self._waiting]), FACES
        )
        if self._waiting:
            self._work.run("faces", self._draw(host), words="faces", quiet=True)

    def _draw(self, host: PictureHost) -> Job[None]:
        total, looks = len(self._waiting), self._drawn_as or self._looks(host)
        while self._waiting:
            seed = self._waiting.popleft()
            self._faces[seed] = host.picture.thumbnail(looks.replace(seed=seed), THUMBNAIL)
            self.pad.face(seed, self._faces[seed])
            while len(self._faces) > FACES:
                del self._faces[next(iter(self._faces))]
            yield Progress(total - len(self._waiting), total)

    def update(self, host: PictureHost) -> None:
        """Show on the pad where the value is; a seed that is nowhere near becomes the new centre."""
        seed = main_seed(host.value)
        if seed is None:
            return
        blend = host.value.blend or ((seed, 1.0),)
        if self.pad.blend != blend and not self.pad.show_blend(blend):
            self.pad.seed = seed


@register
class Animate(Tool):
    """A film from snapshot to snapshot. Only the picture moves: the value stays, so that it can be the other end of the film."""

    name, title = "animate", "Animate"

    def panel(self, host: PictureHost) -> widgets.Widget:
        def use_moment() -> None:
            shown = host.picture.latent
            host.change("", lambda latent: shown or latent)

        animator = self.animator = Animator(
            host.session,
            lambda: host.snapshots,
            lambda: host.value,
            host.preview,
            thumbnail=lambda latent: host.picture.thumbnail(latent, THUMBNAIL),
            keep=host.snapshot,
        )
        listen(host.strip, lambda _: animator.refresh() if self.shown else None, "cards", view=host.view)
        use = button(
            "go on from this face", "leave the film: the face that it shows now is the one that is edited", use_moment
        )
        return column(animator, row(use))

    def opened(self, host: PictureHost) -> None:
        self.animator.refresh()

    def left(self, host: PictureHost) -> None:
        host.preview(host.value)  # away from the film, back to the present state


@register
class HistoryTool(Tool):
    """Where one was. Attribute: `steps`, the strip of the states that were left."""

    name, title, rare = "history", "History", True

    def __init__(self) -> None:
        # Pictures of the steps wait here until somebody looks: their widgets would hold up the first frame of a drag.
        self._waiting: deque[tuple[Latent, bytes]] = deque(maxlen=STEPS)

    def panel(self, host: PictureHost) -> widgets.Widget:
        def picture(latent: Latent) -> bytes:
            kept = dict(self._waiting).get(latent)
            return kept or host.picture.thumbnail(latent, THUMBNAIL)

        self.steps = SnapshotStrip(
            picture,
            lambda latent: host.change("", lambda _: latent),
            STEPS,
            newest_first=True,
            movable=False,
            title="step",
            empty="Nothing has changed yet. Every change leaves a picture here of how it was before: press one to go back.",
        )
        return column(self.steps)

    def opened(self, host: PictureHost) -> None:
        """Move what waits into the strip, each state once."""
        known = set(self.steps.items)
        for latent in dict.fromkeys(latent for latent, _ in self._waiting):
            if latent not in known:
                self.steps.add(latent)
        self._waiting.clear()

    def stepped(self, host: PictureHost, old: Latent) -> None:
        self._waiting.append((old, host.picture.thumbnail(old, THUMBNAIL)))
        if self.shown:
            STATE.afterwards(id(self), lambda: self.opened(host))


@register
class Save(Tool):
    """Files of the state, and the Python that makes the picture. Attribute: `state`."""

    name, title, rare = "save", "Save & code", True

    def panel(self, host: PictureHost) -> widgets.Widget:
        def add(found: DirectionSet) -> str:
            new = [one for one in list(found.values())[:NEW_ROWS] if one.name not in {e.name for e in host.value.edits}]
            for one in new:
                host.add_direction(one)
            return (
                "they have sliders under Directions"
                if len(new) == len(found)
                else "more are in the list under Directions"
            )

        def take(latent: Latent) -> None:
            host.change("", lambda _: latent)

        self.state = StatePanel(host, tools=FromTools(host.session, take, lambda: host.value, add))
        return self.state

    def opened(self, host: PictureHost) -> None:
        self.state.refresh()

    def update(self, host: PictureHost) -> None:
        if self.shown:
            self.state.refresh()
