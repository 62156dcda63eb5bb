"""StyleNeRF: rays, samples, backgrounds and what a session makes of a scene. Its pictures are held by the golden files."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import Camera, GeneratorSession, Latent, inversion
from stylewidgets.avatars import INDEX, render, sample
from stylewidgets.generators import HasScene
from stylewidgets.generators.stylenerf import RenderOptions, StyleNeRF, StyleNeRFConfig, rendering, volume
from stylewidgets.generators.stylenerf.cameras import pixel_grid
from stylewidgets.generators.stylenerf.field import encode
from stylewidgets.training.scenes.state import SceneRecipe, avatar_config
from stylewidgets.widgets.inversion_viewer.viewer import InversionViewer
from stylewidgets.widgets.style_space_probe.probe import StyleSpaceProbe

SMALL: dict[str, Any] = {
    "z_dim": 8,
    "w_dim": 8,
    "mapping_layers": 2,
    "hidden": 8,
    "field_layers": 3,
    "features": 5,
    "frequencies": 3,
    "samples": 5,
    "rays": 4,
    "channels": (5,),
    "density": "softplus",
    "background_dim": 3,
    "background_hidden": 4,
}


def make(**options: Any) -> StyleNeRF:
    torch.manual_seed(0)
    generator = StyleNeRF(StyleNeRFConfig(**{**SMALL, **options})).eval().requires_grad_(False)
    for name, value in generator.state_dict().items():
        if name.endswith("bias"):
            value.copy_(torch.randn(value.shape))
    return generator


@pytest.fixture
def session() -> GeneratorSession:
    return GeneratorSession(make(), device="cpu")


def of_avatars() -> StyleNeRF:
    torch.manual_seed(0)
    return (
        StyleNeRF(avatar_config(SceneRecipe(hidden=8, features=6, channels=(6,), rays=8))).eval().requires_grad_(False)
    )


# -- integrals ------------------------------------------------------------------------------------------------------------
def test_what_counts_and_what_passes_is_one() -> None:
    density, steps = torch.rand(2, 3, 6) * 4, torch.full((2, 3, 6), 0.2)
    counts, passed = volume.weights(density, steps, closed=False)
    torch.testing.assert_close(counts.sum(dim=-1, keepdim=True) + passed, torch.ones(2, 3, 1))
    walled, none = volume.weights(density, steps, closed=True)
    torch.testing.assert_close(walled.sum(dim=-1), torch.ones(2, 3))
    assert float(none.abs().max()) == 0
    torch.testing.assert_close(counts[..., 0], 1 - torch.exp(-density[..., 0] * 0.2))


def test_more_samples_go_to_where_the_first_ones_counted() -> None:
    t = torch.linspace(0, 1, 11).expand(1, 1, -1)
    counts = torch.zeros(1, 1, 11)
    counts[..., 4] = 1.0
    found = volume.finer(t, counts, 9)
    assert bool(((found[..., 1:-1] > 0.349) & (found[..., 1:-1] < 0.451)).all())
    assert bool((found.diff(dim=-1) >= 0).all())


def test_a_point_is_encoded_octave_by_octave() -> None:
    found = encode(torch.tensor([[0.5, 0.25, 0.0]]), 2)[0]
    wanted = [1, math.sin(math.pi / 4), 0, 0, math.cos(math.pi / 4), 1, 0, 1, 0, -1, 0, 1]
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float32), atol=1e-6, rtol=0)


def test_pieces_of_the_rays_make_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = make()
    styles = generator.styles(torch.randn(2, 8))
    whole = generator.synthesize(styles)
    sizes: list[int] = []
    ask = rendering.sample_field

    def asked(field: Any, styles: Any, rays: Any, *others: Any, **options: Any) -> Any:
        sizes.append(rays.origins.shape[1])
        return ask(field, styles, rays, *others, **options)

    monkeypatch.setattr(rendering, "sample_field", asked)
    monkeypatch.setattr(rendering, "LIMIT", 4 * 3 * 2 * 5 * 8 * 2 * 5)  # five rays
    with torch.no_grad():
        torch.testing.assert_close(generator.synthesize(styles), whole)
    assert sizes == [5, 5, 5, 1]


# -- cameras --------------------------------------------------------------------------------------------------------------
def test_the_camera_of_avatars_is_that_of_their_renderer() -> None:
    generator, factors = of_avatars(), torch.from_numpy(sample(2, 5))
    for row in factors:
        yaw, pitch, roll = (float(row[INDEX[name]]) for name in ("yaw", "pitch", "roll"))
        truth = render(row[None], 16, outputs=("camera",))
        with generator.viewed(Camera(yaw, pitch, -roll)):  # a camera rolls clockwise, a head against the clock
            rays = generator.rays(16, 16)
        depth = torch.rand(256) * 2 + 3
        centres = torch.arange(16, dtype=torch.float32) + 0.5
        x, y = centres.expand(16, -1).flatten(), centres[:, None].expand(-1, 16).flatten()
        wanted = truth.camera.unproject(torch.stack([x, y, depth], dim=-1)[None])
        torch.testing.assert_close(rays.origins + rays.directions * depth[None, :, None], wanted, atol=1e-5, rtol=0)


def test_a_camera_to_the_left_shows_a_head_that_turns_right() -> None:
    generator = make(background="none")
    with generator.viewed(Camera(yaw=30)):
        place = generator.rays(2, 2).origins[0, 0]
    right = torch.tensor([0.0, 1.0, 0.0])  # of the picture, seen from straight ahead
    assert float(place @ right) < 0 and float(place.norm()) == pytest.approx(1, abs=1e-6)


def test_a_camera_further_off_takes_the_field_along_and_one_inside_is_refused() -> None:
    generator = make()
    with generator.viewed(Camera(radius=2.0)):
        assert generator.span == pytest.approx((1.88, 2.12))
    with pytest.raises(ValueError, match="inside"), generator.viewed(Camera(radius=0.1)):
        pass


def test_angles_as_tensors_are_those_of_cameras_and_have_gradients() -> None:
    generator, w = make(), torch.randn(2, 8)
    angles = torch.tensor([[10.0, -5.0, 3.0], [-20.0, 5.0, 0.0]], requires_grad=True)
    with generator.posed(angles):
        both = generator.synthesize(w)
    for k, each in enumerate(angles.tolist()):
        with generator.viewed(Camera(*each)):
            torch.testing.assert_close(generator.synthesize(w[k : k + 1])[0], both[k].detach(), atol=2e-4, rtol=1e-4)
    both.square().sum().backward()
    assert angles.grad is not None and bool((angles.grad.abs().sum(dim=1) > 0).all())
    assert generator.view_key is None


# -- what stands behind -----------------------------------------------------------------------------------------------------
def test_the_background_latent_is_part_of_the_latent(session: GeneratorSession) -> None:
    plain, other = Latent(seed=1), Latent(seed=1, extra={"background": 4})
    assert not np.array_equal(session.image(plain), session.image(other))
    assert np.array_equal(session.image(other), session.image(Latent(seed=1, extra={"background": 4})))
    vector = np.random.RandomState(4).randn(3) * 0.7
    told = session.code_styles(Latent(seed=1, extra={"background": tuple(vector.tolist())}))
    for a, b in zip(told, session.code_styles(other), strict=True):
        torch.testing.assert_close(a, b)
    with pytest.raises(ValueError, match="background"):
        session.check(Latent(seed=1, extra={"foreground": 4}))


def test_between_two_latents_the_background_moves_along(session: GeneratorSession) -> None:
    a, b = (Latent(seed=k, extra={"background": (float(k), 0.0, 1.0)}) for k in (1, 2))
    middle = session.interpolate(a, b, 0.5)
    styles = session.code_styles(middle)
    place = [layer.name for layer in session.layers].index("background")
    torch.testing.assert_close(styles[place], torch.tensor([[1.5, 0.0, 1.0]]))


def test_a_frozen_background_does_not_move_where_nothing_is_in_front() -> None:
    torch.manual_seed(0)
    generator = StyleNeRF(StyleNeRFConfig(**{**SMALL, "density": "relu", "ball": (50.0, -5.0, 1.0)})).eval()
    styles = generator.styles(torch.randn(1, 8))
    pictures = {}
    for frozen in (False, True):
        for yaw in (0.0, 20.0):
            with generator.viewed(Camera(yaw)), generator.drawing(RenderOptions(freeze_background=frozen)):
                pictures[frozen, yaw] = generator.synthesize(styles)
    assert torch.equal(pictures[True, 0.0], pictures[True, 20.0])
    assert not torch.equal(pictures[False, 0.0], pictures[False, 20.0])


def test_a_backdrop_changes_with_the_distance_from_the_middle() -> None:
    generator = of_avatars()
    module = generator.synthesis.backdrop
    assert module is not None
    style = torch.zeros(1, 2 * 9)
    style[0, 0], style[0, 9] = 1.0, -0.5
    pixels = pixel_grid(2, 2, style)
    found = rendering.backdrop(module, style, pixels).values[0, :, 0, 0]
    torch.testing.assert_close(found, torch.full((4,), 1 - 0.5 * 0.5))


# -- the scene --------------------------------------------------------------------------------------------------------------
def test_depth_of_a_picture_does_not_depend_on_its_batch_mates(session: GeneratorSession) -> None:
    generator: Any = session.generator
    assert isinstance(generator, HasScene) and generator.sees_behind
    w = torch.randn(3, 8)
    t, opaque = generator.depth(w, 6)
    assert t.shape == opaque.shape == (3, 1, 6, 6)
    alone = generator.depth(w[1:2], 6)
    torch.testing.assert_close(alone[0][0], t[1], atol=1e-5, rtol=0)
    scene: StyleNeRF = session.generator  # type: ignore[assignment]
    low, high = scene.span
    assert bool(((t >= low) & (t <= high + 1e-5)).all()) and bool(((opaque >= 0) & (opaque <= 1)).all())


def test_a_ball_is_seen_where_it_is() -> None:
    """With a strong ball the depth is that of a sphere, in the avatars' units."""
    config = avatar_config(SceneRecipe(hidden=8, features=6, channels=(6,), rays=8, samples=48))
    torch.manual_seed(0)
    generator = StyleNeRF(
        StyleNeRFConfig.from_dict({**config.to_dict(), "ball": (400.0, 0.85, 0.6), "density": "relu"})
    )
    with torch.no_grad():
        t, opaque = generator.depth(torch.zeros(1, 128), 33)
        points = generator.rays(33, 33)
        radius = (points.origins + points.directions * 4.0).norm(dim=-1)  # of the ray from the middle of the head
        hit = (radius < 0.6)[0]
        wanted = 4.0 - (0.85**2 - radius[0, hit].square()).sqrt()
        assert float((t.flatten()[hit] - wanted).abs().max()) < 0.1
        assert bool((opaque.flatten()[hit] > 0.99).all())
        assert bool((opaque.flatten()[(radius > 1.0)[0]] < 0.01).all())
        assert bool((generator.density(torch.zeros(1, 128), torch.zeros(1, 1, 3)) > 100).all())
    low, high = (torch.tensor(corner) for corner in generator.bounds)
    crown, shoulders = torch.tensor([0.0, 1.3, 0.0]), torch.tensor([0.9, -1.6, -0.2])
    assert all(bool(((low < place) & (place < high)).all()) for place in (crown, shoulders))


