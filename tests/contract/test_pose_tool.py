"""The explorer's Pose: a figure that is pulled, whom it is about, what they wear, and the film between two poses."""

from __future__ import annotations

from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import stylewidgets as sw
from stylewidgets import Pose, avatars
from stylewidgets.generators.families import build
from stylewidgets.generators.posed import PosedConfig
from stylewidgets.widgets.latent_explorer.tools.pose import PoseTool

from .. import posed_files
from .stub_family import Stub, StubConfig

SIDE = 16


def made(*, source: bool = True) -> sw.GeneratorSession:
    torch.manual_seed(0)
    session = sw.GeneratorSession(build("posed", PosedConfig.small(SIDE, ngf=4, scales=2, widest=8)))  # type: ignore[arg-type]
    if source:
        session.put(figure(5))
    return session


def figure(seed: int) -> avatars.Figure:
    return avatars.Figure(avatars.sample(1, seed, groups=avatars.BODY), avatars.BODY)


@pytest.fixture
def explorer() -> sw.LatentExplorer:
    return sw.LatentExplorer(made())


def tool(explorer: sw.LatentExplorer) -> PoseTool:
    found = explorer.tools["pose"]
    assert isinstance(found, PoseTool)
    return found


def pull(explorer: sw.LatentExplorer, number: int, joint: str, x: float, y: float, page: str = "a") -> None:
    """What the page sends while a hand pulls."""
    message = {"type": "pull", "page": page, "number": number, "joint": joint, "x": x, "y": y, "acks": {}}
    tool(explorer).figure._receive(None, message, [])


