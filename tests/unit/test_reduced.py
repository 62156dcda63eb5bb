"""StyleGAN3 with capped sampling rates is about the whole picture made smaller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import stylewidgets as sw
from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.generators.stylegan3.geometry import resampled
from stylewidgets.latent.latent import Latent, Transform
from stylewidgets.ops.native import winograd
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.renderer import LiveRenderer
from stylewidgets.session.session import GeneratorSession

VARIANTS = pytest.mark.parametrize("variant", ["T", "R"])


def make(variant: str = "T", resolution: int = 64) -> StyleGAN3:
    torch.manual_seed(0)
    config = StyleGAN3Config.create(
        variant, resolution, channel_base=1024, channel_max=24, z_dim=8, w_dim=8, num_layers=8
    )
    return StyleGAN3(config).eval().requires_grad_(False)


def states(generator: StyleGAN3, styles: list[Tensor]) -> list[State]:
    """After every block."""
    made: list[State] = []
    for i in range(generator.num_blocks):
        made.append(generator.step(i, made[-1] if made else None, styles[i : i + 1]))
    return made


@pytest.mark.parametrize("spacing", [1.0, 0.5, 0.25])
def test_a_resampled_kernel_does_the_same_to_a_parabola(spacing: float) -> None:
    kernel = torch.randn(3, 3, dtype=torch.float64)
    a, b, c, d, e, f = torch.randn(6, dtype=torch.float64)

    def area(step: float) -> Tensor:
        y, x = torch.meshgrid(*[torch.arange(-1, 2, dtype=torch.float64) * step] * 2, indexing="ij")
        return a + b * x + c * y + d * x * y + e * x**2 + f * y**2

    assert torch.allclose((kernel * area(spacing)).sum(), (resampled(kernel, spacing) * area(1.0)).sum())


@VARIANTS
def test_with_all_its_samples_it_is_the_whole_network(variant: str) -> None:
    generator = make(variant)
    styles = generator.styles(generator.map(torch.randn(2, 8)))
    made = states(generator, styles)
    first = next(i for i in range(generator.num_blocks) if generator.preview_resolution(i) == generator.resolution)
    assert first < generator.num_blocks - 2
    found = generator.finish_small(first, made[first].x, None, styles[first + 1 :])
    assert torch.equal(found, generator.image(made[-1]))


@VARIANTS
def test_the_more_samples_the_nearer_to_the_whole_picture(variant: str) -> None:
    generator = make(variant)
    styles = generator.styles(generator.map(torch.randn(4, 8)))
    made = states(generator, styles)
    off = {}
    for i, state in enumerate(made[:-1]):
        side = generator.preview_resolution(i)
        found = generator.finish_small(i, state.x, None, styles[i + 1 :])
        assert found.shape == (4, 3, side, side)
        small = F.avg_pool2d(generator.image(made[-1]), 64 // side)
        off.setdefault(side, float((found - small).norm() / small.norm()))
    assert list(off) == [16, 32, 64]
    assert off[16] < 0.3 and off[32] < 0.1 and off[64] == 0.0, off


def test_a_preview_of_the_trained_one_is_near_its_picture_moved_or_not() -> None:
    session = sw.load("avatar-64-stylegan3", device="cpu")
    live = LiveRenderer(session)
    for transform in (Transform(), Transform(angle=20.0, x=0.15)):
        off = []
        for seed in range(6):
            latent = session.latent(seed=seed, psi=0.8, transform=transform)
            preview, whole = live(latent, Rung(32)), session.image(latent)
            assert preview.shape == (32, 32, 3)
            off.append(np.abs(whole.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)) - preview).mean())
        assert np.mean(off) < 6.0


@VARIANTS
def test_a_preview_is_the_same_without_the_compiled_layers(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = GeneratorSession(make(variant), device="cpu")
    quick = LiveRenderer(session).cache.run(session.code_styles(Latent(seed=1)), max_resolution=32)
    monkeypatch.setattr(winograd, "usable", lambda *_, **__: False)
    plain = LiveRenderer(session).cache.run(session.code_styles(Latent(seed=1)), max_resolution=32)
    assert quick.shape == (1, 3, 32, 32) and torch.allclose(quick, plain, atol=1e-5)


@VARIANTS
def test_previews_follow_every_edit_and_leave_the_whole_picture_as_it_is(variant: str) -> None:
    session = GeneratorSession(make(variant), device="cpu")
    live = LiveRenderer(session)
    for latent in (Latent(seed=1), Latent(seed=2), Latent(seed=1, transform=Transform(x=0.2)), Latent(seed=1)):
        fresh = LiveRenderer(session)(latent, Rung(32))
        assert (live(latent, Rung(32)) == fresh).all()
        assert (live(latent, STILL) == session.image(latent)).all()
        assert (live(latent, Rung(16)) == LiveRenderer(session)(latent, Rung(16))).all()
        assert (live(latent, Rung(32)) == fresh).all(), "drawn again after others"
    styles = session.code_styles(Latent(seed=1))
    before = live.cache.run(styles, max_resolution=32)
    styles[-1] = styles[-1] + 3
    assert not torch.equal(live.cache.run(styles, max_resolution=32), before)


def test_an_unknown_design_has_no_previews_and_its_pictures_are_made_smaller() -> None:
    known = make()
    other = StyleGAN3(replace(known.config, layers=(known.config.layers[0], *known.config.layers[2:]))).eval()
    assert known.has_previews and not other.has_previews
    assert LiveRenderer(GeneratorSession(other, device="cpu"))(Latent(seed=1), Rung(32)).shape == (32, 32, 3)
