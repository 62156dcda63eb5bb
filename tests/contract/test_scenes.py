"""Depth, normals, points and meshes of a generator with a scene in space, on a ball whose geometry is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import Camera
from stylewidgets.core.shapes import Shape

from .stub_family import Stub, StubConfig
from .stub_scene import NOSE, NOSE_RADIUS, RADIUS, Ball

SIZE = 64


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    torch.manual_seed(3)
    return sw.GeneratorSession(Ball(StubConfig(resolution=32)), name="ball", metadata={"name": "ball"})


def off_surface(places: np.ndarray) -> np.ndarray:
    """Distance of places [P, 3] from the nearer of the two balls."""
    return np.minimum(
        np.abs(np.linalg.norm(places, axis=1) - RADIUS), np.abs(np.linalg.norm(places - NOSE, axis=1) - NOSE_RADIUS)
    )


def test_depth_is_the_distance_along_the_optical_axis(session: sw.GeneratorSession) -> None:
    depth = session.depth(session.latent(seed=1), SIZE)
    assert depth.dtype == np.float32 and depth.shape == (SIZE, SIZE)
    line = (2 * np.arange(SIZE) + 1) / SIZE - 1
    x, y = np.meshgrid(line, -line)
    far = 1 - (x**2 + y**2) / RADIUS**2
    ball = (far > 0) & (x**2 + y**2 > 0.3**2)
    assert np.abs(depth[ball] - (3 - RADIUS * np.sqrt(far[ball]))).max() < 1e-3
    assert np.isinf(depth[far <= 0]).all() and depth.min() == pytest.approx(3 - 0.8, abs=2e-3)


def test_depth_of_rays_that_spread_is_along_the_axis_too(
    session: sw.GeneratorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spread(self: Ball, height: int, width: int, count: int = 1) -> object:
        y, x = torch.meshgrid(torch.linspace(0.2, -0.2, height), torch.linspace(-0.2, 0.2, width), indexing="ij")
        to = torch.nn.functional.normalize(torch.stack([x, y, -torch.ones_like(x)], 2).view(1, -1, 3), dim=2)
        return sw.generators.protocol.Rays(torch.tensor([0.0, 0.0, 3.0]).expand_as(to), to)

    monkeypatch.setattr(Ball, "rays", spread)
    monkeypatch.setattr(  # a wall at z = 0
        Ball,
        "depth",
        lambda self, x, size: (
            (-3 / self.rays(size, size).directions[..., 2]).view(1, 1, size, size),
            torch.ones(1, 1, size, size),
        ),
    )
    assert np.allclose(session.depth(session.latent(seed=1), 16), 3.0, atol=1e-5)
    facing = session.normals(session.latent(seed=1), 16).astype(float)
    assert np.abs(facing - (127.5, 127.5, 255.0)).max() < 1


def test_a_latents_camera_is_where_its_depth_is_seen_from(session: sw.GeneratorSession) -> None:
    front = session.depth(session.latent(seed=1), SIZE)
    side = session.depth(session.latent(seed=1, view=Camera(yaw=90)), SIZE)
    assert not np.array_equal(front, side)
    nose = np.where(side[SIZE // 2] < np.inf)[0]
    assert nose[-1] > 0.85 * SIZE and nose[0] > 0.15 * SIZE  # it points to the picture's right


@pytest.mark.parametrize("view", [Camera(), Camera(yaw=30, pitch=-20, roll=10), Camera(fov=50, radius=4)])
def test_points_lie_on_the_surface_with_its_normals(session: sw.GeneratorSession, view: Camera) -> None:
    cloud = session.points(session.latent(seed=1, view=view), 96)
    assert cloud.faces is None and len(cloud.points) > 1000
    assert off_surface(cloud.points).max() < 1e-3
    body = np.linalg.norm(cloud.points - NOSE, axis=1) > NOSE_RADIUS + 0.1
    outwards = cloud.points / np.linalg.norm(cloud.points, axis=1, keepdims=True)
    cosine = (cloud.normals * outwards).sum(1)[body]
    assert np.median(cosine) > 0.999 and np.quantile(cosine, 0.02) > 0.9


def test_normals_are_a_picture_in_the_axes_of_the_camera(session: sw.GeneratorSession) -> None:
    for view in (Camera(), Camera(yaw=25, pitch=10)):
        picture = session.normals(session.latent(seed=1, view=view), SIZE)
        row = picture[SIZE // 2].astype(int)
        there = np.where(picture[SIZE // 2].any(1))[0]
        left, right = row[there[2]], row[there[-3]]
        assert left[0] < 90 and right[0] > 165  # red grows to the right
        column = picture[:, SIZE // 2].astype(int)
        down = np.where(column.any(1))[0]
        assert column[down[2]][1] > 165 and column[down[-3]][1] < 90  # green grows upwards
        assert not picture[0, 0].any()


def test_points_have_the_colours_of_the_picture(session: sw.GeneratorSession) -> None:
    latent = session.latent(seed=4)
    cloud = session.points(latent, 32)
    there = np.isfinite(session.depth(latent, 32))
    assert np.array_equal(cloud.colours, session.image(latent)[there])


def test_a_file_of_points_has_what_its_header_says(session: sw.GeneratorSession, tmp_path: Path) -> None:
    cloud = session.points(session.latent(seed=1), 32)
    data = cloud.save(tmp_path / "ball.ply").read_bytes()
    head, _, body = data.partition(b"end_header\n")
    assert f"element vertex {len(cloud.points)}".encode() in head and b"face" not in head
    table = np.frombuffer(body, [("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
    assert np.array_equal(table["place"], cloud.points) and np.array_equal(table["colour"], cloud.colours)
    text = cloud.save(tmp_path / "ball.obj").read_text().splitlines()
    assert sum(line.startswith("v ") for line in text) == len(cloud.points)
    assert np.allclose([float(x) for x in text[0].split()[1:4]], cloud.points[0], atol=1e-5)
    with pytest.raises(ValueError, match=r"a shape ends in \.ply or \.obj"):
        cloud.save(tmp_path / "ball.stl")


def test_a_mesh_is_the_closed_surface_in_the_scenes_units(session: sw.GeneratorSession, tmp_path: Path) -> None:
    pytest.importorskip("mcubes")
    made = session.mesh(session.latent(seed=1), 48, views=3)
    assert (
        made.faces is not None
        and off_surface(made.points)[np.linalg.norm(made.points - NOSE, axis=1) > 0.3].max() < 0.06
    )
    edges = np.sort(np.concatenate([made.faces[:, [0, 1]], made.faces[:, [1, 2]], made.faces[:, [2, 0]]]), 1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()  # every edge has two triangles: closed
    a, b, c = (made.points[made.faces[:, k]] for k in range(3))
    volume = (np.cross(a, b) * c).sum() / 6
    assert volume == pytest.approx(
        4 / 3 * np.pi * (RADIUS**3 + 0.6 * NOSE_RADIUS**3), rel=0.15
    )  # and so outside is outside
    assert ((made.normals * made.points).sum(1) > 0).mean() > 0.97
    data = made.save(tmp_path / "ball.ply").read_bytes()
    assert f"element face {len(made.faces)}".encode() in data
    faces = np.frombuffer(data[-13 * len(made.faces) :], [("count", "u1"), ("at", "<i4", 3)])
    assert (faces["count"] == 3).all() and np.array_equal(faces["at"], made.faces)
    text = made.save(tmp_path / "ball.obj").read_text()
    assert f"f {made.faces[0, 0] + 1}//{made.faces[0, 0] + 1} " in text


def test_a_mesh_says_how_long_it_takes_and_can_be_stopped(session: sw.GeneratorSession) -> None:
    pytest.importorskip("mcubes")
    run = session.start({"kind": "mesh", "latent": session.latent(seed=1).to_dict(), "settings": {"resolution": 64}})
    first = run.advance()
    assert "64³ points, about" in first.words and "a .ply of about 0.7 MB" in first.words
    assert 0 < first.done < first.total == 64**3
    run.stop()
    assert run.status == "stopped" and run.result() is None


def test_what_cannot_be_is_said(session: sw.GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    latent = session.latent(seed=1)
    flat = sw.GeneratorSession(Stub(StubConfig()))
    for ask in (flat.depth, flat.normals, flat.points):
        with pytest.raises(ValueError, match="Stub draws flat pictures and has no scene in space"):
            ask(flat.latent(seed=1))
    assert not flat.has_scene and session.has_scene
    with pytest.raises(ValueError, match="size of a depth map"):
        session.depth(latent, 4)
    with pytest.raises(ValueError, match="stands inside of what it shall see"):
        session.depth(latent.replace(view=Camera(radius=1.0)))
    with pytest.raises(ValueError, match="normals of a shape are one for each point"):
        Shape(np.zeros((2, 3), np.float32), np.zeros((1, 3), np.float32), np.zeros((2, 3), np.uint8))
    monkeypatch.setitem(sys.modules, "mcubes", None)
    with pytest.raises(RuntimeError, match=r"pip install 'stylewidgets\[mesh\]'"):
        session.mesh(latent)


def test_a_mesh_of_nothing_says_which_level_would_show_something(session: sw.GeneratorSession) -> None:
    pytest.importorskip("mcubes")
    with pytest.raises(ValueError, match="the densest point has 60"):
        session.mesh(session.latent(seed=1), 16, level=100.0)
