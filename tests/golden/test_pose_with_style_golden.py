"""Pose with Style against what the published program made of small random networks, intermediate outputs included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.checkpoints.names.posed import (
    completion_from_published,
    discriminator_from_published,
    from_published,
)
from stylewidgets.generators.posed import Posed, infer_config
from stylewidgets.generators.posed.completion import CoordinateCompletion
from stylewidgets.generators.posed.reposing import Garment, Reposing, flow_of, part_mask
from stylewidgets.generators.posed.surface import GARMENTS, flipped, places, scatter_both
from stylewidgets.generators.stylegan2.discriminator import Discriminator

DATA = Path(__file__).parent / "data" / "pose_with_style_small.safetensors"


def atlas() -> Any:
    """The made-up table of the file: six by four squares, a part in each."""
    i, v, u = np.meshgrid(np.arange(24), np.arange(256), np.arange(256), indexing="ij")
    return np.stack([(i % 6 + 0.05 + 0.9 * u / 255) / 6, (i // 6 + 0.05 + 0.9 * v / 255) / 4], axis=-1)


class Golden:
    """The file: networks, inputs and expected outputs."""

    def __init__(self) -> None:
        with safe_open(DATA, "pt") as file:
            self.config: dict[str, Any] = json.loads(file.metadata()["config"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (the file object is no mapping)
        self.inputs = {key[6:]: value for key, value in tensors.items() if key.startswith("input.")}
        self.expected = {key[7:]: value for key, value in tensors.items() if key.startswith("expect.")}
        params = {key[6:]: value for key, value in tensors.items() if key.startswith("param.")}
        own = {k: v for k, v in params.items() if not k.startswith(("discriminator.", "ccm."))}
        self.left: list[str] = []
        state = from_published(own, self.left)
        self.generator = Posed(infer_config(state, resolution=self.config["input"], slip=True))
        missing = self.generator.load_state_dict(state, strict=False).missing_keys
        assert all(name.endswith("noise_const") for name in missing)
        self.generator.eval().requires_grad_(False)
        self.params = params
        self.noise = [self.inputs[f"noise_{k}"] for k in range(11)]
        self.table = atlas().astype(np.float32)

    def part(self, prefix: str) -> dict[str, Tensor]:
        return {k[len(prefix) :]: v for k, v in self.params.items() if k.startswith(prefix)}

    def places(self, count: int = 2) -> Tensor:
        iuv = self.inputs["pose"][:count].permute(0, 2, 3, 1).numpy()
        return torch.stack([torch.from_numpy(places(one, self.table)).permute(2, 0, 1) for one in iuv])

    def reposing(self, count: int = 2, garment: bool = False) -> Reposing:
        x, where = self.inputs, self.places(count)
        pose = x["pose"][:count].float()
        body = (pose[:, :1] != 0).float()
        worn = None
        if garment:
            mask = part_mask(x["uv_space_parts"], where, body, GARMENTS[self.config["garment_part"]])
            flow = flow_of(x["garment_coordinates"], where, body, slip=True)
            worn = Garment(x["garment_image"], x["garment_silhouette"].float(), flow, mask)
        flow = flow_of(x["coordinates"][:count], where, body, slip=True)
        return Reposing(x["image"][:count], x["silhouette"][:count].float(), pose, flow, worn)


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden()


def near(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert float((found - wanted).norm() / wanted.norm()) < 1e-5


def test_every_parameter_of_the_published_network_has_a_place(golden: Golden) -> None:
    assert golden.left == []
    assert golden.generator.config.channels == tuple(golden.config["channels"].values())


def test_the_target_is_looked_up_in_the_completed_atlas(golden: Golden) -> None:
    near(golden.reposing().flow, golden.expected["flow"])


def test_encoders_and_the_pyramid_are_the_published_ones(golden: Golden) -> None:
    reposing, synthesis = golden.reposing(), golden.generator.synthesis
    near(synthesis.pose(reposing.pose)[0][:1], golden.expected["layer.pose_encoder"])
    seen = synthesis.source(torch.cat([reposing.picture, reposing.silhouette], dim=1)[:1])
    near(seen[0], golden.expected["layer.appearance_encoder.conv6"])
    near(seen[4], golden.expected["layer.appearance_encoder.conv2"])
    for k, features in enumerate(golden.generator.source_features(reposing)):
        near(features[:1], golden.expected[f"style_F{6 - k}"])


def test_layers_on_the_way_are_the_published_ones(golden: Golden) -> None:
    generator, want = golden.generator, golden.expected
    reposing = golden.reposing(1)
    styles = generator.styles(torch.zeros(1, 1))
    assert all(bool((style == 1).all()) for style in styles)
    features = generator.source_features(reposing)
    first, second = generator.synthesis.scale(0), generator.synthesis.scale(1)
    x = generator.synthesis.pose(reposing.pose)[0]
    near(first.conv.convolved(x, styles[0], features[0]), want["layer.conv1.conv"])
    with generator.reposed(reposing):
        state, blocks = None, []
        for i, noise in enumerate(generator.block_noise(golden.noise)):
            state = generator.step(i, state, styles[generator.block_layers(i)], noise)
            blocks.append(state)
    near(blocks[0].x, want["layer.conv1"])
    near(blocks[0].img, want["layer.to_rgb1"])
    up = second.up.convolved(blocks[0].x, styles[2], features[0])
    near(up, want["layer.convs.0.conv"])
    near(second.up(blocks[0].x, styles[2], features[0], golden.noise[1]), want["layer.convs.0"])
    near(blocks[1].x, want["layer.convs.1"])
    near(blocks[1].img, want["layer.to_rgbs.0"])
    near(blocks[5].x, want["layer.convs.9"])
    near(blocks[5].img, want["layer.to_rgbs.4"])


def test_pictures_are_the_published_ones(golden: Golden) -> None:
    generator = golden.generator
    with generator.reposed(golden.reposing()):
        near(generator.synthesize(torch.zeros(2, 1), golden.noise), golden.expected["image"])


def test_a_garment_of_another_person_is_put_on(golden: Golden) -> None:
    generator, reposing = golden.generator, golden.reposing(1, garment=True)
    assert reposing.garment is not None
    assert torch.equal(reposing.garment.mask, golden.expected["garment_part_mask"].float())
    with generator.reposed(reposing):
        near(generator.synthesize(torch.zeros(1, 1), golden.noise), golden.expected["garment_image"])


def test_the_discriminator_is_that_of_stylegan2_with_the_surface_beside_the_colours(golden: Golden) -> None:
    network = Discriminator(64, (16,) * 5, img_channels=6)
    network.load_state_dict(discriminator_from_published(golden.part("discriminator.")))
    pair = torch.cat([golden.inputs["image"], golden.inputs["pose"].float()], dim=1)
    with torch.no_grad():
        near(network(pair), golden.expected["discriminator"])


def test_coordinates_are_completed_as_published(golden: Golden) -> None:
    network = CoordinateCompletion(golden.config["ccm_ngf"])
    network.load_state_dict(completion_from_published(golden.part("ccm.")))
    with torch.no_grad():
        found = network.eval()(golden.inputs["ccm_coordinates"], golden.inputs["ccm_mask"])
    near(found, golden.expected["ccm_coordinates"])


def test_pixels_are_scattered_over_the_atlas_and_mirrored_where_it_is_empty(golden: Golden) -> None:
    iuv = golden.inputs["source_iuv"].numpy()
    assert np.array_equal(flipped(iuv), golden.expected["source_iuv_flipped"].numpy())
    found, known, mirrored = scatter_both(iuv, golden.table, 64)
    assert np.array_equal(known, golden.expected["uv_mask"].numpy() > 0)
    assert np.array_equal(mirrored, golden.expected["uv_symm_mask"].numpy() > 0)
    near(torch.from_numpy(found).float(), golden.expected["uv_coordinates"])
