"""Parts agree with what the public code of Editing in Style and Retrieve in Style gave for random networks."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from stylewidgets.editing.parts import rules
from stylewidgets.editing.parts.clusters import Clusters, cluster
from stylewidgets.latent import Latent, TransferEdit

DATA = Path(__file__).parent / "data"


class Golden(NamedTuple):
    config: dict[str, Any]
    tensors: dict[str, Tensor]

    def listed(self, name: str) -> list[Tensor]:
        """Tensors called name.0, name.1, … or name.00, …"""
        return [
            self.tensors[key]
            for key in sorted(self.tensors, key=lambda k: (len(k), k))
            if key.rpartition(".")[0] == name
        ]


def golden(name: str) -> Golden:
    with safe_open(DATA / f"{name}.safetensors", "pt", device="cpu") as file:
        config = json.loads(file.metadata()["config"])
        return Golden(config, {key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118  it is no mapping


@pytest.fixture(scope="module")
def ris() -> Golden:
    return golden("retrieve_in_style")


@pytest.fixture(scope="module")
def eis() -> Golden:
    return golden("editing_in_style")


def close(found: Tensor, expected: Tensor) -> bool:
    return found.shape == expected.shape and float((found - expected).norm() / expected.norm().clamp_min(1e-9)) < 1e-5


def labels(ris: Golden) -> Tensor:
    return Clusters(ris.tensors["input.cluster_centers"]).labels(ris.tensors["input.pre_activation.11"].square())


def channels(ris: Golden) -> Tensor:
    """The channels of each part of both pictures, as the notebook has them, [2, 8, 163]."""
    groups = [ris.config["clusters"][str(k)] for k in range(8)]
    masks = rules.one_hot(labels(ris), groups)
    shares = torch.cat([rules.contribution(a, masks) for a in ris.listed("input.activation")], -1)
    found = rules.by_softmax(shares, ris.config["temperature"], ris.config["threshold"])
    starts = torch.tensor([0, *ris.config["dims"]], dtype=torch.int64, device="cpu").cumsum(0)
    for k in ris.config["torgb"]:
        found[..., starts[k] : starts[k + 1]] = 0
    return found


def test_clusters_of_a_picture_are_the_published_ones(ris):
    assert torch.equal(labels(ris), ris.tensors["expect.cluster_labels"].long())


def test_contributions_and_channels_are_the_published_ones(ris):
    groups = [ris.config["clusters"][str(k)] for k in range(8)]
    masks = rules.one_hot(labels(ris), groups)
    shares = torch.cat([rules.contribution(a, masks) for a in ris.listed("input.activation")], -1)
    assert close(shares, ris.tensors["expect.contribution"])
    assert close(torch.softmax(shares / 0.1, 1), ris.tensors["expect.contribution_softmax"])
    assert torch.equal(channels(ris), ris.tensors["expect.M"])


def test_hair_and_pose_take_the_first_layers(ris):
    both = channels(ris).amax(0, keepdim=True)
    assert torch.equal(both, ris.tensors["expect.M_max"])
    count = sum(ris.config["dims"][: ris.config["first_layers"]])
    assert torch.equal(rules.first_layers(both, 3, count), ris.tensors["expect.M_with_pose"])


@pytest.mark.parametrize("part", ["eyes", "mouth", "hair", "pose"])
def test_transfers_of_a_part_are_the_published_ones(ris, part):
    names = [*ris.config["labels"], "pose"]
    q = ris.tensors["expect.M_with_pose"][:, names.index(part)]
    s, r = ris.tensors["input.s_source"], ris.tensors["input.s_reference"]
    assert close(s * (1 - q) + r * q, ris.tensors[f"expect.{part}.interpolate"])
    a = ris.config["alpha"]
    turned = q * r / ((q * r).norm() + 1e-8) * ((q * s).norm() + 1e-8)
    assert close(s - a * q * s + a * turned, ris.tensors[f"expect.{part}.add_direction_1.3"])


@pytest.mark.parametrize("part", ["eyes", "mouth", "hair", "pose"])
def test_a_directional_transfer_is_the_published_one(ris, part):
    """The edit itself, with a door that knows the reference's styles."""
    q = ris.tensors["expect.M_with_pose"][:, [*ris.config["labels"], "pose"].index(part)][0]
    s, r = ris.tensors["input.s_source"], ris.tensors["input.s_reference"]
    door = SimpleNamespace(tensor=lambda x: torch.from_numpy(x.copy()), flat_styles=lambda _: r)
    edit = TransferEdit(Latent(seed=1), q.numpy(), ris.config["alpha"], name=part, directional=True)
    assert close(edit.apply(door, s, Latent()), ris.tensors[f"expect.{part}.add_direction_1.3"])  # type: ignore[arg-type]


def test_faces_are_ranked_by_a_part_as_published(ris):
    q = ris.tensors["expect.M_no_first4"][0, ris.config["labels"]["eyes"]]
    found = rules.similarity(ris.tensors["input.s_source"][0], ris.tensors["input.gallery"], q)
    assert close(-found, ris.tensors["expect.eyes.cos_dist_query_mask"])


def test_clusters_found_anew_are_no_worse_and_the_same_groups(eis):
    x = eis.tensors["input.activation"]
    vectors = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
    found = cluster(vectors, eis.config["K"])
    assert found.inertia <= 1.02 * float(eis.tensors["expect.fit.inertia"])
    ours, theirs = found.labels(x).flatten(), eis.tensors["expect.fit.labels"].long().flatten()
    table = torch.zeros(6, 6, dtype=torch.int64, device="cpu")
    table.index_put_((ours, theirs), torch.ones_like(ours), accumulate=True)
    assert int(table.amax(1).sum()) / len(ours) > 0.98
    assert torch.equal(cluster(vectors, eis.config["K"]).centres, found.centres)


def test_labels_and_part_maps_are_those_of_the_public_catalogue(eis):
    found = Clusters(eis.tensors["expect.fit.cluster_centers"]).labels(eis.tensors["input.activation"])
    assert torch.equal(found, eis.tensors["expect.predict.labels"].long())
    maps = rules.one_hot(found, list(eis.config["annotations"].values()))
    for side in (8, 16, 32):
        assert torch.equal(F.interpolate(maps, (side, side)), eis.tensors[f"expect.heatmap.{side}"].float())


def test_contributions_over_all_pictures_follow_equation_1(eis):
    masks = rules.one_hot(eis.tensors["expect.predict.labels"].long(), [[k] for k in range(6)])
    found = rules.contribution(eis.tensors["input.activation"], masks, per_picture=False)
    assert close(found, eis.tensors["formula.contribution"])


@pytest.mark.parametrize("part", ["eyes", "nose", "mouth"])
def test_greedy_channels_and_styles_are_the_published_ones(eis, part):
    k = list(eis.config["annotations"]).index(part)
    limits = eis.config["thresholds"][part]
    for n, shares in enumerate(eis.listed("input.M")):
        q = rules.greedy(shares[k], limits["rho"], limits["epsilon"][n])
        assert torch.equal(q, eis.tensors[f"expect.{part}.q.{n}"])
        target, reference = eis.tensors[f"input.ys_target.{n}"], eis.tensors[f"input.ys_reference.{n}"]
        weight = torch.stack([q, torch.zeros_like(q)])[None, :, :, None, None]  # scales, not shifts
        assert close((target + weight * (reference - target)), eis.tensors[f"expect.{part}.ys.{n}"])