def test_a_camera_drag_draws_again_and_a_drag_of_the_upsampler_keeps_the_field(session: GeneratorSession) -> None:
    cache = session.cache()
    styles = session.code_styles(Latent(seed=1))
    with session.lock, torch.no_grad():
        cache.run(styles)
        before = cache.layers_run
        styles[-1] = styles[-1] * 1.1
        cache.run(styles)
        assert cache.layers_run - before == 3  # the last block alone
        with session.viewed(Camera(yaw=5)):
            cache.run(styles)
        assert cache.layers_run - before == 3 + len(styles)


def test_a_preview_is_the_fields_own_colours(session: GeneratorSession) -> None:
    styles = session.code_styles(Latent(seed=1))
    with session.lock, torch.no_grad():
        small = session.cache().run(styles, max_resolution=4)
        generator: Any = session.generator
        assert torch.equal(small, generator.step(0, None, styles[generator.block_layers(0)]).img)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"c_dim": 3}, "label"),
        ({"upsampler": "cubic"}, "nn_cat"),
        ({"ball": (1.0,)}, "ball"),
        ({"depth": (1.0, 0.5)}, "depth"),
        ({"alpha": 1.5}, "alpha"),
        ({"samples": 1}, "samples"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        StyleNeRFConfig(**{**SMALL, **options})


# -- a citizen like the others ------------------------------------------------------------------------------------------------
def test_films_go_from_one_camera_to_another(session: GeneratorSession) -> None:
    a, b = (session.latent(seed=1, view=Camera(yaw=yaw)) for yaw in (-20.0, 20.0))
    middle = session.interpolate(a, b, 0.25)
    assert middle.view == Camera(yaw=-10.0)
    frames = [session.image(session.interpolate(a, b, t)) for t in (0.0, 0.5, 1.0)]
    assert np.array_equal(frames[0], session.image(a)) and not np.array_equal(frames[1], frames[0])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["projector", "image2stylegan"])
