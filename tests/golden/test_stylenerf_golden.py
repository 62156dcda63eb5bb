"""StyleNeRF agrees with the outputs that the public implementation gave for small random networks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets import Camera
from stylewidgets.generators.stylenerf import RenderOptions, StyleNeRF
from stylewidgets.generators.stylenerf.cameras import sphere_camera
from stylewidgets.generators.stylenerf.field import StyledLayer
from stylewidgets.generators.stylenerf.path import nerf_path_loss
from stylewidgets.generators.stylenerf.rendering import sample_background, sample_field

DATA = Path(__file__).parent / "data"
TOLERANCE = 1e-5


class Golden(NamedTuple):
    generator: StyleNeRF
    config: dict[str, Any]
    parameters: dict[str, Tensor]
    tensors: dict[str, Tensor]

    def angles(self, view: str) -> tuple[float, float]:
        """Azimuth and polar angle of a camera in radians: its numbers are in units of the ranges."""
        u, v, _ = self.tensors[f"input.camera_{view}"].tolist()
        (u0, u1), (v0, v1) = self.config["range_u"], self.config["range_v"]
        return u0 + u * (u1 - u0), v0 + v * (v1 - v0)

    def camera(self, view: str, roll: float = 0.0, fov: float | None = None) -> Camera:
        azimuth, polar = self.angles(view)
        return Camera(-math.degrees(azimuth), math.degrees(polar - math.pi / 2), math.degrees(roll), fov)

    def styles(self, generator: StyleNeRF | None = None) -> list[Tensor]:
        """Of the truncated w, with the background's latent."""
        made = self.generator if generator is None else generator
        styles = made.styles(self.tensors["expect.w_truncated"])
        for k, layer in enumerate(made.layers):
            if layer.name == "background":
                styles[k] = self.tensors["input.z_bg"]
        return styles

    @contextmanager
    def seen(self, view: str = "b", options: RenderOptions | None = None, **camera: float) -> Iterator[None]:
        with (
            torch.no_grad(),
            self.generator.viewed(self.camera(view, **camera)),
            self.generator.drawing(options or RenderOptions()),
        ):
            yield


@pytest.fixture(scope="module", params=["stylenerf_small", "stylenerf_nobg_small", "stylenerf_pixelshuffle_small"])
def golden(request: pytest.FixtureRequest) -> Golden:
    with safe_open(DATA / f"{request.param}.safetensors", "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    parameters = {name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")}
    return Golden(StyleNeRF.from_state_dict(parameters, samples=config["n_ray_samples"]), config, parameters, tensors)


