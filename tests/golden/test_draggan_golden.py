"""Dragging agrees with three drags of the public code on a small random StyleGAN2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.editing.dragging import Drag, drag
from stylewidgets.generators.stylegan2.config import StyleGAN2Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2
from stylewidgets.latent import Code, Latent
from stylewidgets.session import GeneratorSession

DATA = Path(__file__).parent / "data" / "draggan_64.safetensors"


class Golden(NamedTuple):
    session: GeneratorSession
    config: dict[str, Any]
    tensors: dict[str, Tensor]


@pytest.fixture(scope="module")
def golden(device: str) -> Golden:
    with safe_open(DATA, "pt", device="cpu") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
    channels = [24, 24, 24, 16, 8]
    made = StyleGAN2Config(
        z_dim=16, c_dim=0, w_dim=32, resolution=64, channels=tuple(channels), mapping_layers=2, conv_clamp=None
    )
    generator = StyleGAN2(made)
    given = {name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")}
    own = generator.state_dict()
    own.update({name: value.reshape(own[name].shape) for name, value in given.items() if name in own})
    generator.load_state_dict(own)
    lacking = [name for name in own if name.startswith("synthesis.") and name not in given]
    assert not lacking, lacking
    return Golden(GeneratorSession(generator, device=device), config, tensors)


def started(golden: Golden, name: str) -> Drag:
    run = golden.config["runs"][name]
    mask = golden.tensors["input.mask_fixed"] == 0 if run["mask"] else None
    return drag(
        golden.session,
        Latent(code=Code("w+", golden.tensors["input.w"])),
        golden.tensors["input.points"].numpy(),
        golden.tensors["input.targets"].numpy(),
        None if mask is None else mask.numpy(),
        steps=golden.config["steps"],
        lr=run["lr"],
        near=2.0,
        keep=run["lam"],
        stay=run["reg"],
        space="w+" if run["w_plus"] else "w",
        rows=golden.config["optimised_rows"],
        layer="b32.conv1",
        motion_radius=round(run["r1"] * 64 / 512),
        track_radius=round(run["r2"] * 64 / 512),
        published=True,
    )


def error(found: Tensor, expected: Tensor) -> float:
    return float((found.double().cpu() - expected.double()).norm() / expected.double().norm())


def test_the_features_are_those_of_the_public_code(golden):
    w = golden.tensors["input.w"].to(golden.session.device)
    found = golden.session.activations(w, ["b32.conv1"], exact=True)["b32.conv1"].x
    assert error(found, golden.tensors["expect.feature.3"]) < 1e-5


@pytest.mark.parametrize("name", ["wplus_mask", "w_nomask", "wplus_reg"])
def test_points_losses_and_codes_are_those_of_the_public_code(golden, name):
    run = started(golden, name)
    for k in range(golden.config["steps"]):
        run.advance()
        points = golden.tensors[f"expect.{name}.step{k}.points"]
        assert torch.equal(torch.from_numpy(run.points).double(), points.double()), f"step {k}"
        w = golden.tensors[f"expect.{name}.step{k}.w"]
        found = torch.from_numpy(run.result().codes[-1])[None]
        assert error(found[:, 0] if w.ndim == 2 else found, w) < 1e-4, f"step {k}"
    losses = torch.tensor([terms["loss"] for terms in run.result().terms], dtype=torch.float64)
    assert error(losses, golden.tensors[f"expect.{name}.loss"]) < 1e-4