def test_a_picture_is_inverted(method: str) -> None:
    session = GeneratorSession(make(rays=8), device="cpu", name="tiny")
    target = inversion.Target.of([session.latent(seed=1)], session)
    result = inversion.start(method, session, target, steps=4, net="factors").finish()
    assert session.image(result.latent()).shape == (16, 16, 3)


def test_the_probe_opens(session: GeneratorSession) -> None:
    probe = StyleSpaceProbe(session)
    try:
        assert np.asarray(probe.image).shape == (8, 8, 3)
    finally:
        probe.close()


def found_from_the_side(session: GeneratorSession) -> tuple[InversionViewer, Camera]:
    settings: dict[str, Any] = {"steps": 3, "net": "factors", "perceptual": 0.0, "camera": "find"}
    side = session.latent(seed=2, view=Camera(yaw=12.0, pitch=-4.0))
    viewer = InversionViewer(session, side, method="image2stylegan", **settings)
    viewer.start()
    viewer.finish()
    return viewer, Camera(*map(float, viewer.result.cameras[0]))


@pytest.mark.slow
def test_the_viewer_of_an_inversion_shows_each_step_from_its_camera(session: GeneratorSession) -> None:
    viewer, found = found_from_the_side(session)
    assert found != Camera() and viewer.result.latent().view == viewer.value.view == found
    viewer.scrub(0)
    first = viewer.runs[0].run.frames[0].cameras
    assert viewer.value.view == Camera(*map(float, first[0])) != found
    viewer.scrub(None)
    assert viewer.value.view == found
    viewer.close()


@pytest.mark.slow
def test_what_a_viewer_of_an_inversion_opens_goes_on_from_the_camera_that_was_found(session: GeneratorSession) -> None:
    viewer, found = found_from_the_side(session)
    explorer, probe = viewer.explorer(), viewer.probe()
    assert explorer.value.view == probe.value.view == found
    assert np.array_equal(explorer.session.image(explorer.value), session.image(viewer.value))
    for widget in (viewer, explorer, probe):
        widget.close()