def error(found: Tensor, expected: Tensor) -> float:
    """‖found − expected‖ / ‖expected‖; infinite when the shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def test_the_sizes_are_read_from_the_shapes(golden: Golden) -> None:
    found, told = golden.generator.config, golden.config
    assert (found.resolution, found.rays, found.num_ws) == (
        told["img_resolution"],
        told["resolution_vol"],
        told["num_ws"],
    )
    assert (found.upsampler, found.hidden, found.field_layers) == (told["upsample_mode"], 16, 3)
    assert (found.background == "nerf") == told["background"]


def test_w_and_cameras_are_the_published_ones(golden: Golden) -> None:
    with torch.no_grad():
        ws = golden.generator.map(golden.tensors["input.z"])
    assert error(ws, golden.tensors["expect.w"]) < TOLERANCE
    assert error(golden.generator.truncate(ws, 0.7), golden.tensors["expect.w_truncated"]) < TOLERANCE
    for view in "ab":
        azimuth, polar = (torch.tensor([angle]) for angle in golden.angles(view))
        turn, place = sphere_camera(azimuth, polar, torch.ones(1))
        world = golden.tensors[f"expect.camera_{view}.world"]
        assert error(turn.expand(2, -1, -1), world[:, :3, :3]) < TOLERANCE
        assert error(place.expand(2, -1), world[:, :3, 3]) < TOLERANCE
        reach = golden.tensors[f"expect.camera_{view}.intrinsics_inverse"][0, 0, 0]
        assert abs(math.tan(math.radians(golden.generator.config.fov) / 2) - float(reach)) < 1e-6


@pytest.mark.parametrize("view", ["a", "b"])
def test_pictures_and_what_the_volume_gives_agree(golden: Golden, view: str) -> None:
    generator, styles, wanted = golden.generator, golden.styles(), golden.tensors
    with golden.seen(view):
        assert error(generator.synthesize(styles), wanted[f"expect.image_{view}"]) < TOLERANCE
        state = generator.step(0, None, styles[generator.block_layers(0)])
        assert state.img is not None and error(state.img, wanted[f"expect.image_nerf_{view}"]) < TOLERANCE
        if view == "b":
            assert error(state.x, wanted["expect.feature_b"]) < TOLERANCE
            assert error(generator.surface(styles), wanted["expect.early_surface_b"]) < TOLERANCE


@pytest.mark.parametrize(
    "name, options, camera",
    [
        ("fov15_roll", None, {"fov": 15.0, "roll": 0.3}),
        ("steps9", RenderOptions(steps=9), {}),
        ("freeze_bg", RenderOptions(freeze_background=True), {}),
        ("no_fg_background", RenderOptions(background=False), {}),
        ("alpha-1", RenderOptions(steps=20), {}),
    ],
)
def test_ways_to_render_agree(
    golden: Golden, name: str, options: RenderOptions | None, camera: dict[str, float]
) -> None:
    wanted = golden.tensors.get(f"expect.image_b_{name}")
    if wanted is None:  # freeze_bg where there is none
        return
    with golden.seen("b", options, **camera):
        assert error(golden.generator.synthesize(golden.styles()), wanted) < TOLERANCE


@pytest.mark.parametrize("alpha", ["0", "0.3", "0.75"])
def test_a_generator_that_is_still_fading_in_gives_the_picture_that_it_had(golden: Golden, alpha: str) -> None:
    young = StyleNeRF.from_state_dict(
        {**golden.parameters, "synthesis.alpha": torch.tensor(float(alpha))}, samples=golden.config["n_ray_samples"]
    )
    wanted = golden.tensors[f"expect.image_b_alpha{alpha}"]
    assert young.resolution == wanted.shape[-1]
    with torch.no_grad(), young.viewed(golden.camera("b")):
        assert error(young.synthesize(golden.styles(young)), wanted) < TOLERANCE


def test_samples_of_rays_agree_one_by_one(golden: Golden) -> None:
    generator, wanted = golden.generator, golden.tensors
    with golden.seen("b"):
        own = [style[:1] for style in golden.styles()[generator.block_layers(0)]]
        rays = generator.rays(8, 8)
        field = generator.synthesis.fg_nerf
        made = sample_field(field, own, rays, generator.span, 6, closed=not golden.config["background"])
        t, order = made.t.sort(dim=-1)
        assert error(t, wanted["expect.depths"]) < TOLERANCE
        assert error(made.counts.gather(-1, order), wanted["expect.fg_weights"]) < TOLERANCE
        values = (made.counts[..., None] * field.outer(made.inner.flatten(1, 2), own).view(1, 64, 12, -1)).sum(dim=2)
        assert error(values, wanted["expect.fg_feat"]) < TOLERANCE
        if generator.synthesis.bg_nerf is not None:
            assert error(made.passed[..., 0], wanted["expect.bg_lambda"]) < TOLERANCE
            behind = sample_background(generator.synthesis.bg_nerf, own[-1], rays)
            assert error(behind.counts, wanted["expect.bg_weights"]) < TOLERANCE
            seen = made.passed * (behind.counts[..., None] * behind.values).sum(dim=2)
            assert error(seen, wanted["expect.bg_feat"]) < TOLERANCE


def test_every_layer_of_the_upsampler_agrees(golden: Golden) -> None:
    generator, found = golden.generator, dict[str, Tensor]()
    names = [name for name in golden.tensors if name.startswith("expect.layer.b") and "nerf" not in name]
    hooks = [
        generator.synthesis.get_submodule(name.removeprefix("expect.layer.")).register_forward_hook(
            lambda _, __, made, name=name: found.update({name: made[:1]})
        )
        for name in names
    ]
    with golden.seen("b"):
        generator.synthesize(golden.styles())
    for hook in hooks:
        hook.remove()
    assert names and {name for name in names if error(found[name], golden.tensors[name]) > TOLERANCE} == set()


def test_layers_of_the_field_agree_at_the_samples_of_the_fine_pass(golden: Golden) -> None:
    generator, wanted = golden.generator, golden.tensors
    field = generator.synthesis.fg_nerf
    found: dict[str, Tensor] = {}

    # `lrelu` and `linear` are no forward passes, so that a hook would not see them.
    with golden.seen("b"):
        own = [style[:1] for style in golden.styles()[generator.block_layers(0)]]
        rays = generator.rays(8, 8)
        sampled = sample_field(field, own, rays, generator.span, 6, closed=not golden.config["background"])
        depths = sampled.t[..., 6:8]
        points = rays.origins[:, :, None] + rays.directions[:, :, None] * depths[..., None]
        before = StyledLayer.lrelu, StyledLayer.linear
        names = {id(module): name for name, module in field.named_modules()}

        def lrelu(layer: StyledLayer, x: Tensor, style: Tensor) -> Tensor:
            found[names[id(layer)]] = made = before[0](layer, x, style)
            return made

        def linear(layer: StyledLayer, x: Tensor, style: Tensor, share: Tensor | float = 1.0) -> Tensor:
            found[names[id(layer)]] = made = before[1](layer, x, style, share)
            return made

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(StyledLayer, "lrelu", lrelu)
            patch.setattr(StyledLayer, "linear", linear)
            _, inner = field.inner(points.reshape(1, -1, 3), own)
            field.outer(inner, own)
    checked = 0
    for name, expected in wanted.items():
        layer = name.removeprefix("expect.layer.fg_nerf.")
        if layer in found and layer != name:
            made = found[layer].view(64, 2, -1).permute(1, 2, 0).unflatten(2, (8, 8))
            assert error(made, expected) < TOLERANCE, layer
            checked += 1
    assert checked == 4


def test_the_nerf_path_loss_agrees_and_its_gradients_go_both_ways(golden: Golden) -> None:
    generator = golden.generator
    with generator.viewed(golden.camera("b")):
        loss = nerf_path_loss(
            generator, golden.styles(), golden.tensors["input.reg_offset"], grid=golden.config["n_reg_samples"]
        )
    assert error(loss.detach(), golden.tensors["expect.nerf_path_loss"]) < TOLERANCE
    loss.sum().backward()
    block = generator.synthesis.block(0, generator.config.rays)
    assert generator.synthesis.fg_nerf.fc_in.weight.grad is not None and block.conv1.weight.grad is not None
    generator.zero_grad(set_to_none=True)
