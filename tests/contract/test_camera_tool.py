"""The explorer's Camera: what people do with it becomes the latent's camera, and depth and normals follow."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import stylewidgets as sw
from stylewidgets import Camera
from stylewidgets.widgets.latent_explorer.tools.camera import CameraTool

from .stub_family import Stub, StubConfig
from .stub_scene import Ball


@pytest.fixture
def session() -> sw.GeneratorSession:
    torch.manual_seed(3)
    return sw.GeneratorSession(Ball(StubConfig(resolution=32)), name="ball", metadata={"name": "ball"})


@pytest.fixture
def explorer(session: sw.GeneratorSession) -> sw.LatentExplorer:
    made = sw.LatentExplorer(session)
    made.open("camera")
    return made


def tool(explorer: sw.LatentExplorer) -> CameraTool:
    found = explorer.tools["camera"]
    assert isinstance(found, CameraTool)
    return found


def drag(explorer: sw.LatentExplorer, number: int, *, page: str = "a", rest: bool = False, **place: float) -> None:
    """What the page sends while a hand turns the picture."""
    home = {"yaw": 0.0, "pitch": 0.0, "fov": explorer.session.field_of_view}
    message = {"type": "orbit", "page": page, "number": number, **home, **place, "rest": rest, "acks": {}}
    tool(explorer).sheet._receive(None, message, [])


def shown(explorer: sw.LatentExplorer) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(tool(explorer).sheet.picture)))


def test_a_flat_generator_has_no_camera(session: sw.GeneratorSession) -> None:
    flat = sw.GeneratorSession(Stub(StubConfig()))
    assert "camera" not in sw.LatentExplorer(flat).tools and "transform" in sw.LatentExplorer(flat).tools
    assert "camera" in sw.LatentExplorer(session).tools and "transform" not in sw.LatentExplorer(session).tools
    with pytest.raises(ValueError, match="only generators with a scene in space"):
        sw.LatentExplorer(flat, tools=["camera"])


def test_dragging_the_picture_moves_the_camera_in_one_step_of_undo(explorer: sw.LatentExplorer) -> None:
    before = explorer.value
    for number, yaw in enumerate((2.0, 5.0, 9.0)):
        drag(explorer, number, yaw=yaw, pitch=-yaw / 3, rest=yaw == 9.0)
    assert explorer.value.view == Camera(yaw=9, pitch=-3)
    assert np.array_equal(
        np.asarray(explorer.image), explorer.session.image(before.replace(view=Camera(yaw=9, pitch=-3)))
    )
    explorer.undo()
    assert explorer.value == before
    explorer.redo()
    assert explorer.value.view == Camera(yaw=9, pitch=-3)


def test_an_older_wish_that_comes_last_is_dropped(explorer: sw.LatentExplorer) -> None:
    drag(explorer, 4, yaw=12.0)
    drag(explorer, 3, yaw=10.0)
    assert explorer.value.view == Camera(yaw=12)
    drag(explorer, 0, page="b", yaw=7.0)  # of another page it is a new one
    assert explorer.value.view == Camera(yaw=7)


def test_nonsense_from_a_page_is_shown_and_changes_nothing(explorer: sw.LatentExplorer) -> None:
    before = explorer.value
    drag(explorer, 0, yaw=float("nan"))
    assert "finite" in tool(explorer).sheet.error and explorer.value == before
    drag(explorer, 1, yaw=400.0)
    assert "yaw of a camera" in explorer.view.error and explorer.value == before


def test_the_usual_field_of_view_is_not_written_down(explorer: sw.LatentExplorer) -> None:
    drag(explorer, 0, yaw=3.0)
    assert explorer.value.view == Camera(yaw=3)
    drag(explorer, 1, yaw=3.0, fov=20.0)
    assert explorer.value.view == Camera(yaw=3, fov=20)
    explorer.controls["camera fov"].value = explorer.session.field_of_view
    assert explorer.value.view == Camera(yaw=3)


def test_sliders_scripts_and_the_sheet_show_one_camera(explorer: sw.LatentExplorer) -> None:
    explorer.controls["camera yaw"].value = 20
    explorer.controls["camera roll"].value = -30
    assert explorer.value.view == Camera(yaw=20, roll=-30)
    assert tool(explorer).sheet.place["yaw"] == 20
    explorer.value = explorer.value.replace(view=Camera(pitch=10))
    assert explorer.controls["camera pitch"].value == 10 and explorer.controls["camera yaw"].value == 0
    assert tool(explorer).sheet.place == {"yaw": 0, "pitch": 10, "fov": explorer.session.field_of_view}
    assert tool(explorer).sheet.trained == [-40, 40, -15, 15]


def test_depth_and_normals_lie_over_the_picture_and_follow_the_camera(explorer: sw.LatentExplorer) -> None:
    session, sheet = explorer.session, tool(explorer).sheet
    assert sheet.picture == b""
    tool(explorer).view.value = "depth"
    assert np.array_equal(shown(explorer), session.depth_picture(explorer.value, 128))
    drag(explorer, 0, yaw=30.0, rest=True)
    assert np.array_equal(shown(explorer), session.depth_picture(explorer.value, 32))
    explorer.picture._settle()
    assert np.array_equal(shown(explorer), session.depth_picture(explorer.value, 128))
    tool(explorer).view.value = "normals"
    assert np.array_equal(shown(explorer), session.normals(explorer.value, 128))
    tool(explorer).view.value = "picture"
    assert sheet.picture == b""


def test_depth_as_a_picture_is_brightest_where_it_is_nearest(session: sw.GeneratorSession) -> None:
    far, grey = session.depth(session.latent(seed=1), 64), session.depth_picture(session.latent(seed=1), 64)
    assert grey.shape == (64, 64, 3) and grey[np.isinf(far)].max() == 0
    assert grey[np.unravel_index(far.argmin(), far.shape)][0] == 255 and grey[np.isfinite(far)].min() == 40


def test_a_turntable_film_shows_the_face_from_both_ends_of_the_range(
    explorer: sw.LatentExplorer, tmp_path: Path
) -> None:
    film = tool(explorer).film
    explorer.value = explorer.value.replace(view=Camera(pitch=5))
    assert [latent.view for latent in film.keyframes] == [
        Camera(yaw=-40, pitch=5),
        Camera(yaw=40, pitch=5),
    ] and film.closed
    film.seconds = 0.2
    panel = tool(explorer).export
    panel._folder = tmp_path
    panel.start()
    panel.finish()
    assert panel.result is not None and panel.result.suffix == ".gif"
    frames = Image.open(panel.result)
    assert getattr(frames, "n_frames", 0) >= 8


def test_a_film_goes_round_where_the_range_does(explorer: sw.LatentExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylewidgets.widgets.latent_explorer.tools.camera import Turntable

    monkeypatch.setattr(Ball, "camera_range", {"yaw": (-180.0, 180.0), "pitch": (-5.0, 5.0)})
    film = Turntable(explorer)
    assert [latent.view.yaw for latent in film.keyframes] == [-180, -60, 60, 180] and not film.closed  # type: ignore[attr-defined]
    assert film.ease == "linear"


def test_the_camera_goes_into_files_code_and_what_is_linked(explorer: sw.LatentExplorer, tmp_path: Path) -> None:
    import traitlets

    other = sw.LatentExplorer(explorer.session)
    traitlets.link((explorer, "value"), (other, "value"))
    drag(explorer, 0, yaw=15.0, pitch=4.0, fov=25.0, rest=True)
    assert other.value.view == Camera(yaw=15, pitch=4, fov=25)
    path = explorer.save(str(tmp_path / "face.json"))
    explorer.reset()
    explorer.load(str(path))
    assert explorer.value.view == Camera(yaw=15, pitch=4, fov=25)
    assert "sw.Camera(yaw=15.0, pitch=4.0, fov=25.0)" in explorer.code()


def test_between_two_cameras_the_scene_is_seen_from_between(session: sw.GeneratorSession) -> None:
    a, b = (session.latent(seed=2, view=Camera(yaw=yaw, fov=30)) for yaw in (-20, 40))
    middle = session.interpolate(a, b, 0.5)
    assert middle.view == Camera(yaw=10, fov=30)
    assert np.array_equal(session.image(middle), session.image(a.replace(view=Camera(yaw=10, fov=30))))


def test_a_probe_keeps_the_camera(session: sw.GeneratorSession) -> None:
    latent = session.latent(seed=1, view=Camera(yaw=25, pitch=5))
    probe = sw.StyleSpaceProbe(session, latent)
    assert probe.value.view == latent.view
    probe.picture._settle()
    assert np.array_equal(np.asarray(probe.picture.render(latent)), session.image(latent))


def test_cells_of_a_grid_are_seen_by_the_camera_of_their_row(session: sw.GeneratorSession) -> None:
    rows = [session.latent(seed=1, view=Camera(yaw=25)), session.latent(seed=2)]
    grid = sw.StyleMixGrid(session, rows=rows, columns=[session.latent(seed=3)])
    mixed = [grid.latent(i, 0) for i in range(2)]
    assert [latent.view for latent in mixed] == [Camera(yaw=25), rows[1].view]
    assert not np.array_equal(session.image(mixed[0]), session.image(mixed[0].replace(view=Camera())))


def test_a_viewer_takes_a_scene(session: sw.GeneratorSession) -> None:
    from stylewidgets import inversion

    result = inversion.invert(session, session.latent(seed=5), "projector", steps=2)
    assert result.latent().view == session.latent(seed=5).view
    viewer = sw.InversionViewer(session, target=session.latent(seed=5))
    assert viewer.session is session


def test_a_camera_inside_is_refused_before_anything_is_drawn(explorer: sw.LatentExplorer) -> None:
    before = explorer.value
    for refused in (
        lambda: explorer.session.check(before.replace(view=Camera(radius=1.0))),
        lambda: setattr(explorer, "value", before.replace(view=Camera(radius=1.0))),
    ):
        with pytest.raises(ValueError, match="stands inside of what it shall see: above 1.8 is outside"):
            refused()
    assert explorer.value == before