def upload(box: object, picture: np.ndarray, kind: str = "PNG") -> None:
    """What a page does with a file, as ipywidgets 8 has it."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, kind)
    given = {
        "name": "a",
        "type": "",
        "size": 1,
        "content": buffer.getvalue(),
        "last_modified": datetime.now(timezone.utc),
    }
    box.value = (given,)  # type: ignore[attr-defined]


def test_only_generators_that_draw_a_source_have_it_and_no_tools_of_seeds() -> None:
    flat = sw.GeneratorSession(Stub(StubConfig()))
    assert "pose" not in sw.LatentExplorer(flat).tools
    assert next(iter(sw.LatentExplorer(made()).tools)) == "pose"
    assert not {"walk", "drag", "parts", "attributes"} & set(sw.LatentExplorer(made()).tools)
    with pytest.raises(ValueError, match="draw a source in a pose"):
        sw.LatentExplorer(flat, tools=["pose"])
    with pytest.raises(ValueError, match="a source decides"):
        sw.LatentExplorer(made(), tools=["drag"])


def test_a_pulled_wrist_is_the_pose_of_the_pure_call_in_one_step_of_undo(explorer: sw.LatentExplorer) -> None:
    before = explorer.value
    explorer._history._clock = lambda: 0.0  # the hand never rests, however slow the machine is
    places = ((0.25, 0.6), (0.22, 0.5), (0.2, 0.45))
    angles = figure(5).angles
    for number, place in enumerate(places):
        angles = avatars.pulled(angles, "wrist_left", place)
        pull(explorer, number, "wrist_left", *place)
    view = explorer.value.view
    assert isinstance(view, Pose) and set(view.angles) <= set(avatars.JOINTS["wrist_left"])
    assert {name: angles[name] for name in view.angles} == pytest.approx(view.angles, abs=0.2)
    picture = explorer.session.image(before.replace(view=view))
    assert np.array_equal(np.asarray(explorer.image), picture)
    assert not np.array_equal(picture, explorer.session.image(before))
    assert tool(explorer).figure.points["wrist_left"] == pytest.approx(places[-1], abs=0.01)
    explorer.undo()
    assert explorer.value == before


def test_an_older_wish_nonsense_and_home(explorer: sw.LatentExplorer) -> None:
    pull(explorer, 4, "head", 0.55, 0.3)
    there = explorer.value
    pull(explorer, 3, "head", 0.4, 0.3)
    assert explorer.value == there
    pull(explorer, 5, "head", float("nan"), 0.3)
    assert "place in the picture" in tool(explorer).figure.error and explorer.value == there
    pull(explorer, 6, "knee", 0.5, 0.5)
    assert "joint of this figure" in tool(explorer).figure.error + explorer.view.error and explorer.value == there
    home = {"type": "pull", "page": "a", "number": 7, "joint": "head", "home": True, "acks": {}}
    tool(explorer).figure._receive(None, home, [])
    own = figure(5).angles
    assert explorer.value.view.angles == pytest.approx({"yaw": own["yaw"], "pitch": own["pitch"]}, abs=0.06)  # type: ignore[attr-defined]


def test_poses_by_name_by_number_mirrored_and_reset(explorer: sw.LatentExplorer) -> None:
    pose = tool(explorer)
    pose.named.value = "waving"
    assert explorer.value.view == avatars.posture("waving") and pose.named.value == ""
    pose.mirror()
    assert explorer.value.view.angles == avatars.mirrored(avatars.posture("waving").angles)  # type: ignore[attr-defined]
    pose.other.box.value = 8
    assert explorer.value.view == avatars.random_pose(8)
    pose.random()
    assert set(explorer.value.view.angles) == set(avatars.angles_of())  # type: ignore[attr-defined]
    pose.reset()
    assert not explorer.value.view and explorer.view.error == ""


def test_sliders_and_the_figure_show_one_pose(explorer: sw.LatentExplorer) -> None:
    explorer.controls["pose elbow_right"].value = 100
    assert explorer.value.view == Pose(joints={"elbow_right": 100.0})
    explorer.value = explorer.value.replace(view=Pose(yaw=20))
    assert explorer.controls["pose yaw"].value == 20
    angles = {**figure(5).angles, "yaw": 20.0}
    assert explorer.controls["pose elbow_right"].value == pytest.approx(angles["elbow_right"])
    assert tool(explorer).figure.points == avatars.joints(angles)


def test_without_anybody_it_says_so_and_takes_somebody() -> None:
    explorer = sw.LatentExplorer(made(source=False))
    pose = tool(explorer)
    assert explorer.view.error == "" and explorer.view.badge == "nobody to draw yet"
    with pytest.raises(ValueError, match="Nobody is drawn yet"):
        pose.mirror()
    pose.tabs.selected = "Person"
    pose.person.seed.box.value = 7
    assert explorer.value.source == figure(7).digest() and explorer.view.badge == "" and explorer.view.error == ""
    assert np.array_equal(np.asarray(explorer.image), explorer.session.image(explorer.value))
    with pytest.raises(ValueError, match="was given none"):
        made(source=False).image(sw.Latent())


def test_another_person_keeps_the_pose_and_undo_brings_the_first_back(explorer: sw.LatentExplorer) -> None:
    pose, first = tool(explorer), explorer.value.source
    pose.named.value = "arms out"
    pose.person.seed.box.value = 9
    assert explorer.value.source == figure(9).digest() and explorer.value.view == avatars.posture("arms out")
    for seed in range(100, 140):  # more than a session knows at a time
        pose.put(figure(seed), f"avatar {seed}")
    explorer.undo()
    assert explorer.value.source in (first, figure(9).digest(), figure(138).digest())
    assert np.array_equal(np.asarray(explorer.image), explorer.session.image(explorer.value))


def test_a_part_of_another_avatar_is_worn_and_taken_off(explorer: sw.LatentExplorer) -> None:
    pose = tool(explorer)
    pose.tabs.selected = "Wear"
    pose.wear.seed.box.value = 12
    pose.wear.part.value = "clothes"
    assert explorer.value.source == figure(5).wearing(figure(12), "clothes").digest()
    pose.wear.rows.handles["garment"].value = 0.5
    assert explorer.value.source == figure(5).wearing(figure(12), "clothes", 0.5).digest()
    assert tool(explorer).figure.points == avatars.joints(figure(5).angles)
    pose.wear.off()
    assert explorer.value.source == figure(5).digest() and pose.wear.place.error == ""


def test_looks_are_factors_of_the_avatar(explorer: sw.LatentExplorer) -> None:
    pose = tool(explorer)
    pose.tabs.selected = "Looks"
    assert not set(pose.looks.rows.handles) & set(avatars.angles_of())
    menu = pose.looks.menus["hat"]
    menu.value = (menu.value + 1) % 3
    changed = explorer.session.known(explorer.value.source)  # type: ignore[arg-type]
    names = list(avatars.by_name(changed.factors, avatars.BODY))
    off = [name for name, a, b in zip(names, changed.factors[0], figure(5).factors[0], strict=True) if a != b]
    assert off == ["hat"]


def test_a_film_goes_from_pose_to_pose(explorer: sw.LatentExplorer, tmp_path: Path) -> None:
    pose = tool(explorer)
    pose.tabs.selected = "Film"
    with pytest.raises(ValueError, match="keep two poses first"):
        _ = pose.film.keyframes
    pose.film.keep(0)
    pose.pose(avatars.posture("arms up"))
    pose.film.keep(1)
    first, last = pose.film.keyframes
    assert set(first.view.angles) == set(avatars.angles_of()) and last.view == avatars.posture("arms up")  # type: ignore[attr-defined]
    pose.film.rows.handles["between"].value = 0.5
    middle = explorer.value.view.angles["arm_left_raise"]  # type: ignore[attr-defined]
    assert middle == pytest.approx((round(figure(5).angles["arm_left_raise"], 1) + 140) / 2, abs=0.1)
    pose.film.seconds = 0.2
    pose.film.export._folder = tmp_path
    pose.film.export.start()
    pose.film.export.finish()
    assert pose.film.export.result is not None and getattr(Image.open(pose.film.export.result), "n_frames", 0) >= 4


def test_between_a_persons_own_pose_and_another_one_every_angle_is_on_its_way() -> None:
    session = made()
    own, other = session.latent(), session.latent(view=Pose(joints={"elbow_left": 100.0}))
    start = figure(5).angles
    for t in (0.25, 0.75):
        view = session.interpolate(own, other, t).view
        assert isinstance(view, Pose)
        angles = view.angles
        assert angles["elbow_left"] == pytest.approx((1 - t) * start["elbow_left"] + t * 100)
        assert angles["arm_left_raise"] == pytest.approx(start["arm_left_raise"])
    assert session.interpolate(own, other, 0.0) == own


def test_a_person_from_files_takes_the_pose_of_an_iuv_picture_and_says_what_is_missing(tmp_path: Path) -> None:
    explorer = sw.LatentExplorer(made(source=False))
    pose, surface = tool(explorer), posed_files.surface(SIDE)
    cards = pose.person
    assert cards.missing() == ["picture", "silhouette", "surface", "the look-up table dp_uv_lookup_256.npy"]
    upload(cards.uploads["picture"], np.asarray(posed_files.picture(SIDE)))
    upload(cards.uploads["silhouette"], (surface[..., 0] > 0).astype(np.uint8) * 255)
    assert cards.missing() == ["surface", "the look-up table dp_uv_lookup_256.npy"] and cards.read.disabled
    upload(cards.uploads["surface"], surface)
    np.save(tmp_path / "dp_uv_lookup_256.npy", posed_files.atlas().table)
    cards.table.value = str(tmp_path)
    assert not cards.missing() and not cards.read.disabled
    cards.read.click()
    assert cards.place.error == "" and cards.person is not None and explorer.value.source == cards.person.digest()
    with pytest.raises(ValueError, match="no joints to pull"):
        pose.mirror()
    own = np.asarray(explorer.image)
    upload(pose.upload, posed_files.surface(SIDE, shift=2))
    assert explorer.value.view.iuv is not None and not np.array_equal(np.asarray(explorer.image), own)  # type: ignore[attr-defined]
    upload(pose.upload, posed_files.surface(SIDE), "JPEG")
    assert "JPEG" in explorer.view.error
    with pytest.raises(ValueError, match="no angles in"):
        _ = pose.film.keyframes


def test_an_avatar_says_why_it_takes_no_iuv_picture(explorer: sw.LatentExplorer) -> None:
    with pytest.raises(ValueError, match="an avatar takes angles"):
        tool(explorer).take(posed_files.surface(SIDE))


@pytest.mark.parametrize("kind", [sw.StyleMixGrid, sw.StyleSpaceProbe, sw.InversionViewer])
def test_the_other_widgets_open_and_say_what_a_source_leaves_them(kind: type) -> None:
    assert "A source decides" in words_of(kind(made()))
    empty = kind(made(source=False))
    assert "Nobody is drawn yet" in words_of(empty) and "A source decides" not in words_of(empty)
    others = words_of(kind(sw.GeneratorSession(Stub(StubConfig()))))
    assert "A source decides" not in others and "Nobody is drawn yet" not in others


def test_without_anybody_a_viewer_refuses_targets_and_runs() -> None:
    viewer = sw.InversionViewer(made(source=False))
    for refused in (viewer.start, lambda: viewer.set_target(np.zeros((SIDE, SIDE, 3), np.uint8))):
        with pytest.raises(ValueError, match=r"session\.put"):
            refused()
    assert viewer.runs == () and viewer.target is None


def words_of(widget: object) -> str:
    """All notes in a widget."""
    own = f"{getattr(widget, 'value', '')} " if type(widget).__name__ == "HTML" else ""
    return own + "".join(words_of(child) for child in getattr(widget, "children", ()))
