"""Previews from inner blocks are about what the whole picture will be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import stylewidgets as sw
from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Latent
from stylewidgets.ops.native import winograd
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.renderer import LiveRenderer
from stylewidgets.session.engine import Engine
from stylewidgets.session.session import GeneratorSession
from stylewidgets.session.synthesis import to_uint8

ARCHITECTURES = pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])


def make(architecture: str = "skip", **changes: Any) -> StyleGAN2:
    torch.manual_seed(0)
    config = StyleGAN2Config(
        z_dim=8,
        w_dim=8,
        resolution=64,
        channels=(8, 9, 10, 11, 12),
        mapping_layers=2,
        architecture=architecture,
        **changes,
    )
    generator = StyleGAN2(config).eval().requires_grad_(False)
    for name, value in generator.synthesis.named_parameters():
        if name.endswith("bias") and "affine" not in name:
            value.normal_(std=0.3)
        if name.endswith("noise_strength"):
            value.fill_(0.1)
    return generator


def distance(preview: NDArray[np.uint8], whole: NDArray[np.uint8]) -> float:
    side = len(preview)
    small = whole.reshape(side, len(whole) // side, side, -1, 3).mean(axis=(1, 3))
    return float(np.abs(small - preview).mean())


def whole_of(generator: StyleGAN2, block: int, x: Tensor, img: Tensor | None, styles: list[Tensor]) -> Tensor:
    """What the blocks after this one make of a state, without noise."""
    state = State(x, img)
    for i in range(block + 1, generator.num_blocks):
        state = generator.step(i, state, styles[generator.block_layers(i)], "none")
    return generator.image(state)


@ARCHITECTURES
@pytest.mark.parametrize("clamp", [None, 0.8])
@pytest.mark.parametrize(("block", "side"), [(0, 12), (1, 11), (2, 12), (3, 11)])
def test_areas_of_one_colour_are_what_the_whole_network_makes_of_them(
    architecture: str, clamp: float | None, block: int, side: int
) -> None:
    generator = make(architecture, conv_clamp=clamp)
    styles = generator.styles(generator.map(torch.randn(2, 8)))
    channels = generator.config.channels[block]
    x = torch.randn(2, channels, 1, 1).expand(-1, -1, side, side).contiguous()
    img = torch.randn(2, 3, 1, 1).expand(-1, -1, side, side).contiguous() if architecture == "skip" else None
    found = generator.finish_small(block, x, img, styles[generator.block_layers(block).stop :])
    whole = whole_of(generator, block, x, img, styles)
    middle = whole.shape[2] // 2
    assert found.shape == (2, 3, side, side) and found.dtype == torch.float32
    assert torch.allclose(found[:, :, 5, 5], whole[:, :, middle, middle], atol=1e-4), (
        "the border is zero, the middle is not"
    )
    assert torch.allclose(found[:, :, 0, 0], found[:, :, 5, 5], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "side", "most"), [("avatar-128", 32, 6.0), ("avatar-128", 64, 3.5), ("avatar-64", 32, 6.0)]
)
def test_a_preview_is_nearer_to_the_whole_picture_than_the_picture_that_is_there_already(
    name: str, side: int, most: float
) -> None:
    session = sw.load(name, device="cpu")
    live, off, inner = LiveRenderer(session), [], []
    for seed in range(6):
        latent = session.latent(seed=seed, psi=0.8)
        whole = session.image(latent)
        off.append(distance(live(latent, Rung(side)), whole))
        small = Engine(session.generator).picture(session.code_styles(latent), max_resolution=side)
        inner.append(distance(to_uint8(small)[0], whole))
    assert np.mean(off) < most and np.mean(off) < 0.6 * np.mean(inner)


@ARCHITECTURES
def test_a_preview_is_the_same_without_the_compiled_layers(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = make(architecture, conv_clamp=0.9)
    styles = generator.styles(generator.map(torch.randn(2, 8)))[generator.block_layers(1).stop :]
    x, img = torch.randn(2, 9, 16, 16), torch.randn(2, 3, 16, 16) if architecture == "skip" else None
    quick = generator.finish_small(1, x, img, styles)
    monkeypatch.setattr(winograd, "usable", lambda *_, **__: False)
    assert torch.allclose(generator.finish_small(1, x, img, styles), quick, atol=1e-5)


@ARCHITECTURES
def test_previews_follow_every_edit_and_leave_the_whole_picture_as_it_is(architecture: str) -> None:
    session = GeneratorSession(make(architecture), device="cpu")
    live = LiveRenderer(session)
    for seed in (1, 2, 1):
        latent = Latent(seed=seed)
        fresh = LiveRenderer(session)(latent, Rung(16))
        assert fresh.shape == (16, 16, 3) and (live(latent, Rung(16)) == fresh).all()
        assert (live(latent, STILL) == session.image(latent)).all()
        assert (live(latent, Rung(16)) == fresh).all(), "drawn again after the whole one"


def test_changed_weights_are_noticed() -> None:
    session = GeneratorSession(make(), device="cpu")
    live = LiveRenderer(session)
    before = live(Latent(seed=1), Rung(16))
    session.generator.synthesis.get_submodule("b64.conv1").get_parameter("weight").mul_(-1.0)
    after = live(Latent(seed=1), Rung(16))
    assert (before != after).any() and (after == LiveRenderer(session)(Latent(seed=1), Rung(16))).all()


def test_an_edit_of_the_last_layer_shows_in_the_preview() -> None:
    session = GeneratorSession(make(), device="cpu")
    styles, live = session.code_styles(Latent(seed=1)), LiveRenderer(session)
    before = live.cache.run(styles, max_resolution=16)
    styles[-1] = styles[-1] + 3
    assert not torch.equal(live.cache.run(styles, max_resolution=16), before)
    wrong = [*styles[:-1], styles[-1][:, :1]]
    assert isinstance(session.generator, StyleGAN2)
    with pytest.raises(ValueError, match="style"):
        session.generator.finish_small(3, torch.zeros(1, 11, 4, 4), torch.zeros(1, 3, 4, 4), wrong[-3:])
