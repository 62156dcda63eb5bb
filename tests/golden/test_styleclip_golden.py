"""StyleCLIP's three methods agree with the public code, number by number."""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from stylewidgets.editing.words import mapper_net, relevance
from stylewidgets.editing.words.losses import published_view, words_loss
from stylewidgets.editing.words.optimiser import WordsOptimiser
from stylewidgets.inversion.target import Target

DATA = Path(__file__).parent / "data"
TOLERANCE = 1e-5
DESCENT = 1e-4  # Adam divides by small gradients


def read(name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(DATA / f"{name}.safetensors", "pt") as file:
        return json.loads(file.metadata()["config"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def error(found: Any, expected: Tensor) -> float:
    given = torch.as_tensor(found).double()
    assert given.shape == expected.shape
    return float((given - expected.double()).norm() / expected.double().norm().clamp_min(1e-30))


# -- the mapper --------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def mapper() -> dict[str, Tensor]:
    return read("styleclip_mapper")[1]


def network(stored: dict[str, Tensor], stem: str) -> mapper_net.Layers:
    return [tuple(stored[f"param.{stem}.mapping.{i}.{part}"] for part in ("weight", "bias")) for i in range(1, 5)]  # type: ignore[misc]


def levels(stored: dict[str, Tensor]) -> dict[str, mapper_net.Layers]:
    theirs = {"coarse": "course_mapping", "medium": "medium_mapping", "fine": "fine_mapping"}
    return {ours: network(stored, f"mapper.{name}") for ours, name in theirs.items()}


def test_each_layer_of_a_mapper_agrees(mapper: dict[str, Tensor]) -> None:
    coarse, x = network(mapper, "mapper.course_mapping"), mapper["input.w"][:, :4]
    for depth in range(5):
        assert error(mapper_net.answer(coarse[:depth], x), mapper[f"expect.coarse.{depth}"]) < TOLERANCE


def test_the_change_and_the_mapped_w_agree(mapper: dict[str, Tensor]) -> None:
    w, nets = mapper["input.w"], levels(mapper)
    change = mapper_net.change_w(nets, w, ("coarse", "medium", "fine"))
    assert error(change / mapper_net.STEP, mapper["expect.delta"]) < TOLERANCE
    assert error(w + change, mapper["expect.w_hat"]) < TOLERANCE
    assert error(change.square().mean(), mapper["expect.latent_l2"]) < TOLERANCE


def test_a_level_left_out_changes_nothing(mapper: dict[str, Tensor]) -> None:
    w, nets = mapper["input.w"], levels(mapper)
    without = w + mapper_net.change_w(nets, w, ("coarse", "medium"))
    assert error(without, mapper["expect.w_hat_no_fine"]) < TOLERANCE
    assert torch.equal(without[:, 8:], w[:, 8:])
    del nets["fine"]
    assert torch.equal(w + mapper_net.change_w(nets, w, ("coarse", "medium", "fine")), without)


def test_one_network_for_all_rows_agrees(mapper: dict[str, Tensor]) -> None:
    w = mapper["input.w"]
    assert (
        error(w + mapper_net.change_w({"all": network(mapper, "single.mapping")}, w, ()), mapper["expect.w_hat_single"])
        < TOLERANCE
    )


def test_a_mapper_of_styles_agrees(mapper: dict[str, Tensor]) -> None:
    config = read("styleclip_mapper")[0]
    sizes = config["stylespace_dims"]
    nets = {str(i): network(mapper, f"stylespace.mapper_{i}") for i in range(len(sizes)) if i not in config["torgb"]}
    styles = torch.cat([mapper[f"input.s.{i:02}"] for i in range(len(sizes))], dim=1)
    change = mapper_net.change_s(nets, styles, sizes)
    expected = torch.cat([mapper[f"expect.s_hat.{i:02}"] for i in range(len(sizes))], dim=1)
    assert error(styles + change, expected) < TOLERANCE
    l2 = sum(part.square().mean() for part in change.split(sizes, dim=1))
    assert error(l2, mapper["expect.latent_l2_stylespace"]) < TOLERANCE


# -- global directions ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def whole() -> tuple[dict[str, Any], dict[str, Tensor]]:
    return read("styleclip_global")


def rows_in_s(config: dict[str, Any], rows: Any) -> Any:
    """fs3's rows among all channels of s: convolutions up to a layer; the rest are zeros."""
    full = np.zeros((sum(config["dims"]), *rows.shape[1:]))
    ends = np.concatenate([[0], np.cumsum(config["dims"])])
    at = 0
    for layer in config["fs3_layers"]:
        size = config["dims"][layer]
        full[ends[layer] : ends[layer + 1]] = rows[at : at + size]
        at += size
    assert at == len(rows)
    return full


def test_channel_directions_text_direction_and_relevance_agree(whole: Any) -> None:
    _, stored = whole
    table = relevance.unit(relevance.channel_moves(stored["input.image_features"].numpy(), equal=True))
    assert error(table, stored["expect.fs3"]) < TOLERANCE
    change = relevance.text_direction(*stored["input.text_embeddings"].numpy())
    # The file holds either order of the two texts; its direction says which is the target.
    if float(change @ stored["expect.delta_t"].double().numpy()) < 0:
        change = relevance.text_direction(*stored["input.text_embeddings"].flip(0).numpy())
    assert error(change, stored["expect.delta_t"]) < TOLERANCE
    assert error(table @ change, stored["expect.relevance"]) < TOLERANCE


def test_statistics_of_styles_agree(whole: Any) -> None:
    config, stored = whole
    for i in range(len(config["dims"])):
        population = stored[f"input.s_population.{i:02}"].numpy()
        assert error(population.mean(axis=0), stored[f"expect.s_mean.{i:02}"]) < TOLERANCE
        assert error(population.std(axis=0), stored[f"expect.s_std.{i:02}"]) < TOLERANCE


@pytest.mark.parametrize("beta", [0.15, 0.3])
def test_the_channels_kept_and_the_edited_styles_agree(whole: Any, beta: float) -> None:
    config, stored = whole
    values = rows_in_s(config, stored["expect.relevance"].numpy())
    sigma = torch.cat([stored[f"expect.s_std.{i:02}"] for i in range(len(config["dims"]))]).numpy()
    share = relevance.weights(values, beta)
    assert int((share != 0).sum()) == int(stored[f"expect.beta{beta}.num_channels"])
    boundary = share * sigma
    expected = torch.cat([stored[f"expect.beta{beta}.boundary.{i:02}"] for i in range(len(config["dims"]))])
    assert error(boundary, expected) < TOLERANCE
    if f"expect.beta{beta}.s_edited.00" not in stored:  # kept for one beta only
        return
    s = torch.cat([stored[f"input.s.{i:02}"] for i in range(len(config["dims"]))], dim=1).numpy()
    for k, alpha in enumerate(config["alpha"]):
        edited = torch.cat(
            [stored[f"expect.beta{beta}.s_edited.{i:02}"][:, k] for i in range(len(config["dims"]))], dim=1
        )
        assert error(s + alpha * boundary, edited) < TOLERANCE


@pytest.mark.parametrize("more_than", [20, 30, 1000])
def test_automatic_beta_agrees(whole: Any, more_than: int) -> None:
    stored = whole[1]
    found = relevance.automatic_beta(stored["expect.relevance"].numpy(), more_than, tuple(np.arange(0.1, 0.3, 0.01)))
    assert found == pytest.approx(float(stored[f"expect.auto_beta.{more_than}"]), rel=1e-12)


# -- the optimiser ----------------------------------------------------------------------------------------------------------
class SmallCLIP:
    """A one-layer CLIP in the published layout, written from its formulas; what `text.load` reads is tested elsewhere."""

    name, fingerprint, dim = "small", "small", 24

    def __init__(self, stored: dict[str, Tensor], tokens: Tensor) -> None:
        self.p = {name[11:]: t.float() for name, t in stored.items() if name.startswith("param.clip.")}
        self.tokens = tokens.long()

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.p[f"{name}.weight"], self.p[f"{name}.bias"], 1e-5)

    def block(self, x: Tensor, name: str, causal: bool) -> Tensor:
        p, name = self.p, f"{name}.resblocks.0"
        q, k, v = F.linear(
            self.norm(x, f"{name}.ln_1"), p[f"{name}.attn.in_proj_weight"], p[f"{name}.attn.in_proj_bias"]
        ).chunk(3, -1)
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        if causal:
            scores = scores + torch.full(scores.shape[-2:], -math.inf, dtype=torch.float32).triu(1)
        x = x + F.linear(scores.softmax(-1) @ v, p[f"{name}.attn.out_proj.weight"], p[f"{name}.attn.out_proj.bias"])
        h = F.linear(self.norm(x, f"{name}.ln_2"), p[f"{name}.mlp.c_fc.weight"], p[f"{name}.mlp.c_fc.bias"])
        return x + F.linear(h * torch.sigmoid(1.702 * h), p[f"{name}.mlp.c_proj.weight"], p[f"{name}.mlp.c_proj.bias"])

    def pictures(self, x: Tensor) -> Tensor:
        p = self.p
        x = F.conv2d(published_view(x), p["visual.conv1.weight"], stride=32).flatten(2).transpose(1, 2)
        x = torch.cat([p["visual.class_embedding"].expand(len(x), 1, -1), x], dim=1) + p["visual.positional_embedding"]
        x = self.block(self.norm(x, "visual.ln_pre"), "visual.transformer", False)
        return F.normalize(self.norm(x[:, 0], "visual.ln_post") @ p["visual.proj"], dim=1)

    def texts(self, sentences: list[str]) -> Tensor:
        p = self.p
        x = p["token_embedding.weight"][self.tokens] + p["positional_embedding"]
        x = self.norm(self.block(x, "transformer", True), "ln_final")
        return F.normalize(x[torch.arange(len(x)), self.tokens.argmax(dim=-1)] @ p["text_projection"], dim=1)

    def understood(self, sentence: str) -> tuple[str, ...]:
        return tuple(sentence.split())


@pytest.fixture(scope="module")
def optim() -> tuple[dict[str, Any], dict[str, Tensor]]:
    return read("styleclip_optim")


def test_what_clip_sees_of_a_picture_agrees(optim: Any) -> None:
    stored = optim[1]
    seen = published_view(stored["input.image"].float())
    assert seen.shape[-2:] == (224, 224)
    assert error(seen[:, :, 100:116, 100:116], stored["expect.pooled_patch"]) < TOLERANCE


@pytest.mark.parametrize("size", [96, 256])
def test_the_two_matrices_equal_the_large_picture(size: int) -> None:
    x = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    large = F.interpolate(x, scale_factor=7, mode="nearest")
    assert error(published_view(x), F.avg_pool2d(large, size // 32)) < TOLERANCE


def test_the_words_loss_and_its_gradient_agree(optim: Any) -> None:
    stored = optim[1]
    clip = SmallCLIP(stored, stored["input.tokens"])
    image = stored["input.image"].float().requires_grad_()
    loss = words_loss(clip.pictures(image), clip.texts([""]))
    assert error(loss[:, None].detach(), stored["expect.clip_loss"]) < TOLERANCE
    (slope,) = torch.autograd.grad(loss.sum(), image)
    assert error(slope, stored["expect.clip_loss_grad"]) < TOLERANCE


class ToyOptimiser(WordsOptimiser):
    """Draws with the toy generator of the golden file."""

    toy: tuple[Tensor, Tensor]

    def _draw(self, code: Tensor) -> Tensor:
        a, b = self.toy
        small = torch.tanh(torch.tanh(code.flatten(1) @ a) @ b).view(-1, 3, 8, 8)
        return small.repeat_interleave(8, 2).repeat_interleave(8, 3)


@pytest.mark.parametrize("mode", ["edit", "free"])
def test_the_optimiser_agrees_step_by_step(optim: Any, mode: str) -> None:
    config, stored = optim
    session: Any = SimpleNamespace(
        device=torch.device("cpu"), lock=threading.RLock(), num_ws=18, w_dim=16, layers=(), resolution=64, name="toy"
    )
    target = Target(torch.zeros(1, 3, 64, 64, dtype=torch.float32), ("toy",), (None,))
    run = ToyOptimiser(
        session, target, encoder=SmallCLIP(stored, stored["input.tokens"]), initial=stored["input.w"], sentence="any",
        steps=config["steps"], rate=config["lr"], l2=config["l2_lambda"], identity=0.0, mode=mode,
    )  # fmt: skip
    run.toy = stored["param.toy.A"], stored["param.toy.B"]
    key = "expect." + ("edit" if mode == "edit" else "free_generation")
    for step in range(config["steps"]):
        assert run._rate() == pytest.approx(float(stored[f"{key}.lr"][step]), rel=1e-5, abs=1e-9)
        progress = run.advance()
        assert progress.terms["loss"] == pytest.approx(float(stored[f"{key}.loss"][step]), rel=TOLERANCE)
        assert error(run.code()[0], stored[f"{key}.w"][step]) < DESCENT
