"""EG3D against what the published program made of small random networks, intermediate outputs included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.checkpoints.names.eg3d import _rendering, from_eg3d
from stylewidgets.generators.triplane import TriPlane, infer_config
from stylewidgets.generators.triplane.field import features_of
from stylewidgets.generators.triplane.samples import Samples, even, finer, spans, weights_of

DATA = Path(__file__).parent / "data"
FILES = ("eg3d_small", "eg3d_sr4x_small", "eg3d_sr2x_small")


class Golden:
    """A file: the generator that it describes, inputs and expected outputs."""

    def __init__(self, name: str) -> None:
        with safe_open(DATA / f"{name}.safetensors", "pt") as file:
            self.config: dict[str, Any] = json.loads(file.metadata()["config"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (the file object is no mapping)
        self.inputs = {key[6:]: value for key, value in tensors.items() if key.startswith("input.")}
        self.expected = {key[7:]: value for key, value in tensors.items() if key.startswith("expect.")}
        params = {key[6:]: value for key, value in tensors.items() if key.startswith("param.")}
        self.state, hints = from_eg3d(params)
        scene = _rendering(self.config["rendering_kwargs"])
        config = infer_config(
            self.state, **{**hints, **scene, "field_size": self.config["neural_rendering_resolution"]}
        )
        self.generator = self.make(config)

    def make(self, config: Any) -> TriPlane:
        made = TriPlane(config)
        made.load_state_dict(self.state)
        return made.eval().requires_grad_(False)

    def numbers(self, stage: int, first: int, rays: int, pictures: int, count: int) -> Tensor:
        """Those that the program had drawn."""
        own = slice(first, first + rays)
        if stage == 0:
            return self.inputs["jitter_coarse"][:, own, :, 0]
        return self.inputs["u_fine"].reshape(pictures, -1, count)[:, own]

    @contextmanager
    def seen(self, pose: str) -> Iterator[None]:
        label, sampled = self.inputs[f"c_{pose}"], self.generator.sampled(Samples(), self.numbers)
        with torch.no_grad(), self.generator.seen_by(label), sampled:
            yield


@pytest.fixture(scope="module", params=FILES)
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.param)


def near(found: Tensor, wanted: Tensor, most: float = 1e-5) -> None:
    assert found.shape == wanted.shape
    assert float((found - wanted).norm() / wanted.norm()) < most


def test_w_and_its_truncation(golden: Golden) -> None:
    with torch.no_grad():
        ws = golden.generator.map(golden.inputs["z"], golden.inputs["c_conditioning"])
        near(ws, golden.expected["w"])
        cut = golden.generator.truncate(ws, golden.config["truncation_psi"], golden.config["truncation_cutoff"])
    near(cut, golden.expected["w_truncated_cutoff"])


def test_planes_and_what_the_decoder_makes_of_points(golden: Golden) -> None:
    generator, ws = golden.generator, golden.expected["w_truncated_cutoff"]
    with torch.no_grad():
        planes = generator.planes(ws)
        near(planes[0, :, ::4], golden.expected["planes"])
        density, colours = generator.synthesis.decoder(
            features_of(planes, golden.inputs["points"], generator.config.box, generator.config.axes)
        )
    near(density[..., None], golden.expected["point_sigma"])
    assert colours is not None
    near(colours, golden.expected["point_rgb"])


@pytest.mark.parametrize("pose", ["a", "b"])
def test_rays(golden: Golden, pose: str) -> None:
    with golden.seen(pose):
        origins, directions = golden.generator.rays(8, 8, 2)
    near(directions, golden.expected[f"ray_directions_{pose}"])
    near(origins[:, :1], golden.expected[f"ray_origins_{pose}"])


@pytest.mark.parametrize("pose", ["a", "b"])
def test_pictures_and_depth(golden: Golden, pose: str) -> None:
    ws = golden.expected["w_truncated_cutoff"]
    with golden.seen(pose):
        near(golden.generator.synthesize(ws), golden.expected[f"image_{pose}"])
        near(golden.generator.depth(ws)[0], golden.expected[f"image_depth_{pose}"])
        near(golden.generator.raw(ws, slip=True), golden.expected[f"image_raw_{pose}"])


@pytest.mark.parametrize("pose", ["a", "b"])
def test_fine_samples_go_where_the_density_is(golden: Golden, pose: str) -> None:
    generator, config = golden.generator, golden.generator.config
    if not config.fine:
        assert "depths_fine_a" not in golden.expected
        return
    with golden.seen(pose):
        rays = generator.rays(8, 8, 2)
        near_end, far_end = spans(*rays, config.box)
        if config.near is not None and config.far is not None:
            near_end, far_end = torch.full_like(near_end, config.near), torch.full_like(far_end, config.far)
        t = even(near_end, far_end, golden.numbers(0, 0, 64, 2, config.coarse))
        points = rays.origins[:, :, None] + rays.directions[:, :, None] * t[..., None]
        planes = generator.planes(golden.expected["w_truncated_cutoff"])
        density, _ = generator.synthesis.decoder(features_of(planes, points.flatten(1, 2), config.box, config.axes))
        weights = weights_of(t, density.reshape(t.shape)).flatten(0, 1)
        fine = finer(t.flatten(0, 1), weights, golden.inputs["u_fine"])
    near(fine.reshape(2, 64, -1, 1), golden.expected[f"depths_fine_{pose}"])


def test_what_enters_the_head_and_what_its_first_block_makes(golden: Golden) -> None:
    generator, ws = golden.generator, golden.expected["w_truncated_cutoff"]
    with golden.seen("b"):
        seen = generator.seen(generator.planes(ws), 8, 8).features.unflatten(2, (8, 8))
        head = generator.synthesis.head
        x = head.entering(seen)
        near(x[:1], golden.expected["sr_in_x_b"])
        x, img = head.block0(x, x[:, :3], generator.styles(ws)[generator.block_layers(generator.view_block)][:3])
    near(x[:1], golden.expected["sr_block0_x_b"])
    near(img[:1], golden.expected["sr_block0_rgb_b"])


def test_the_slip_of_the_published_program_is_only_there_when_asked_for() -> None:
    golden = Golden("eg3d_sr2x_small")
    ws = golden.expected["w_truncated_cutoff"]
    with golden.seen("b"):
        clean = golden.generator.raw(ws)
        seen = golden.generator.seen(golden.generator.planes(ws), 8, 8)
        golden.generator.synthesize(ws)
        assert torch.equal(clean.flatten(2), seen.features[:, :3])
    assert float((clean - golden.expected["image_raw_b"]).norm() / clean.norm()) > 0.01
    near(golden.expected["image_raw_b"][:1], golden.expected["sr_block0_rgb_b"])


@pytest.mark.parametrize("name", ["eg3d_small", "eg3d_sr2x_small"])
def test_a_field_of_another_size_is_made_to_fit(name: str) -> None:
    golden = Golden(name)
    generator = golden.make(replace(golden.generator.config, field_size=20))

    def numbers(stage: int, first: int, rays: int, pictures: int, count: int) -> Tensor:
        line = torch.linspace(0.05, 0.95, count) if stage else torch.full((count,), 0.25)
        return line.expand(1, rays, count)

    with torch.no_grad(), generator.seen_by(golden.inputs["c_b"]), generator.sampled(Samples(), numbers):
        near(generator.synthesize(golden.expected["w_truncated_cutoff"]), golden.expected["image_b_res20"])
