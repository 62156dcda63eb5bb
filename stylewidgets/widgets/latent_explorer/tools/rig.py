"""Rig: a head to turn and a lamp to move, a row for every other parameter, and parameters taken from another face."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import ipywidgets as widgets
from PIL import Image

from .... import domain
from ....latent.latent import Latent
from ....settings import Setting
from ...kit.controls.angle_pad import AnglePad
from ...kit.controls.number import NumberBox
from ...kit.controls.rows import Handle, Row, Rows
from ...kit.controls.source_controls import SEEDS
from ...kit.errors import reporting
from ...kit.host import PictureHost
from ...kit.jobs import Jobs
from ...kit.parts import WIDE, button, column, control, heading, note, row, say, show
from ...kit.sharing import shared_layout
from ...kit.views.camera import Camera
from .tool import Tool

if TYPE_CHECKING:
    from ....editing.flow.attributes import Attribute
    from ....editing.rig import Rig
    from ....session.session import GeneratorSession

PADS = {"head": ("yaw", "pitch", "turn the head"), "lamp": ("light_azimuth", "light_elevation", "move the lamp")}
"""What can be taken by hand: its parameters to the right and up, and what it says."""
NO_W = "a code in s has no w, which a rig edits: start from a seed, or from a code in z, w or w+"


class RigTool(Tool):
    """Pose, expression and light, live while they are dragged; a parameter that was never touched follows the picture.

    Attributes: `rig` (None until one is there), `pads` by kind ("head", "lamp"), `rows`, `prepare`, the button where a rig has
    to be made first, and `seed`, `path` and `camera`, what parameters can be taken from.
    """

    name, title = "rig", "Rig"
    near = True
    seeds = True
    rig: Rig | None = None

    def fits(self, session: GeneratorSession) -> str | None:
        from ....editing.rig.machine import Rig

        known = domain.of(session)
        if (known is not None and known.reader is not None) or Rig.known(session):
            return None
        return (
            "there is no rig for it, and nothing reads parameters off its pictures to make one from: register a domain "
            "with a reader, or session.editors.fit('rig', reader=…, groups=…)"
        )

    def panel(self, host: PictureHost) -> widgets.Widget:
        from ....editing.rig.machine import Rig

        self._host = host
        self._values: dict[str, float] = {}  # what is read of the picture at rest
        self._before: dict[str, float] = {}  # and of the code before the edit
        self.pads = {
            kind: AnglePad(
                kind=kind,
                label=label,
                layout=shared_layout(min_width="96px", max_width="176px", flex="1 1 96px", margin="0 8px 8px 0"),
            )
            for kind, (_, _, label) in PADS.items()
        }
        for kind, pad in self.pads.items():
            pad.on_turn = lambda x, y, kind=kind: self._turn(kind, x, y)
        self.rows = Rows(
            on_change=lambda key, value: self._wish(f"rig {key}", {key: value}),
            on_remove=lambda key: self._wish(f"rig {key} taken back", {key: None}),
            view=host.view,
            label="Rig",
        )
        self._words = note("")
        self._taken = note("")
        self._jobs = Jobs(host.view)
        self.prepare = button("Prepare", "make the rig of this generator; pause and stop keep what is done", self._make)
        self._work = column(self.prepare, self._jobs)
        self._steer = column(row(*self.pads.values()), self.rows, self._sources(), **WIDE)
        show(self._work, False)
        if Rig.known(host.session):
            self._take_rig(Rig.load(host.session))
        else:
            from ....editing.rig.fitting import seconds

            minutes = max(1, round(seconds(host.session) / 60))
            self.prepare.description = f"Prepare (about {minutes} min)"
            say(
                self._words,
                "No rig is there for this generator yet. It is made from faces of its own, read one by one.",
            )
            show(self._work, True)
            show(self._steer, False)
        return column(heading("Rig", "rig"), self._words, self._work, self._steer, **WIDE)

    def _sources(self) -> widgets.Widget:
        """What parameters can be taken from: a seed, a file or address, the camera; and a button for each group."""
        host = self._host
        self.seed = NumberBox(
            Setting("seed", 1, "another face of this generator", low=0, high=SEEDS - 1), on=lambda _: self._of_seed(),
            view=host.view, style={"description_width": "36px"}, layout={"width": "140px"},
        )  # fmt: skip
        self.path = control(
            widgets.Text, tip="instead of the seed: a file beside the notebook, or an http(s) address",
            layout={"width": "auto", "flex": "1 1 160px", "max_width": "100%"}, placeholder="or a picture: path or address",
            continuous_update=False,
        )  # fmt: skip
        self.upload = control(
            widgets.FileUpload, tip="or a picture from your disk", accept="image/*", on=lambda _: self._uploaded(),
            view=host.view, description="upload", layout={"width": "110px"},
        )  # fmt: skip
        self.camera = Camera(self._of_camera, layout=shared_layout())
        self._picture: Image.Image | bytes | None = None
        self._groups = row()
        reset = button("reset rig", "all parameters back to what the face had", self.reset, view=host.view)
        return column(
            note("Take from another face what it does, and keep who this is:"),
            row(self.seed, self.path, self.upload, self.camera),
            row(self._groups, reset),
            self._taken,
            **WIDE,
        )

    @property
    def handles(self) -> Mapping[str, Handle]:
        return self.rows.handles if self.rig is not None else MappingProxyType({})

    def opened(self, host: PictureHost) -> None:
        self.rested(host, host.value)

    def update(self, host: PictureHost) -> None:
        if self.rig is not None:
            self._show()

    def rested(self, host: PictureHost, latent: Latent) -> None:
        """Read what the picture has; not while it is dragged."""
        if self.rig is None or latent != host.value:
            return
        if latent.code is not None and latent.code.space == "s":
            say(self._words, NO_W)
            return
        say(self._words, "")
        edit = self.rig.edit_of(latent)
        self._values = self.rig.parameters(latent)
        self._before = self.rig.parameters(latent.with_edit(edit.with_strength(0))) if edit else self._values
        self._show()

    def take(self, group: str) -> None:
        """Take the parameters of a group from the picture that was given last, or from the seed's face."""
        rig, host = self._ready(), self._host
        text = self.path.value.strip()
        if text:
            there, words = rig.of_picture(text), text
        elif self._picture is not None:
            there, words = rig.of_picture(self._picture), "the picture"
        else:
            other = host.session.latent(seed=self.seed.value, psi=host.value.psi)
            there, words = rig.parameters(other), f"seed {self.seed.value}"
        host.change(f"rig {group} taken", lambda latent: rig.take(latent, there, group))
        say(self._taken, f"{group} of {words}")

    def reset(self) -> None:
        """Take the rig's edit away."""
        edit = self._ready().edit_of(self._host.value)
        say(self._taken, "")
        if edit is not None:
            self._host.change("rig reset", lambda latent: latent.without_edit(edit.name, edit.kind))

    # -- inside --------------------------------------------------------------------------------------------------------
    def _ready(self) -> Rig:
        if self.rig is None:
            raise ValueError("there is no rig yet: prepare one first")
        return self.rig

    def _wish(self, source: str, wanted: Mapping[str, float | None]) -> None:
        rig = self._ready()
        self._host.change(source, lambda latent: rig.wish(latent, wanted))

    def _turn(self, kind: str, x: float, y: float) -> None:
        across, up, _ = PADS[kind]
        self._wish(f"rig {kind}", {across: x, up: y})

    def _show(self) -> None:
        """Pads and rows: wishes where there are some, else what is read."""
        rig = self._ready()
        edit = rig.edit_of(self._host.value)
        wished = edit.controls if edit is not None else {}
        if not self._values and not wished:
            return
        values = {name: wished.get(name, self._values.get(name, 0.0)) for name in rig.names}
        for kind, pad in self.pads.items():
            across, up, _ = PADS[kind]
            if across not in values or up not in values:
                continue
            home = self._before.get(across, 0.0), self._before.get(up, 0.0)
            with pad.hold_sync():
                pad.x, pad.y = round(values[across], 1), round(values[up], 1)
                pad.home = round(home[0], 1), round(home[1], 1)
                pad.roll = round(values.get("roll", 0.0), 1) if kind == "head" else 0.0
        self.rows.update([
            self._row(entry, values[entry.name], entry.name in wished) for entry in rig.core.attributes.shown
        ])  # fmt: skip

    def _row(self, entry: Attribute, value: float, wished: bool) -> Row:
        span = entry.high - entry.low
        places = 1 if span > 10 else 2
        degrees, words = entry.unit == "degrees", entry.name.replace("_", " ")
        before = self._before.get(entry.name)
        unit = f" ({entry.unit})" if entry.unit and not degrees else ""
        now = "" if before is None else f"; {before:.{places}f} before the edit"
        return Row(
            entry.name,
            words,
            round(min(max(value, entry.low), entry.high), places),
            entry.low,
            entry.high,
            0.5 if span > 10 else 0.01,
            unit="°" if degrees else "",
            tip=f"{words}{unit}{now}",
            home=None if before is None else round(min(max(before, entry.low), entry.high), places),
            removes=wished,
        )

    def _take_rig(self, rig: Rig) -> None:
        self.rig = rig
        host = self._host
        host.session.editors.add("rig", rig)
        for kind, pad in self.pads.items():
            across, up, _ = PADS[kind]
            show(pad, across in rig.names and up in rig.names)
            if across in rig.names and up in rig.names:
                pad.reach = (*rig.reach(across), *rig.reach(up))
        self._groups.children = [self._taker(host, *each) for each in rig.groups.items()]

    def _taker(self, host: PictureHost, group: str, members: tuple[str, ...]) -> widgets.Button:
        return button(f"take {group}", f"{', '.join(members)} of that face", lambda: self.take(group), view=host.view)

    def _of_seed(self) -> None:
        self._picture, self.path.value = None, ""

    def _uploaded(self) -> None:
        """Both forms of ipywidgets: 7 has a mapping of names, 8 a tuple."""
        given = self.upload.value
        files = list(given.values()) if isinstance(given, dict) else list(given)
        if files:
            self._picture = bytes(files[-1]["content"])
            self.path.value = ""
            say(self._taken, "the picture is here: take what you want of it")

    def _of_camera(self, picture: Image.Image) -> None:
        self._picture = picture
        self.path.value = ""
        say(self._taken, "the camera's picture is here: take what you want of it")

    def _make(self) -> None:
        host = self._host

        def made(rig: object) -> None:
            self._take_rig(cast("Rig", rig))
            show(self._work, False)
            show(self._steer, True)
            say(self._words, "")
            with reporting(host.view):
                self.rested(host, host.value)

        if not self._jobs.busy():
            self.prepare.disabled = True
            self._jobs.run("rig", host.session.editors.fit("rig"), made, "preparing the rig", ended=self._came_to_rest)

    def _came_to_rest(self) -> None:
        self.prepare.disabled = False
        self.prepare.description = "Prepare: go on"
