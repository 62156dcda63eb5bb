"""Walking round what is in the picture: the tool for generators with a scene in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ....core import pictures
from ....latent.camera import Camera
from ....latent.latent import Latent
from ...kit.controls.rows import Handle, Row, Rows
from ...kit.host import PictureHost
from ...kit.parts import button, column, control, heading, note, row
from .export_panel import ExportPanel
from .orbit_sheet import OrbitSheet, Turn
from .tool import Tool

if TYPE_CHECKING:
    from ....session.session import GeneratorSession

VIEWS = ("picture", "depth", "normals")
MOVING, RESTING = 32, 128
"""Sides of a depth map in pixels, while the camera moves and when it rests."""

ROUND = 350.0
"""Degrees of yaw from which on a film goes all the way round."""

PITCH = 85.0
"""Beyond it one would look along the axis that one walks round."""


class Turntable:
    """The film of a face that turns from one end of the trained range to the other and back, or all the way round.

    It has what `ExportPanel` asks an animator for: session, keyframes, seconds, ease and closed.
    """

    def __init__(self, host: PictureHost) -> None:
        self._host = host
        self.session, self.seconds = host.session, 2.0
        self._low, self._high = self.session.camera_range["yaw"]
        self.closed = self._high - self._low < ROUND
        self.ease = "smooth" if self.closed else "linear"

    @property
    def keyframes(self) -> tuple[Latent, ...]:
        """The present face from the ends of the range; where it goes round, from three sides and the first again."""
        latent = self._host.value
        camera = camera_of(latent)
        yaws = (self._low, self._high) if self.closed else (-180.0, -60.0, 60.0, 180.0)
        return tuple(latent.replace(view=replace(camera, yaw=max(-180.0, min(180.0, yaw)))) for yaw in yaws)


def camera_of(latent: Latent) -> Camera:
    """The latent's camera, the neutral one where it has another view or none."""
    return latent.view if isinstance(latent.view, Camera) else Camera()


class CameraTool(Tool):
    """Drag the picture to walk round it; see its depth; make a film of it. Attributes: `sheet`, `rows`, `view`, `film`."""

    name, title = "camera", "Camera"

    def fits(self, session: GeneratorSession) -> str | None:
        if session.view_kind is Camera and session.has_scene:
            return None
        return "only generators with a scene in space, such as StyleNeRF and EG3D, can be walked round"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self._fov = host.session.field_of_view
        self.sheet = OrbitSheet(trained=_trained(host.session), home={"yaw": 0.0, "pitch": 0.0, "fov": self._fov})
        self.sheet.on_orbit = lambda turn: self._orbit(host, turn)
        self.rows = Rows(
            self._lines(host.value), on_change=lambda key, value: self._set(host, key, value), view=host.view
        )
        self.view = control(
            widgets.ToggleButtons,
            on=lambda _: self._look(host, RESTING),
            options=VIEWS,
            tip="what the picture shows: colours, how far away things are, or which way they face",
            style={"button_width": "76px"},
        )
        self.film = Turntable(host)
        self.export = ExportPanel(self.film, name="turntable")
        return column(
            heading("Camera", "camera", "field of view"),
            note(
                "Drag the picture to walk round it, or use the arrow keys on it. The wheel, or + and −, comes nearer."
            ),
            self.rows,
            row(
                self.view,
                button("look straight", "the head from the front, from the usual distance", lambda: self._home(host)),
            ),
            heading("Turntable", "turntable"),
            self.export,
        )

    def overlay(self, host: PictureHost) -> widgets.Widget:
        return self.sheet

    @property
    def handles(self) -> Mapping[str, Handle]:
        return self.rows.handles

    def update(self, host: PictureHost) -> None:
        camera = camera_of(host.value)
        self.rows.update(self._lines(host.value))
        place = {"yaw": camera.yaw, "pitch": camera.pitch, "fov": self._fov if camera.fov is None else camera.fov}
        self.sheet.show(place, f"yaw {camera.yaw:g}°, pitch {camera.pitch:g}°")
        if self.shown:
            self._look(host, MOVING)

    def opened(self, host: PictureHost) -> None:
        self._look(host, RESTING)

    def rested(self, host: PictureHost, latent: Latent) -> None:
        if latent == host.value:
            self._look(host, RESTING)

    # -- what it does ----------------------------------------------------------------------------------------------------
    def _orbit(self, host: PictureHost, turn: Turn) -> None:
        def turned(latent: Latent) -> Latent:
            fov = None if abs(turn.fov - self._fov) < 0.005 else turn.fov
            pitch = max(-PITCH, min(PITCH, turn.pitch))
            return latent.replace(view=replace(camera_of(latent), yaw=turn.yaw, pitch=pitch, fov=fov))

        host.change("camera", turned)

    def _set(self, host: PictureHost, key: str, value: float) -> None:
        name = key.removeprefix("camera ")
        if name == "fov" and abs(value - self._fov) < 0.005:
            host.change("camera", lambda latent: latent.replace(view=replace(camera_of(latent), fov=None)))
        else:
            host.change("camera", lambda latent: latent.replace(view=replace(camera_of(latent), **{name: value})))

    def _home(self, host: PictureHost) -> None:
        host.change("", lambda latent: latent.replace(view=Camera()))

    def _look(self, host: PictureHost, side: int) -> None:
        """Lay the depth or the normals over the picture, or nothing."""
        if self.view.value == "picture":
            self.sheet.picture = b""
            return
        draw = host.session.normals if self.view.value == "normals" else host.session.depth_picture
        self.sheet.picture = pictures.encoded(draw(host.value, side), "PNG")

    def _lines(self, latent: Latent) -> list[Row]:
        camera = camera_of(latent)
        fov = self._fov if camera.fov is None else camera.fov

        def line(name: str, value: float, reach: float, tip: str, home: float = 0.0, low: float | None = None) -> Row:
            low = -reach if low is None else low
            return Row(f"camera {name}", name, value, min(low, value), max(reach, value), 0.1, "°", tip, home)

        return [
            line("yaw", camera.yaw, 180.0, "the head turns to the picture's right"),
            line("pitch", camera.pitch, PITCH, "the head looks up"),
            line("roll", camera.roll, 180.0, "the picture turns clockwise"),
            replace(
                line(
                    "fov",
                    fov,
                    min(120.0, 3 * self._fov),
                    "field of view: smaller comes nearer",
                    self._fov,
                    self._fov / 3,
                ),
                label="field of view",
            ),
        ]


def _trained(session: GeneratorSession) -> list[float]:
    return [float(end) for name in ("yaw", "pitch") for end in session.camera_range[name]]
