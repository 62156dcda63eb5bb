"""StyleGAN2 agrees with the outputs that the public implementation gave for small random networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan2.generator import StyleGAN2
from stylewidgets.ops.native import winograd

DATA = Path(__file__).parent / "data"
NAMES = ["stylegan2_64", "stylegan2_cond_32", "stylegan2_gray_resnet_32"]
TOLERANCE = 1e-5


class Golden(NamedTuple):
    generator: StyleGAN2
    config: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def label(self) -> Tensor | None:
        return self.tensors["input.c"] if self.config["c_dim"] else None

    @property
    def truncated(self) -> Tensor:
        """The w+ that every expected picture and feature was made from."""
        return self.tensors["expect.w_truncated_cutoff"]


@pytest.fixture(scope="module", params=NAMES)
def golden(request: pytest.FixtureRequest, device: str) -> Golden:
    with safe_open(DATA / f"{request.param}.safetensors", "pt", device=device) as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    parameters = {name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")}
    generator = StyleGAN2.from_state_dict(parameters, conv_clamp=config["conv_clamp"])
    return Golden(generator.to(device), config, tensors)


def error(found: Tensor, expected: Tensor) -> float:
    """‖found − expected‖ / ‖expected‖; infinite when the shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    found = found.detach()
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def first_difference(golden: Golden, found: dict[str, Tensor]) -> str | None:
    """The first of the named tensors, in the order of the network, that differs from the golden one."""
    for name, value in found.items():
        wrong = error(value, golden.tensors["expect." + name])
        if not wrong < TOLERANCE:
            return f"{name} differs first: relative error {wrong:.2e}"
    return None


def trace(golden: Golden) -> dict[str, Tensor]:
    """Every style, layer output and block output for the first latent, in the order of the network."""
    generator, found = golden.generator, {}
    hooks = []
    for layer in generator.layers:

        def keep(module: object, inputs: object, output: Tensor, name: str = layer.name) -> None:
            found["layer." + name] = output.clone()

        hooks.append(generator.synthesis.get_submodule(layer.name).register_forward_hook(keep))
    state: State | None = None
    with torch.no_grad():
        styles = generator.styles(golden.truncated[:1])
        for layer, style in zip(generator.layers, styles, strict=True):
            found["style." + layer.name] = style
        for i in range(generator.num_blocks):
            state = generator.step(i, state, styles[generator.block_layers(i)], golden.config["noise_mode"])
            name = generator.config.block_name(i)
            found["block_x." + name] = state.x.clone()
            if state.img is not None:
                found["block_img." + name] = state.img.clone()
    for hook in hooks:
        hook.remove()
    return found


def test_the_config_is_read_from_names_and_shapes(golden: Golden) -> None:
    read, written = golden.generator.config, golden.config
    assert (read.z_dim, read.c_dim, read.w_dim) == (written["z_dim"], written["c_dim"], written["w_dim"])
    assert (read.resolution, read.img_channels) == (written["img_resolution"], written["img_channels"])
    assert read.architecture == written["architecture"]
    assert read.mapping_layers == written["mapping_kwargs"]["num_layers"]
    assert read.num_ws == written["num_ws"]


def test_the_mapping_agrees(golden: Golden) -> None:
    ws = golden.generator.map(golden.tensors["input.z"], golden.label)
    psi, cutoff = golden.config["truncation_psi"], golden.config["truncation_cutoff"]
    found = {
        "w": ws,
        "w_truncated": golden.generator.truncate(ws, psi),
        "w_truncated_cutoff": golden.generator.truncate(ws, psi, cutoff),
    }
    assert first_difference(golden, found) is None


@pytest.mark.parametrize("compiled", [False, True])
def test_every_style_layer_and_block_agrees(golden: Golden, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled and not winograd.available():
        pytest.skip("no C++ compiler")
    monkeypatch.setattr(winograd, "available", lambda: compiled)
    found = trace(golden)
    assert first_difference(golden, found) is None
    wanted = {
        n[len("expect.") :] for n in golden.tensors if n.split(".")[1] in ("style", "layer", "block_x", "block_img")
    }
    assert wanted - {n[len("expect.") :] for n in golden.tensors if n.startswith(("param.", "input."))} == set(found)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
def test_the_pictures_agree_on_every_path(golden: Golden, gradients: bool, training: bool) -> None:
    generator, noise = golden.generator, golden.config["noise_mode"]
    generator.train(training)
    with torch.set_grad_enabled(gradients):
        for layout in (torch.contiguous_format, torch.channels_last):
            generator.synthesis.to(memory_format=layout)
            found = {
                "image": generator.synthesize(golden.truncated, noise=noise),
                "image_from_w_plus": generator.synthesize(golden.tensors["input.w_plus"], noise=noise),
            }
            assert first_difference(golden, found) is None
    generator.eval()


def test_the_first_differing_layer_is_named(golden: Golden) -> None:
    broken = StyleGAN2.from_state_dict(golden.generator.state_dict(), conv_clamp=golden.config["conv_clamp"])
    broken.to(golden.generator.device)
    with torch.no_grad():
        broken.synthesis.get_submodule("b16.conv0").bias.add_(1.0)
    said = first_difference(golden, trace(golden._replace(generator=broken)))
    assert said is not None and said.startswith("layer.b16.conv0 ")
