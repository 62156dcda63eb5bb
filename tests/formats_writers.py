"""Checkpoint files in the layouts of many code bases, written from the parameters of the golden files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

DATA = Path(__file__).parent / "golden" / "data"
State = dict[str, Tensor]


def golden(name: str) -> tuple[dict[str, Any], State, State]:
    """Config, parameters, and inputs with expected outputs of a golden file."""
    with safe_open(DATA / f"{name}.safetensors", "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    parameters = {key.removeprefix("param."): value for key, value in tensors.items() if key.startswith("param.")}
    return config, parameters, {key: value for key, value in tensors.items() if not key.startswith("param.")}


def _convolutions(state: State) -> dict[str, int]:
    """Our names of a StyleGAN2's convolutions with their numbers, 0 for the one of 4 pixels."""
    blocks = sorted({int(match[1]) for key in state if (match := re.match(r"synthesis\.b(\d+)\.", key))})
    names = ["synthesis.b4.conv1"] + [f"synthesis.b{b}.{conv}" for b in blocks[1:] for conv in ("conv0", "conv1")]
    return {name: i for i, name in enumerate(names)}


def _split(
    state: State,
    mapping: Callable[[int, str], str],
    const: str,
    conv: Callable[[int, str, Tensor], tuple[str, Tensor]],
    colour: Callable[[int, str, Tensor], tuple[str, Tensor]],
) -> State:
    """Rename a StyleGAN2 of the official PyTorch names; `w_avg` and filters are left to the caller."""
    made, numbers = {}, _convolutions(state)
    for key, value in state.items():
        layer = next((name for name in ("torgb", "conv0", "conv1") if f".{name}." in key), "-")
        module, _, part = key.partition(f".{layer}.")
        if match := re.match(r"mapping\.fc(\d+)\.(weight|bias)", key):
            made[mapping(int(match[1]), match[2])] = value
        elif key == "synthesis.b4.const":
            made[const] = value[None]
        elif part and ".torgb." in key and part != "resample_filter":
            name, value = colour(int(module.removeprefix("synthesis.b")).bit_length() - 3, part, value)
            made[name] = value
        elif part and part != "resample_filter":
            name, value = conv(numbers[key.removesuffix(f".{part}")], part, value)
            made[name] = value
    return made


def as_rosinality(state: State) -> State:
    """Official names → rosinality/stylegan2-pytorch."""
    parts = {
        "weight": "conv.weight",
        "affine.weight": "conv.modulation.weight",
        "affine.bias": "conv.modulation.bias",
        "noise_strength": "noise.weight",
        "bias": "activate.bias",
    }

    def conv(i: int, part: str, value: Tensor) -> tuple[str, Tensor]:
        if part == "noise_const":
            return f"noises.noise_{i}", value[None, None]
        value = value[None] if part == "weight" else value.reshape(1) if part == "noise_strength" else value
        return f"{'conv1' if i == 0 else f'convs.{i - 1}'}.{parts[part]}", value

    def colour(i: int, part: str, value: Tensor) -> tuple[str, Tensor]:
        value = value[None] if part == "weight" else value.reshape(1, -1, 1, 1) if part == "bias" else value
        return f"{'to_rgb1' if i == 0 else f'to_rgbs.{i - 1}'}.{'bias' if part == 'bias' else parts[part]}", value

    made = _split(state, lambda i, part: f"style.{i + 1}.{part}", "input.input", conv, colour)
    kernel = torch.tensor([1.0, 3.0, 3.0, 1.0])
    made["convs.0.conv.blur.kernel"] = torch.outer(kernel, kernel) / 16
    made["to_rgbs.0.upsample.kernel"] = torch.outer(kernel, kernel) / 16
    return made


def as_mmgen(state: State) -> State:
    """Official names → mmgeneration, without its prefix."""
    parts = {
        "weight": "conv.weight",
        "affine.weight": "conv.style_modulation.linear.weight_orig",
        "affine.bias": "conv.style_modulation.linear.bias",
        "noise_strength": "noise_injector.weight",
        "bias": "activate.bias",
    }

    def conv(i: int, part: str, value: Tensor) -> tuple[str, Tensor]:
        if part == "noise_const":
            return f"injected_noise_{i}", value[None, None]
        value = value[None] if part == "weight" else value.reshape(1) if part == "noise_strength" else value
        return f"{'conv1' if i == 0 else f'convs.{i - 1}'}.{parts[part]}", value

    def colour(i: int, part: str, value: Tensor) -> tuple[str, Tensor]:
        value = value[None] if part == "weight" else value.reshape(1, -1, 1, 1) if part == "bias" else value
        return f"{'to_rgb1' if i == 0 else f'to_rgbs.{i - 1}'}.{'bias' if part == 'bias' else parts[part]}", value

    def mapping(i: int, part: str) -> str:
        return f"style_mapping.{i + 1}.linear.weight_orig" if part == "weight" else f"style_mapping.{i + 1}.bias"

    return _split(state, mapping, "constant_input.input", conv, colour)


