"""The networks of the rig give what three public re-implementations of StyleRig gave (there is no official code)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.editing.rig.network import ParameterReader, RigNet, RowLayers

FILE = Path(__file__).parent / "data" / "stylerig.safetensors"


class Golden:
    def __init__(self) -> None:
        with safe_open(str(FILE), framework="pt") as file:
            self.values: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            self.config: dict[str, Any] = json.loads(file.metadata()["config"])
        self.a, self.b = self.values["input.w_a"], self.values["input.w_b"]
        sizes = self.config["param_sizes"]
        self.reader = ParameterReader(self.config["rows"], self.config["w_dim"], sum(sizes), self.config["dfr_hidden"])
        names = {f"layers.{i - 1}.{kind}": f"param.dfr.fc{i}.{kind}" for i in (1, 2, 3) for kind in ("weight", "bias")}
        self.reader.load_state_dict({ours: self.values[theirs] for ours, theirs in names.items()})
        self.places = dict(zip(self.config["param_names"], torch.arange(sum(sizes)).split(sizes), strict=True))

    def rows(self, layers: RowLayers, names: list[str]) -> None:
        """Give layers the parameters of each row; in the names "#" stands for the row."""
        rows = range(self.config["rows"])
        for i, name in enumerate(names):
            for kind, ours in (("weight", layers.weights), ("bias", layers.biases)):
                theirs = [self.values[f"param.{name.replace('#', str(row))}.{kind}"] for row in rows]
                ours[i].data.copy_(torch.stack(theirs))

    def linear(self, prefix: str, parameters: int, groups: int) -> RigNet:
        net = RigNet(self.config["rows"], self.config["w_dim"], parameters, latent=self.config["latent"], groups=groups)
        self.rows(net.encoder, [f"{prefix}.encoder.layers.#"])
        self.rows(net.decoder, [f"{prefix}.decoder.layers.#"])
        return net

    def label(self, group: str | None) -> Tensor:
        found = torch.zeros(len(self.a), len(self.places))
        if group is not None:
            found[:, list(self.places).index(group)] = 1
        return found


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden()


def agree(got: Tensor, wanted: Tensor) -> None:
    assert float((got - wanted).norm() / wanted.norm()) < 1e-5


@torch.no_grad()
def test_the_reader_gives_all_parameters(golden: Golden) -> None:
    for name in ("a", "b"):
        read = golden.reader(golden.values[f"input.w_{name}"])
        for group, places in golden.places.items():
            agree(read[:, places], golden.values[f"expect.params_{name}.{group}"].flatten(1))


@torch.no_grad()
def test_linear_rows_for_one_control(golden: Golden) -> None:
    net = golden.linear("pose_only", len(golden.places["pose"]), 0)
    pose = golden.reader(golden.b)[:, golden.places["pose"]]
    agree(net(golden.a, pose), golden.values["expect.pose_only"])


@torch.no_grad()
def test_linear_rows_with_a_label_for_all_controls(golden: Golden) -> None:
    net = golden.linear("one_hot", sum(golden.config["param_sizes"]), len(golden.places))
    made = net(golden.a, golden.reader(golden.b), golden.label("pose"))
    agree(made, golden.values["expect.pose_of_b_on_a"])
    read = golden.reader(made)
    for group, places in golden.places.items():
        agree(read[:, places], golden.values[f"expect.params_ab.{group}"].flatten(1))


@torch.no_grad()
def test_the_loss_of_reconstruction(golden: Golden) -> None:
    net = golden.linear("one_hot", sum(golden.config["param_sizes"]), len(golden.places))
    lost = [(net(w, golden.reader(w), golden.label(None)) - w).square().mean() for w in (golden.a, golden.b)]
    agree(5 * lost[0] + 5 * lost[1], golden.values["expect.reconstruction_loss"][0])


@torch.no_grad()
def test_rows_of_three_layers(golden: Golden) -> None:
    size, pose = golden.config["latent"], golden.places["pose"]
    net = RigNet(
        golden.config["rows"],
        golden.config["w_dim"],
        len(pose),
        latent=size,
        encoder_hidden=(size, size),
        decoder_hidden=(golden.config["w_dim"],) * 2,
        ends=True,
    )
    golden.rows(net.encoder, [f"mlp.E.MLP_#.{i}" for i in (0, 2, 4)])
    golden.rows(net.decoder, [f"mlp.D.MLP_#.{i}" for i in (0, 2, 4)])
    agree(net(golden.a, golden.reader(golden.b)[:, pose]), golden.values["expect.mlp"])


@torch.no_grad()
def test_a_difference_as_input_is_the_same_network(golden: Golden) -> None:
    net = golden.linear("pose_only", len(golden.places["pose"]), 0)
    a, b = (golden.reader(w)[:, golden.places["pose"]] for w in (golden.a, golden.b))
    agree(golden.a + net.decode(net.encode(golden.a), b - a), net(golden.a, b - a))
    assert torch.equal(net.change(golden.a, a, a), torch.zeros_like(golden.a)), "no change changes nothing"
