"""StyleGAN agrees with what a port of the original gave for small random networks, by both kinds of up-convolution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from stylewidgets.checkpoints.names.stylegan1 import from_genforce
from stylewidgets.generators.stylegan1.generator import StyleGAN1

DATA = Path(__file__).parent / "data"
NAMES = ["stylegan1_32", "stylegan1_64"]
TOLERANCE = 1e-5


class Golden(NamedTuple):
    generator: StyleGAN1
    config: dict[str, Any]
    tensors: dict[str, Tensor]


@pytest.fixture(scope="module", params=NAMES)
def golden(request: pytest.FixtureRequest, device: str) -> Golden:
    with safe_open(DATA / f"{request.param}.safetensors", "pt", device=device) as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    state, hints = from_genforce(
        {name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")}
    )
    generator = StyleGAN1.from_state_dict(state, **{**hints, "fused_from": 1 if config["fused_scale"] else None})
    return Golden(generator.to(device), config, tensors)


def error(found: Tensor, expected: Tensor) -> float:
    """‖found − expected‖ / ‖expected‖; infinite when the shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    return float((found.detach().double() - expected.double()).norm() / expected.double().norm())


def first_difference(expected: dict[str, Tensor], found: dict[str, Tensor]) -> str | None:
    """The first of the named tensors, in the order of the network, that differs."""
    for name, value in found.items():
        wrong = error(value, expected[name])
        if not wrong < TOLERANCE:
            return f"{name} differs first: relative error {wrong:.2e}"
    return None


def stored(golden: Golden) -> dict[str, Tensor]:
    return {name[len("expect.") :]: value for name, value in golden.tensors.items() if name.startswith("expect.")}


def truncated(golden: Golden) -> Tensor:
    ws = golden.generator.map(golden.tensors["input.z"])
    return golden.generator.truncate(ws, golden.config["truncation_psi"], golden.config["truncation_cutoff"])


def by_definition(golden: Golden, ws: Tensor) -> dict[str, Tensor]:
    """The output of every layer, then the picture, written down step by step from the stored parameters."""
    p = {name[len("param.") :]: value for name, value in golden.tensors.items() if name.startswith("param.")}
    found: dict[str, Tensor] = {}
    x = p["synthesis.layer0.const"].expand(len(ws), -1, -1, -1)
    taps = torch.tensor([1.0, 2.0, 1.0], device=ws.device)
    blur = taps.outer(taps) / 16
    for i in range(golden.config["num_ws"]):
        name = f"synthesis.layer{i}"
        if i:
            weight = p[f"{name}.weight"]
            weight = weight * (2 / weight[0].numel()) ** 0.5
            if i % 2 == 1:
                x = F.conv2d(x, weight, padding=1)
            else:
                if golden.config["fused_scale"]:
                    wide = F.pad(weight, (1, 1, 1, 1))
                    kernel = sum(wide[:, :, a : a + 4, b : b + 4] for a in (0, 1) for b in (0, 1))
                    x = F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)
                else:
                    x = F.conv2d(x.repeat_interleave(2, 2).repeat_interleave(2, 3), weight, padding=1)
                x = F.conv2d(x, blur.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        x = (
            x
            + p[f"{name}.apply_noise.noise"] * p[f"{name}.apply_noise.weight"][:, None, None]
            + p[f"{name}.bias"][:, None, None]
        )
        x = torch.where(x > 0, x, 0.2 * x)
        x = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True, correction=0) + 1e-8).sqrt()
        affine = p[f"{name}.style.weight"]
        style = ws[:, i] @ affine.t() / affine.shape[1] ** 0.5 + p[f"{name}.style.bias"]
        scale, shift = style[:, :, None, None].chunk(2, dim=1)
        x = x * (scale + 1) + shift
        found[f"b{4 << i // 2}.conv{i % 2}"] = x
    last = max(int(key.split("output")[1].split(".")[0]) for key in p if "output" in key)
    weight = p[f"synthesis.output{last}.weight"]
    found["image"] = F.conv2d(x, weight / weight.shape[1] ** 0.5) + p[f"synthesis.output{last}.bias"][:, None, None]
    return found


def trace(generator: StyleGAN1, ws: Tensor) -> dict[str, Tensor]:
    """The output of every layer, in the order of the network, then the picture."""
    found: dict[str, Tensor] = {}
    hooks = []
    for layer in generator.layers:

        def keep(module: object, inputs: object, output: Tensor, name: str = layer.name) -> None:
            found[name] = output.clone()

        hooks.append(generator.synthesis.get_submodule(layer.name).register_forward_hook(keep))
    with torch.no_grad():
        image = generator.synthesize(ws)
    for hook in hooks:
        hook.remove()
    return {**found, "image": image}


def test_the_config_is_read_from_names_and_shapes(golden: Golden) -> None:
    read, written = golden.generator.config, golden.config
    assert (read.resolution, read.num_ws, read.lod) == (written["resolution"], written["num_ws"], 0)
    assert (read.z_dim, read.w_dim, read.mapping_layers) == (32, 32, 8)


def test_the_mapping_agrees(golden: Golden) -> None:
    ws = golden.generator.map(golden.tensors["input.z"])
    found = {"w": ws[:, 0], "w_truncated_cutoff": truncated(golden)}
    assert first_difference(stored(golden), found) is None


def test_every_style_agrees_without_its_one(golden: Golden) -> None:
    styles = golden.generator.styles(truncated(golden))
    assert first_difference(stored(golden), {f"style{i:02}": style for i, style in enumerate(styles)}) is None


def test_every_layer_agrees_with_the_definition(golden: Golden) -> None:
    ws = truncated(golden).detach()
    expected = by_definition(golden, ws)
    assert error(expected["image"], stored(golden)["image"]) < TOLERANCE
    assert first_difference(expected, trace(golden.generator, ws)) is None


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
def test_the_pictures_agree_on_every_path(golden: Golden, gradients: bool, training: bool) -> None:
    generator = golden.generator
    generator.train(training)
    with torch.set_grad_enabled(gradients):
        for layout in (torch.contiguous_format, torch.channels_last):
            generator.synthesis.to(memory_format=layout)
            found = {
                "image": generator.synthesize(truncated(golden)),
                "image_from_w_plus": generator.synthesize(golden.tensors["input.w_plus"]),
            }
            assert first_difference(stored(golden), found) is None
    generator.eval()


def test_the_first_differing_layer_is_named(golden: Golden) -> None:
    ws = truncated(golden).detach()
    expected = trace(golden.generator, ws)
    broken = StyleGAN1(golden.generator.config).eval().to(ws.device)
    broken.load_state_dict(golden.generator.state_dict())
    with torch.no_grad():
        broken.synthesis.get_submodule("b16.conv0").weight.mul_(-1)
    said = first_difference(expected, trace(broken, ws))
    assert said is not None and said.startswith("b16.conv0 ")


def test_the_other_kind_of_up_convolution_gives_other_pictures(golden: Golden) -> None:
    other = None if golden.config["fused_scale"] else 1
    wrong = StyleGAN1.from_state_dict(golden.generator.state_dict(), fused_from=other).to(golden.generator.device)
    assert error(wrong.synthesize(truncated(golden)), stored(golden)["image"]) > 0.05