def as_genforce(state: State) -> State:
    """Official names → genforce: up-convolutions flipped, style biases without their 1."""

    def conv(i: int, part: str, value: Tensor) -> tuple[str, Tensor]:
        if part == "weight" and i % 2:
            value = value.flip(2, 3)
        elif part == "affine.bias":
            value = value - 1
        elif part == "noise_const":
            return f"synthesis.layer{i}.noise", value[None, None]
        return f"synthesis.layer{i}.{part.replace('affine.', 'style.')}", value

    def colour(i: int, part: str, value: Tensor) -> tuple[str, Tensor]:
        value = value - 1 if part == "affine.bias" else value
        return f"synthesis.output{i}.{part.replace('affine.', 'style.')}", value

    made = _split(state, lambda i, part: f"mapping.dense{i}.{part}", "synthesis.early_layer.const", conv, colour)
    return {**made, "truncation.w_avg": state["mapping.w_avg"]}


def as_huangzh13(state: State) -> State:
    """genforce's names of a StyleGAN1 → huangzh13/StyleGAN.pytorch."""
    epilogue = {
        "apply_noise.weight": "top_epi.noise.weight",
        "style.weight": "style_mod.lin.weight",
        "style.bias": "style_mod.lin.bias",
    }
    made: State = {"truncation.avg_latent": state["truncation.w_avg"]}
    for key, value in state.items():
        if match := re.match(r"mapping\.dense(\d+)\.(.+)", key):
            made[f"g_mapping.map.dense{match[1]}.{match[2]}"] = value
        elif match := re.match(r"synthesis\.output(\d+)\.(.+)", key):
            made[f"g_synthesis.to_rgb.{match[1]}.{match[2]}"] = value
        elif match := re.match(r"synthesis\.layer(\d+)\.(.+)", key):
            i, part = int(match[1]), match[2]
            block = "g_synthesis.init_block" if i < 2 else f"g_synthesis.blocks.{i // 2 - 1}"
            if part in epilogue:
                made[f"{block}.epi{i % 2 + 1}.{epilogue[part]}"] = value
            elif i == 0 and part in ("const", "bias"):
                made[f"{block}.{part}"] = value
            elif part in ("weight", "bias"):
                made[f"{block}.{'conv' if i == 1 else 'conv1' if i % 2 else 'conv0_up'}.{part}"] = value
    return made


def as_rosinality1(state: State) -> State:
    """genforce's names of a StyleGAN1 → rosinality/style-based-gan-pytorch, with its scales."""
    made: State = {}
    for key, value in state.items():
        if match := re.match(r"mapping\.dense(\d+)\.(.+)", key):
            made[f"style.{2 * int(match[1]) + 1}.linear.{'weight_orig' if match[2] == 'weight' else 'bias'}"] = (
                value * 0.01
            )
        elif match := re.match(r"synthesis\.output(\d+)\.(.+)", key):
            name = f"generator.to_rgb.{match[1]}.conv."
            made[name + ("bias" if match[2] == "bias" else "weight_orig")] = (
                value if match[2] == "bias" else value / 2**0.5
            )
        elif match := re.match(r"synthesis\.layer(\d+)\.(.+)", key):
            i, part = int(match[1]), match[2]
            block, k = f"generator.progression.{i // 2}", i % 2 + 1
            conv = f"{block}.conv{k}.{'1.conv' if k == 1 else 'conv'}"
            if part == "apply_noise.weight":
                made[f"{block}.noise{k}.weight_orig"] = value.reshape(1, -1, 1, 1) / (2 / value.numel()) ** 0.5
            elif part == "style.weight":
                made[f"{block}.adain{k}.style.linear.weight_orig"] = value / 2**0.5
            elif part == "style.bias":
                made[f"{block}.adain{k}.style.linear.bias"] = value + (torch.arange(len(value)) < len(value) // 2)
            elif part == "const":
                made[f"{block}.conv1.input"] = value
            elif i > 0 and part in ("weight", "bias"):
                made[f"{conv}.{'weight_orig' if part == 'weight' else 'bias'}"] = value
    return made


def noisy(state: State) -> State:
    """The same names with other numbers: weights that must not be chosen."""
    return {key: value + torch.randn(value.shape) for key, value in state.items()}
