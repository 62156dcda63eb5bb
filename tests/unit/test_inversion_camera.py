"""Camera and code found together from a picture, for every family with a scene in space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import Camera, GeneratorSession, inversion
from stylewidgets.generators.families import build
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylenerf import StyleNeRFConfig
from stylewidgets.generators.triplane import TriPlaneConfig
from stylewidgets.inversion.cameras import cameras_of

SIZES: dict[str, Any] = {"z_dim": 8, "w_dim": 8, "mapping_layers": 2}
SCENES: dict[str, Any] = {
    "triplane": TriPlaneConfig(
        channels=(8, 8, 6),
        plane_features=6,
        hidden=8,
        head_channels=(8, 6),
        input_size=8,
        field_size=8,
        coarse=12,
        fine=0,
        focal=2.6,
        **SIZES,
    ),
    "stylenerf": StyleNeRFConfig(
        hidden=8,
        field_layers=3,
        features=6,
        frequencies=2,
        samples=6,
        rays=8,
        channels=(6,),
        background="none",
        **SIZES,
    ),
}
TRUTH = Camera(yaw=9.0, pitch=-5.0, roll=6.0)


@pytest.fixture(scope="module", params=SCENES)
def session(request: pytest.FixtureRequest) -> GeneratorSession:
    with torch.random.fork_rng():
        torch.manual_seed(4 if request.param == "triplane" else 3)
        generator: Any = build(request.param, SCENES[request.param])
        if request.param == "triplane":  # new weights make a haze: a scene with things in it
            with torch.no_grad():
                generator.synthesis.decoder.net["2"].weight[0] *= 6
                generator.synthesis.decoder.net["2"].weight[1:] *= 3
                for block in generator.synthesis.blocks:
                    block.torgb.weight *= 2
        generator.estimate_w_avg(1000)
    return GeneratorSession(generator, name=request.param)


def away(angles: np.ndarray[Any, Any]) -> float:
    return float(np.abs(angles - [TRUTH.yaw, TRUTH.pitch, TRUTH.roll]).max())


def test_angles_as_a_tensor_draw_what_the_camera_does_and_pass_gradients(session: GeneratorSession) -> None:
    latent = session.latent(seed=1, view=TRUTH)
    styles = session.code_styles(latent)
    angles = torch.tensor([[TRUTH.yaw, TRUTH.pitch, TRUTH.roll]], requires_grad=True)
    drawn = session.synthesize(styles, transform=angles)
    torch.testing.assert_close(drawn, session.synthesize(styles, transform=TRUTH), rtol=1e-4, atol=1e-4)
    drawn.square().sum().backward()  # type: ignore[no-untyped-call]
    assert angles.grad is not None and bool((angles.grad.abs() > 0).all())
    two = torch.tensor([[0.0, 0, 0], [TRUTH.yaw, TRUTH.pitch, TRUTH.roll]])
    both = session.synthesize([torch.cat([s, s]) for s in styles], transform=two)
    torch.testing.assert_close(both[1:], drawn.detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_camera_of_a_picture_is_found_with_its_code(session: GeneratorSession) -> None:
    target = session.latent(seed=5, psi=0.3, view=TRUTH)
    run = inversion.start(
        "image2stylegan", session, target, steps=100, rate=0.05, space="w", net="factors", perceptual=0.0, camera="find"
    )
    run.advance()
    first = away(run.cameras().numpy())  # type: ignore[union-attr]
    result = run.finish()
    assert result.cameras is not None and away(result.cameras[0]) < min(first / 2, 2.0)
    found = session.image(session.check(result.latent())).astype(int)
    wanted = session.image(target).astype(int)
    straight = session.image(session.check(result.latent(view=Camera()))).astype(int)
    assert np.abs(found - wanted).mean() < np.abs(straight - wanted).mean()


def test_a_result_keeps_its_camera_in_its_latent_and_its_file(session: GeneratorSession, tmp_path: Path) -> None:
    target = session.latent(seed=2, view=TRUTH)
    settings: dict[str, Any] = {"steps": 4, "net": "factors", "perceptual": 0.0, "camera": "find"}
    run = inversion.start("image2stylegan", session, target, **settings)
    run.advance()
    run.advance()
    again = inversion.start("image2stylegan", session, target, **settings)
    again.restore(run.state())
    assert torch.equal(again.cameras(), run.cameras())  # type: ignore[arg-type]
    result, other = run.finish(), again.finish()
    assert result.cameras is not None and other.cameras is not None
    assert np.array_equal(result.cameras, other.cameras)
    view: Any = result.latent().view
    assert (view.yaw, view.pitch, view.roll) == tuple(map(float, result.cameras[0]))
    read = inversion.Result.load(result.save(tmp_path / "found.safetensors"))
    assert read.latent() == result.latent()


def test_only_a_generator_with_a_scene_has_a_camera_to_find() -> None:
    flat = GeneratorSession(StyleGAN2(StyleGAN2Config(resolution=8, channels=(4, 4), **SIZES)), name="flat")
    with pytest.raises(ValueError, match="flat has no camera"):
        inversion.start("projector", flat, flat.latent(seed=1), camera="find")
    with pytest.raises(ValueError, match="no scene"):
        flat.synthesize(flat.code_styles(flat.latent(seed=1)), transform=torch.zeros(1, 3))


def test_angles_become_those_that_a_camera_takes() -> None:
    found = cameras_of(torch.tensor([[190.0, 100.0, -540.0], [-20.0, 3.0, 4.0]]))
    assert found.tolist() == [[-170.0, 90.0, -180.0], [-20.0, 3.0, 4.0]]
