"""Pose: a figure to pull by its joints, beside the person that it moves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..... import avatars
from .....latent.latent import Latent
from .....latent.pose import Pose
from ....kit.controls.rows import Handle, Row, Rows
from ....kit.controls.source_controls import random_seed
from ....kit.host import PictureHost
from ....kit.parts import button, card, column, control, empty, note, place, row, say, show
from ....kit.sharing import shared_layout
from ....kit.tabs import Tabs
from ..tool import Tool
from .between import PoseFilm
from .figure import FigureView, Pull
from .looks import Looks
from .person import PersonCards, SeedBox, surface_in, uploaded
from .wear import WearCard
from .who import FROM_FILES, NOBODY, Who, called, told

if TYPE_CHECKING:
    from .....session.session import GeneratorSession

WELCOME = "Nobody is here yet. This network draws a person whom you give it, in the pose that you pull."
KEPT = 200
"""Sources that the tool can give again to a session that has forgotten them."""


class PoseTool(Tool):
    """A person in another pose. Attributes: `figure`, `rows` (every angle), `person`, `wear`, `looks`, `film`, `tabs`."""

    name, title = "pose", "Pose"

    def fits(self, session: GeneratorSession) -> str | None:
        if session.view_kind is Pose and session.needs_source:
            return None
        return "only generators that draw a source in a pose, Pose with Style, have somebody to pose"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self._host = host
        self._given: dict[str, tuple[Any, str]] = {}  # sources of this tool and their words, by hash
        self._home_of: Mapping[str, float] = MappingProxyType({})
        self.figure = FigureView(layout=shared_layout(flex="1 1 220px", min_width="0", max_width="300px"))
        self.figure.on_pull = self._pull
        self.rows = Rows(on_change=self._set, view=host.view, label="Angles", empty="Nobody with joints is drawn.")
        self.person = PersonCards(self.put, self._who)
        self.wear = WearCard(self.put, self._who, lambda: self.person.person)
        self.looks = Looks(self.put, self._who)
        self.film = PoseFilm(host)
        self.tabs = Tabs(
            {
                "Figure": self._pose_panel,
                "Person": lambda: self.person,
                "Wear": lambda: self.wear,
                "Film": lambda: self.film,
                "Angles": lambda: card(note("Every joint by its number. Left and right are the picture's."), self.rows),
                "Looks": lambda: self.looks,
            },
            lambda _: self.update(host),
            rare=("Angles", "Looks"),
            label="Pose",
        )
        return self.tabs

    def _pose_panel(self) -> widgets.Widget:
        host = self._host
        self._words = note("")
        self.named = control(
            widgets.Dropdown, on=self._named, view=host.view, tip="a pose by its name",
            style={"description_width": "36px"}, layout={"width": "184px"},
            options=[("choose …", ""), *((name, name) for name in avatars.POSTURES)], description="pose",
        )  # fmt: skip
        self.other = SeedBox("the avatar whose pose is taken", self.take_of_seed, host.view)
        self.upload = control(
            widgets.FileUpload, tip="the pose of a person in a picture: its IUV picture, as DensePose writes it",
            accept="image/*", on=lambda _: self._take_upload(), view=host.view, description="IUV picture",
            layout={"width": "150px"},
        )  # fmt: skip
        acts = column(
            self.named,
            row(
                button("mirror", "left becomes right", self.mirror, view=host.view, icon="swap"),
                button("random", "a random pose, as avatars stand", self.random, view=host.view, icon="dice"),
                button("reset", "the pose that the person had", self.reset, view=host.view, icon="reset"),
            ),
            note("Left and right are the picture's. Every joint by its number: more, Angles."),
            flex="1 1 190px",
            min_width="0",  # words wrap before the buttons go below the figure
        )
        self._nobody = empty(
            WELCOME,
            button("choose somebody", "an avatar by its number, or a person from files", self._to_person, primary=True),
        )
        self._stand = row(self.figure, acts, align_items="flex-start")
        self._take = card(
            note("The pose of the avatar with this number, or of a person's IUV picture."),
            row(self.other, self.upload),
            title="Take a pose",
            words=("IUV",),
        )
        return place(
            "sw-cards",
            card(self._nobody, self._words, self._stand, title="Pull it by its joints", words=("pose", "source")),
            self._take,
        )

    @property
    def handles(self) -> Mapping[str, Handle]:
        return self.rows.handles

    # -- to use --------------------------------------------------------------------------------------------------------
    def put(self, source: Any, words: str) -> None:
        """Draw this source from now on: an avatar, or a person from files. The pose stays where the new one can take it."""
        host = self._host
        name = host.session.put(source)
        self._given.pop(name, None)
        self._given[name] = source, words
        while len(self._given) > KEPT:
            del self._given[next(iter(self._given))]
        before = self._who()

        def drawn(latent: Latent) -> Latent:
            after = latent.replace(source=name)
            new = Who.of(host.session, after)
            fits = before.pose.iuv is None if new.figure is not None else not before.pose.angles
            same = new.figure is None or set(before.pose.angles) <= set(new.figure.angles)
            return after if fits and same else after.replace(view=Pose())

        host.change(f"pose {words.rstrip('0123456789 ')}", drawn)

    def pose(self, pose: Pose, source: str = "") -> None:
        """Make this the pose. `source` as of `host.change`."""
        self._host.change(source, lambda latent: latent.replace(view=pose))

    def mirror(self) -> None:
        """The mirror image of the pose."""
        self.pose(avatars.pose_of(avatars.mirrored(self._angles())))

    def random(self) -> None:
        """A random pose, of those that avatars have."""
        self._angles()
        self.pose(avatars.random_pose(random_seed(), self._who().groups))

    def reset(self) -> None:
        """The pose that the source has by itself."""
        self.pose(Pose())

    def take_of_seed(self, seed: int) -> None:
        """The pose of the avatar of that seed."""
        self._angles()
        self.pose(avatars.random_pose(seed, self._who().groups))

    def take(self, surface: Any) -> None:
        """The pose of an IUV picture: a path, a picture, or uint8 [H, W, 3]. ValueError where it is none, or for an avatar."""
        from .....generators.posed import read_iuv

        if self._who().figure is not None:
            raise ValueError(
                "an avatar takes angles, and an IUV picture has none: take the pose of another avatar by its number"
            )
        found, _ = read_iuv(surface)
        self.pose(Pose(iuv=self._host.session.put(found)))

    # -- a tool --------------------------------------------------------------------------------------------------------
    def update(self, host: PictureHost) -> None:
        self._remember(host.value)
        who, angles = self._who(), self._who().angles
        self._show_figure(who, angles)
        self.rows.update(self._lines(who, angles))
        for name, part in (("Wear", self.wear), ("Film", self.film), ("Looks", self.looks)):
            if self.tabs.shown(name) is not None:
                part.update()

    # -- inside --------------------------------------------------------------------------------------------------------
    def _who(self) -> Who:
        return Who.of(self._host.session, self._host.value)

    def _angles(self) -> dict[str, float]:
        angles = self._who().angles
        if not angles:
            raise ValueError(FROM_FILES if self._who().source is not None else NOBODY)
        return angles

    def _remember(self, latent: Latent) -> None:
        """Give a source again that the session has forgotten: undo may go back to it."""
        known = self._given.get(latent.source) if isinstance(latent.source, str) else None
        if known is not None and Who.of(self._host.session, latent).source is None:
            self._host.session.put(known[0])

    def _show_figure(self, who: Who, angles: Mapping[str, float]) -> None:
        can = who.figure is not None
        show(self._stand, can)
        show(self._nobody, who.source is None)
        show(self._take, who.source is not None)
        show(self.other, can)
        show(self.upload, who.person is not None)
        say(self._words, "" if can or who.source is None else FROM_FILES)
        if who.figure is None:
            return
        framing = who.figure.framing
        with self.figure.hold_sync():
            self.figure.points = avatars.joints(angles, framing)
            self.figure.joints = [
                (joint, called(joint), told(angles, names))
                for joint, names in avatars.JOINTS.items()
                if set(names) <= set(angles)
            ]
            self.figure.radius = 0.18 if framing == "half" else 0.31
            self.figure.label = "Figure; pull it by its joints"
        self.named.value = ""

    def _lines(self, who: Who, angles: Mapping[str, float]) -> list[Row]:
        if who.figure is None:
            return []
        ends, own = avatars.limits(who.groups), who.figure.angles
        return [
            Row(f"pose {name}", called(name), value, *ends[name], 0.5, "°", called(name), round(own[name], 1))
            for name, value in angles.items()
        ]

    def _pull(self, pull: Pull) -> None:
        who, angles = self._who(), self._angles()
        assert who.figure is not None
        if pull.place is None:
            own = who.figure.angles
            moved = {**angles, **{name: own[name] for name in avatars.JOINTS.get(pull.joint, ())}}
        else:
            moved = avatars.pulled(angles, pull.joint, pull.place, who.figure.framing, who.groups)
        changed = {name: value for name, value in moved.items() if value != angles[name] or name in who.pose.angles}
        self.pose(avatars.pose_of(changed), f"pose {pull.joint}")

    def _set(self, key: str, value: float) -> None:
        name = key.removeprefix("pose ")
        stated = {**self._who().pose.angles, name: value}
        self.pose(avatars.pose_of(stated), key)

    def _named(self, name: str) -> None:
        if name:
            self._angles()
            self.pose(avatars.posture(name, self._who().groups))

    def _take_upload(self) -> None:
        if self.upload.value:
            self.take(surface_in(uploaded(self.upload)))

    def _to_person(self) -> None:
        self.tabs.selected = "Person"
