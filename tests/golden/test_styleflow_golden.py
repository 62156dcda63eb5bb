"""The conditional flow gives what the public code of StyleFlow gave, on a flow of width 32 with the published names."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.editing.flow.file import read
from stylewidgets.editing.flow.in_turn import InTurn
from stylewidgets.editing.flow.network import ConditionalFlow
from stylewidgets.editing.flow.published import ORDER, from_published
from stylewidgets.editing.flow.rows import PAPER

FILE = Path(__file__).parent / "data" / "styleflow_cnf.safetensors"
SOLVED = {"rtol": 1e-4, "atol": 1e-4}  # the public solver is adaptive, with a tolerance of 1e-5


class Golden:
    def __init__(self) -> None:
        with safe_open(str(FILE), framework="pt") as file:
            self.values: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            self.config: dict[str, Any] = json.loads(file.metadata()["config"])
        self.params = {n.removeprefix("param."): v for n, v in self.values.items() if n.startswith("param.")}
        self.w, self.e = self.values["input.w"], self.values["input.e"]

    def context(self, name: str) -> Tensor:
        return self.values[f"input.{name}"][:, :, 0, 0][:, None].expand(-1, 18, -1)

    def expect(self, name: str) -> Tensor:
        return self.values[f"expect.{name}"]


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden()


@pytest.fixture
def network(golden: Golden) -> ConditionalFlow:
    return from_published(golden.params, 16).requires_grad_(False)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-6)


def test_norms_layers_and_velocity_do_not_hinge_on_the_solver(golden: Golden, network: ConditionalFlow) -> None:
    x, context = network.first(golden.w), golden.context("attributes")
    close(x, golden.expect("after_norm0"))
    for t in (0.0, 0.37, 1.21):
        close(network.velocity.given(context)(torch.tensor(t), x), golden.expect(f"drift.t{t}"))
    c, value = torch.cat([torch.full_like(context[..., :1], 0.37), context], dim=-1), x
    for i, layer in enumerate(network.velocity.layers):
        value = torch.sigmoid(layer.gate(c)) * layer.layer(value) + layer.shift(c)
        close(value, golden.expect(f"layer.{i}"))
        value = torch.tanh(value)


def test_the_divergence_is_that_of_the_probe(golden: Golden, network: ConditionalFlow) -> None:
    state = torch.cat([network.first(golden.w), torch.zeros(2, 18, 1)], dim=-1)
    field = network.velocity.with_divergence(golden.context("attributes"), golden.e)
    close(field(torch.tensor(0.37), state)[..., -1], golden.expect("divergence.t0.37"))


def test_z_the_volume_and_the_loss(golden: Golden, network: ConditionalFlow) -> None:
    z, volume = network.encode_with_volume(golden.w, golden.context("attributes"), golden.e)
    close(z, golden.expect("z_exact"))
    close(volume, golden.expect("delta_logp_exact"))
    torch.testing.assert_close(z, golden.expect("z"), **SOLVED)
    torch.testing.assert_close(network.encode(golden.w, golden.context("attributes")), golden.expect("z"), **SOLVED)
    constant = -0.5 * 32 * math.log(2 * math.pi)  # the public script adds it once for each of the 32 numbers
    public = (-0.5 * z.square() + constant).sum(-1, keepdim=True) - volume
    close(-public.sum(1).mean(), golden.expect("loss_exact"))


def test_w_edited_and_the_way_there_and_back(golden: Golden, network: ConditionalFlow) -> None:
    z = golden.expect("z_exact")
    target = golden.context("attributes_target")
    close(network.decode(z, target), golden.expect("w_edited_exact"))
    torch.testing.assert_close(network.decode(golden.expect("z"), target), golden.expect("w_edited"), **SOLVED)
    back = network.decode(network.encode(golden.w, golden.context("attributes")), golden.context("attributes"))
    assert float((back - golden.w).abs().max()) < 1e-5


def test_training_normalises_with_the_statistics_of_before(golden: Golden, network: ConditionalFlow) -> None:
    network.train()
    close(network.first(golden.w), golden.expect("after_norm0"))
    close(network.first.running_mean, golden.expect("train_running_mean0"))
    close(network.first.running_var, golden.expect("train_running_var0"))


def test_edits_after_each_other_as_in_the_public_interface(golden: Golden, network: ConditionalFlow) -> None:
    config, values = golden.config, golden.values
    light, face = values["input.attributes"][0, :9, 0, 0], values["input.edit.attributes_source"]
    references = values["input.edit.reference_lights"][:, :, 0, 0]
    chain, amounts = InTurn(network, golden.w[0], torch.cat([light, face])), torch.zeros(6)
    for i, step in enumerate(config["edit_steps"]):
        share, at = step["slider"] / config["slider_steps"], step["index"]
        if step["kind"] == "light":
            amounts[at] = share
            made = chain.light(references, amounts, PAPER["light"])
        else:
            low, high = config["slider_min"][at], config["slider_max"][at]
            made = chain.edit(9 + at, share * (high - low) + low, PAPER[ORDER[9 + at]], config["degree"][at])
        torch.testing.assert_close(made, golden.expect("edit.w")[i], **SOLVED)
        torch.testing.assert_close(chain.target, golden.expect("edit.attributes_target")[i], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_file_as_the_public_code_saves_it_gives_the_same_network(golden: Golden, tmp_path: Path, new: bool) -> None:
    path = tmp_path / "modelsmall10k.pt"
    torch.save(golden.params, path, _use_new_zipfile_serialization=new)
    core, about = read(path)
    assert core.attributes.names == ORDER and about["licence"].startswith("CC BY-NC")
    assert core.attributes.groups["light"] == ORDER[:9]
    z = core.network.encode(golden.w, golden.context("attributes"), 16)
    close(z, golden.expect("z_exact"))
    state = core.network.state_dict()
    assert torch.equal(state["velocity.layers.5.shift.weight"],
                       golden.params["chain.1.odefunc.diffeq.layers.5._hyper_bias.weight"])  # fmt: skip


def test_a_state_dict_of_something_else_or_with_a_part_missing_is_refused(golden: Golden, tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    lacking = {name: value for name, value in golden.params.items() if name != "chain.2.bias"}
    wrong = {**golden.params, "chain.0.weight": torch.zeros(31)}
    for content, text in (
        ({"weight": torch.zeros(3)}, "holds no flow"),
        (lacking, "lacks 'last.bias'"),
        (wrong, r"first.weight has shape \[31\]"),
        ({**golden.params, "chain.3.weight": torch.zeros(1)}, "no parameter 'chain.3.weight'"),
    ):
        torch.save(content, path)
        with pytest.raises(ValueError, match=text):
            read(path)
