"""StyleGAN3 agrees with the outputs that the public implementation gave for small random networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.generators.stylegan3.geometry import known_bands

DATA = Path(__file__).parent / "data"
TOLERANCE = 1e-5
CENTRED = 1e-4
"""Pictures of random networks are nearly constant; without their mean they still must agree."""


class Golden(NamedTuple):
    generator: StyleGAN3
    config: dict[str, Any]
    parameters: dict[str, Tensor]
    tensors: dict[str, Tensor]

    @property
    def truncated(self) -> Tensor:
        """The w+ that the expected picture and features were made from."""
        return self.tensors["expect.w_truncated_cutoff"]


@pytest.fixture(scope="module", params=["stylegan3_t_64", "stylegan3_r_64"])
def golden(request: pytest.FixtureRequest, device: str) -> Golden:
    with safe_open(DATA / f"{request.param}.safetensors", "pt", device=device) as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    parameters = {name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")}
    generator = StyleGAN3.from_state_dict(
        parameters, conv_clamp=config["conv_clamp"], num_fp16_res=config["num_fp16_res"]
    )
    return Golden(generator.to(device), config, parameters, tensors)


def error(found: Tensor, expected: Tensor) -> float:
    """‖found − expected‖ / ‖expected‖; infinite when the shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    found, expected = found.detach().double(), expected.double()
    return float((found - expected).norm() / expected.norm())


def centred(x: Tensor) -> Tensor:
    return x - x.mean(dim=(2, 3), keepdim=True)


def first_difference(golden: Golden, found: dict[str, Tensor]) -> str | None:
    """The first of the named tensors, in the order of the network, that differs from the golden one."""
    for name, value in found.items():
        expected = golden.tensors["expect." + name]
        wrong = error(value, expected)
        if not wrong < TOLERANCE:
            return f"{name} differs first: relative error {wrong:.2e}"
        if expected.ndim == 4 and not error(centred(value), centred(expected)) < CENTRED:
            return (
                f"{name} differs first: relative error {error(centred(value), centred(expected)):.2e} without its mean"
            )
    return None


def trace(golden: Golden) -> dict[str, Tensor]:
    """Every style and layer output for the first latent that the golden file keeps, in the order of the network."""
    generator, found = golden.generator, {}
    state: State | None = None
    with torch.no_grad():
        styles = generator.styles(golden.truncated[:1])
        for i, layer in enumerate(generator.layers):
            found[f"style.{layer.name}"] = styles[i]
            state = generator.step(i, state, styles[i : i + 1])
            found[f"layer.{layer.name}"] = state.x
    return {name: value for name, value in found.items() if f"expect.{name}" in golden.tensors}


def test_the_config_is_read_from_names_and_shapes(golden: Golden) -> None:
    read, written = golden.generator.config, golden.config
    assert (read.z_dim, read.c_dim, read.w_dim) == (written["z_dim"], written["c_dim"], written["w_dim"])
    assert (read.resolution, read.img_channels, read.num_ws) == (64, 3, written["num_ws"])
    assert read.mapping_layers == written["mapping_kwargs"]["num_layers"]
    designed = StyleGAN3Config.create(
        written["config"],
        64,
        channel_base=written["channel_base"],
        channel_max=written["channel_max"],
    )
    assert designed.layers == read.layers


def test_the_stored_filters_are_the_designed_ones(golden: Golden) -> None:
    assert known_bands(golden.generator.config) is not None
    made = StyleGAN3(golden.generator.config).state_dict()
    names = [name for name in made if name.endswith("_filter")]
    assert len(names) == 28
    for name in names:
        assert torch.allclose(made[name], golden.parameters[name].cpu(), atol=1e-7), name


def test_the_mapping_agrees(golden: Golden) -> None:
    ws = golden.generator.map(golden.tensors["input.z"])
    psi, cutoff = golden.config["truncation_psi"], golden.config["truncation_cutoff"]
    found = {
        "w": ws,
        "w_truncated": golden.generator.truncate(ws, psi),
        "w_truncated_cutoff": golden.generator.truncate(ws, psi, cutoff),
    }
    assert first_difference(golden, found) is None


def test_every_style_and_layer_agrees(golden: Golden) -> None:
    found = trace(golden)
    assert first_difference(golden, found) is None
    kept = {name[len("expect.") :] for name in golden.tensors if name.startswith(("expect.style.", "expect.layer."))}
    assert kept == set(found)


@pytest.mark.parametrize("gradients", [False, True])
def test_the_pictures_agree_on_every_path(golden: Golden, gradients: bool) -> None:
    with torch.set_grad_enabled(gradients):
        found = {
            "image": golden.generator.synthesize(golden.truncated),
            "image_from_w_plus": golden.generator.synthesize(golden.tensors["input.w_plus"]),
        }
    assert first_difference(golden, found) is None


def test_the_first_differing_layer_is_named(golden: Golden) -> None:
    broken = StyleGAN3.from_state_dict(golden.parameters).to(golden.generator.device)
    name = broken.layers[3].name
    with torch.no_grad():
        broken.synthesis.get_submodule(name).bias.add_(1.0)
    said = first_difference(golden, trace(golden._replace(generator=broken)))
    assert said is not None and said.startswith(f"layer.{name} ")
