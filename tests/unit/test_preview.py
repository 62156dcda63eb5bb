"""Previews have the colours of whole pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.latents import Latent
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.preview import ENOUGH, PreviewColours
from stylewidgets.render.renderer import LiveRenderer
from stylewidgets.session import GeneratorSession


@pytest.fixture
def session() -> GeneratorSession:
    torch.manual_seed(0)
    made = StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=8, resolution=64, channels=(8,) * 5, mapping_layers=2))
    with torch.no_grad():
        made.synthesis.get_submodule("b64.torgb").get_parameter("bias").copy_(torch.tensor([0.5, -0.3, 0.2]))
    return GeneratorSession(made, device="cpu")


def distance(preview: NDArray[np.uint8], whole: NDArray[np.uint8]) -> float:
    side = len(preview)
    small = whole.reshape(side, len(whole) // side, side, -1, 3).mean(axis=(1, 3))
    return float(np.abs(small - preview).mean())


def test_a_few_whole_pictures_bring_the_colours_of_previews_near_to_its_own(session: GeneratorSession) -> None:
    live = LiveRenderer(session)
    before = live(Latent(seed=1), Rung(16))
    for seed in range(3, 3 + ENOUGH - 1):
        live(Latent(seed=seed), STILL)
        assert (live(Latent(seed=1), Rung(16)) == before).all(), "too few to tell"
    whole = live(Latent(seed=2), STILL)
    after, own = live(Latent(seed=1), Rung(16)), session.image(Latent(seed=1))
    assert distance(after, own) < 0.7 * distance(before, own)
    assert (live(Latent(seed=2), STILL) == whole).all() and (whole == session.image(Latent(seed=2))).all()


def test_the_colours_rest_after_some_frames_and_begin_again_with_other_weights(session: GeneratorSession) -> None:
    live = LiveRenderer(session)
    for seed in range(20):
        live(Latent(seed=seed), STILL)
    assert 1 <= live.colours.frames < 20
    session.generator.synthesis.get_submodule("b64.torgb").bias.add_(1.0)
    live(Latent(seed=1), Rung(16))
    assert live.colours.frames == 0


def test_an_affine_change_of_colours_is_found_and_kept_for_its_block_only() -> None:
    torch.manual_seed(0)
    inner, matrix, shift = 0.1 * torch.randn(1, 3, 32, 32), 0.5 * torch.randn(3, 3), 0.1 * torch.randn(3)
    wanted = torch.einsum("oi,nihw->nohw", matrix, inner) + shift[:, None, None]
    colours = PreviewColours()
    for _ in range(ENOUGH):
        colours.learn({3: inner, 4: F.interpolate(wanted, scale_factor=2)}, last=4)
    assert torch.allclose(colours.apply(3, inner), wanted, atol=3e-3)
    assert torch.equal(colours.apply(2, inner), inner)


def test_a_picture_without_contrast_leaves_finite_colours() -> None:
    colours = PreviewColours()
    for _ in range(ENOUGH):
        colours.learn({0: torch.zeros(1, 3, 16, 16), 1: torch.full((1, 3, 32, 32), 0.5)}, last=1)
    found = colours.apply(0, torch.randn(1, 3, 16, 16))
    assert torch.isfinite(found).all()
