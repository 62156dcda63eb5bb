"""A file in rosinality's layout agrees with its own code, layer by layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.checkpoints.names.stylegan2 import from_rosinality
from stylewidgets.generators.stylegan2.generator import StyleGAN2

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def stored(device: str) -> dict[str, Tensor]:
    path = Path(__file__).parent / "data" / "rosinality_stylegan2_64.safetensors"
    with safe_open(path, "pt", device=device) as file:
        assert json.loads(file.metadata()["config"])["truncation_psi"] == 0.7
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)


@pytest.fixture(scope="module")
def generator(stored: dict[str, Tensor], device: str) -> StyleGAN2:
    state = from_rosinality({name[12:]: value for name, value in stored.items() if name.startswith("param.g_ema.")})
    return StyleGAN2.from_state_dict({**state, "mapping.w_avg": stored["param.latent_avg"]}).to(device)


def error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def theirs(name: str) -> str:
    """Their name of a layer of ours: conv1, to_rgb1, convs.0, convs.1, to_rgbs.0, ..."""
    block, layer = name.split(".")
    i = int(block[1:]).bit_length() - 3
    if layer == "torgb":
        return f"to_rgbs.{i - 1}" if i else "to_rgb1"
    return f"convs.{2 * i - 2 + int(layer[-1])}" if i else "conv1"


def found_by_layer(generator: StyleGAN2, ws: Tensor) -> dict[str, Tensor]:
    """Styles, then features of each convolution and pictures after each block, in the order of the network."""
    styles, state, found = generator.styles(ws[:1]), None, {}
    hooks = []
    for layer, style in zip(generator.layers, styles, strict=True):
        found[f"style.{theirs(layer.name)}.conv"] = style
        if layer.kind == "conv":

            def keep(module: object, inputs: object, output: Tensor, name: str = layer.name) -> None:
                found[f"layer.{theirs(name)}"] = output.clone()

            hooks.append(generator.synthesis.get_submodule(layer.name).register_forward_hook(keep))
    for i in range(generator.num_blocks):
        state = generator.step(i, state, styles[generator.block_layers(i)])
        found[f"layer.{theirs(generator.config.block_name(i) + '.torgb')}"] = generator.image(state).clone()
    for hook in hooks:
        hook.remove()
    return found


def test_every_style_and_layer_agrees(generator: StyleGAN2, stored: dict[str, Tensor]) -> None:
    with torch.no_grad():
        ws = generator.truncate(generator.map(stored["input.z"]), 0.7)
        found = found_by_layer(generator, ws)
    wrong = [
        f"{name} differs first"
        for name, value in found.items()
        if not error(value, stored["expect." + name]) < TOLERANCE
    ]
    assert not wrong, wrong[0]
    assert {"expect." + name for name in found} == {
        n for n in stored if n.startswith(("expect.style.", "expect.layer."))
    }


def test_w_and_pictures_agree(generator: StyleGAN2, stored: dict[str, Tensor]) -> None:
    with torch.no_grad():
        ws = generator.map(stored["input.z"])
        assert error(ws[:, 0], stored["expect.w"]) < TOLERANCE
        assert error(generator.synthesize(generator.truncate(ws, 0.7)), stored["expect.image"]) < TOLERANCE
        assert error(generator.synthesize(stored["input.w_plus"]), stored["expect.image_from_w_plus"]) < TOLERANCE
