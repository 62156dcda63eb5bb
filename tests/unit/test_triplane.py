"""A small EG3D in a session: cameras, planes that are kept, samples that repeat, and every tool that takes a generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import Camera, GeneratorSession
from stylewidgets.film import video
from stylewidgets.generators.triplane import TriPlane, TriPlaneConfig
from stylewidgets.generators.triplane.cameras import label_of
from stylewidgets.generators.triplane.field import features_of
from stylewidgets.generators.triplane.render import Volume, render
from stylewidgets.generators.triplane.samples import Draws, Samples
from stylewidgets.latent import Latent
from stylewidgets.widgets.style_space_probe.probe import StyleSpaceProbe

SMALL: dict[str, Any] = {
    "z_dim": 8,
    "w_dim": 8,
    "channels": (6, 6, 5, 4),
    "plane_features": 4,
    "hidden": 6,
    "head_channels": (5, 4),
    "input_size": 16,
    "field_size": 16,
    "coarse": 6,
    "fine": 6,
}


@pytest.fixture(scope="module")
def generator() -> TriPlane:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = TriPlane(TriPlaneConfig(**SMALL))
        made.estimate_w_avg(200)
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def session(generator: TriPlane) -> GeneratorSession:
    return GeneratorSession(generator, name="scene", precision="fp32")


# -- cameras --------------------------------------------------------------------------------------------------------------
def test_the_frontal_camera_is_the_published_one(generator: TriPlane) -> None:
    label = label_of(generator.config, torch.zeros(1, 3))
    world = torch.tensor([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 2.7], [0, 0, 0, 1]])
    torch.testing.assert_close(label[0, :16].reshape(4, 4), world)
    assert label[0, 16:].tolist() == pytest.approx([4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1])


@pytest.mark.parametrize(
    "camera, moved", [(Camera(yaw=20), (1, 0)), (Camera(pitch=20), (0, -1)), (Camera(yaw=-20), (-1, 0))]
)
def test_a_nose_goes_where_the_head_turns(generator: TriPlane, camera: Camera, moved: tuple[int, int]) -> None:
    angles = torch.tensor([[camera.yaw, camera.pitch, camera.roll]])
    world = label_of(generator.config, angles)[0, :16].reshape(4, 4)
    nose = torch.linalg.inv(world) @ torch.tensor([0.0, 0.0, 0.45, 1.0])
    pivot = torch.linalg.inv(world) @ torch.tensor([0.0, 0.0, 0.2, 1.0])
    x, y = (nose[:2] / nose[2] - pivot[:2] / pivot[2]).tolist()  # y goes down
    assert (round(x, 3) > 0) - (round(x, 3) < 0) == moved[0] and (round(y, 3) > 0) - (round(y, 3) < 0) == moved[1]
    assert float(world[:3, 3].norm()) == pytest.approx(generator.config.radius, abs=1e-5)


def test_a_roll_turns_the_picture_clockwise(generator: TriPlane) -> None:
    world = label_of(generator.config, torch.tensor([[0.0, 0.0, 30.0]]))[0, :16].reshape(4, 4)
    crown = torch.linalg.inv(world) @ torch.tensor([0.0, 0.4, 0.2, 1.0])
    assert float(crown[0]) > 0 and float(crown[1]) < 0


def test_a_camera_that_stands_in_the_box_is_refused(session: GeneratorSession) -> None:
    with pytest.raises(ValueError, match=r"inside|above 0\.866"):
        session.image(session.latent(seed=1, view=Camera(radius=0.5)))
    assert session.image(session.latent(seed=1, view=Camera(radius=3.0))).shape == (64, 64, 3)


def test_the_camera_of_the_code_is_part_of_the_latent_and_keeps_apart_from_the_other(
    session: GeneratorSession, tmp_path: Path
) -> None:
    frontal, turned = session.latent(seed=1), session.latent(seed=1, extra={"conditioning": (20, 0)})
    assert not torch.equal(session.map(frontal), session.map(turned))
    assert torch.equal(session.map(frontal), session.map(session.latent(seed=1, view=Camera(yaw=20))))
    assert torch.equal(session.map(frontal), session.map(session.latent(seed=1, extra={"conditioning": (0, 0)})))
    turned.save(tmp_path / "a.json")
    assert Latent.load(tmp_path / "a.json") == turned
    with pytest.raises(ValueError, match="conditioning"):
        session.latent(seed=1, extra={"conditioning": (1, 2, 3)})


# -- samples --------------------------------------------------------------------------------------------------------------
def test_a_picture_repeats_unless_fresh_samples_are_asked_for(session: GeneratorSession, generator: TriPlane) -> None:
    latent = session.latent(seed=3)
    first = session.image(latent)
    assert np.array_equal(session.image(latent), first)
    with generator.sampled(Samples(seed=None)):
        assert not np.array_equal(session.image(latent), session.image(latent))
    with generator.sampled(Samples(seed=5)):
        other = session.image(latent)
    assert not np.array_equal(other, first) and np.array_equal(session.image(latent), first)


def test_depth_does_not_depend_on_who_else_is_in_the_batch(session: GeneratorSession, generator: TriPlane) -> None:
    w = session.sample_w(3, seed=1)
    with torch.no_grad():
        together, alone = generator.depth(w), generator.depth(w[1:2])
    for one, all_ in zip(alone, together, strict=True):
        torch.testing.assert_close(one, all_[1:2], rtol=1e-5, atol=1e-5)
    near, far = generator.config.near, generator.config.far
    assert near is not None and far is not None
    step = (far - near) / (generator.config.coarse - 1)
    assert bool((alone[0] >= near).all()) and bool((alone[0] <= far + step).all())
    assert bool((alone[1] >= 0).all()) and bool((alone[1] <= 1).all())


def test_chunks_of_rays_change_nothing_and_gradients_pass(generator: TriPlane) -> None:
    config = generator.config
    planes = torch.randn(2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
    volume = Volume(planes, generator.synthesis.decoder, config.box, config.axes, False)
    rays = generator.rays(16, 16, 2)
    near, far = torch.full((2, 256), 2.25), torch.full((2, 256), 3.3)
    found = []
    for limit in (1, 1 << 30):  # the smallest chunk, and all at once
        seen = render(volume, rays, near, far, (6, 6), Draws(0, torch.device("cpu")), limit=limit)
        found.append((seen.features.detach(), torch.autograd.grad(seen.features.square().sum(), planes)[0]))
    with torch.no_grad():
        apart = render(volume, rays, near, far, (6, 6), Draws(0, torch.device("cpu")), limit=1)
    torch.testing.assert_close(apart.features, found[1][0], rtol=1e-4, atol=1e-4)
    for small, whole in zip(*found, strict=True):
        torch.testing.assert_close(small, whole, rtol=1e-4, atol=1e-4)


def test_rows_of_a_table_are_what_grid_sample_finds() -> None:
    source = torch.Generator().manual_seed(0)
    planes, points = torch.randn(2, 3, 5, 7, 9, generator=source), torch.rand(2, 50, 3, generator=source) * 1.4 - 0.7
    axes = (0, 1, 0, 2, 2, 0)
    torch.testing.assert_close(
        features_of(planes, points, 1.0, axes), features_of(planes.requires_grad_(), points, 1.0, axes).detach()
    )


# -- what is kept ---------------------------------------------------------------------------------------------------------
def test_planes_are_kept_while_the_camera_moves_and_previews_are_drawn_of_them(session: GeneratorSession) -> None:
    cache, styles, head = session.cache(), session.code_styles(session.latent(seed=1)), 6
    cache.run(styles)
    before = cache.layers_run
    with session.viewed(Camera(yaw=15)):
        moved = cache.run(styles)
        assert cache.layers_run == before + head
        assert torch.equal(moved, session.synthesize(styles, transform=Camera(yaw=15)))
        assert cache.run(styles, max_resolution=16).shape == (1, 3, 16, 16)
        assert cache.run(styles, max_resolution=12).shape == (1, 3, 8, 8)
        assert cache.layers_run == before + 3 * head
    fresh = session.cache()
    assert fresh.run(styles, max_resolution=16).shape == (1, 3, 16, 16)


def test_planes_for_depth_are_made_once_and_anew_when_weights_change(session: GeneratorSession) -> None:
    own, _ = session.trainable()
    scene: Any = own.generator
    w = session.sample_w(1, seed=4)
    with torch.no_grad():
        first = scene.planes(w)
        assert scene.planes(w.clone()) is first and scene.planes(w + 0.1) is not first
        scene.synthesis.b4.const.add_(1.0)
        assert not torch.equal(scene.planes(w), first)


# -- tools ----------------------------------------------------------------------------------------------------------------
def test_the_probe_opens_and_a_film_turns(session: GeneratorSession) -> None:
    probe = StyleSpaceProbe(session)
    try:
        assert np.asarray(probe.image).shape == (64, 64, 3)
    finally:
        probe.close()
    a, b = session.latent(seed=1, view=Camera(yaw=-10)), session.latent(seed=1, view=Camera(yaw=10))
    middle: Any = session.interpolate(a, b, 0.5)
    assert middle.view == Camera() and not np.array_equal(session.image(a), session.image(b))
    film = list(video.frames(session, [a, b], fps=4, seconds=1))
    assert len(film) > 2 and all(frame.shape == (64, 64, 3) for frame in film)
    assert not np.array_equal(film[0], film[-1])
