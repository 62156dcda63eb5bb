"""A processor rounds only the frames of a drag, and batches have the same size on every run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.latent.latent import Latent
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.renderer import LiveRenderer
from stylewidgets.session import batching as _batching
from stylewidgets.session.batching import in_batches, pictures_at_once
from stylewidgets.session.session import GeneratorSession


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=8, resolution=64, channels=(8,) * 5, mapping_layers=2)).eval()


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16", "fp16"])
def test_a_processor_draws_what_is_kept_in_float32_whatever_is_asked(generator: StyleGAN2, precision: str) -> None:
    session = GeneratorSession(generator, device="cpu", precision=precision)
    exact = GeneratorSession(generator, device="cpu", precision="fp32")
    latent = session.latent(seed=3)
    assert (session.image(latent) == exact.image(latent)).all()
    assert (session.images([latent], resolution=16) == exact.images([latent], resolution=16)).all()
    assert torch.equal(session.synthesize(session.map(latent)), exact.synthesize(exact.map(latent)))
    assert (LiveRenderer(session)(latent, STILL) == exact.image(latent)).all()


def test_half_precision_on_a_processor_is_for_the_frames_of_a_drag(generator: StyleGAN2) -> None:
    drag = Rung(None, "jpeg", 85, "full")
    latent = Latent(seed=1)
    live = LiveRenderer(GeneratorSession(generator, device="cpu", precision="bf16"))
    exact = live.session.image(latent).astype(int)
    assert 0 < np.abs(live(latent, drag) - exact).max() < 16
    assert (live(latent, STILL) == exact).all(), "the same latent at rest, from a cache that held a drag"
    plain = LiveRenderer(GeneratorSession(generator, device="cpu"))
    assert (plain(latent, drag) == exact).all(), "nothing is rounded that nobody asked for"


def test_large_pictures_are_drawn_in_small_batches(generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert pictures_at_once(generator, cpu) == _batching.MOST
    each = 2 * 4 * 8 * 64 * 64
    monkeypatch.setattr(_batching, "_BYTES", 2 * each)
    assert pictures_at_once(generator, cpu) == 2
    assert pictures_at_once(generator, cpu, max_resolution=32) == 8
    free = [4 * 3 * each]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[0], 1 << 40))
    assert pictures_at_once(generator, cuda) == 3
    free[0] = 0
    assert pictures_at_once(generator, cuda) == 1
    assert pictures_at_once(generator, cpu) == 2, "batches of another size round differently: no load may choose it"


def test_batches_are_halved_until_they_fit_and_stay_small() -> None:
    sizes: list[int] = []

    def draw(part: Any) -> list[int]:
        sizes.append(len(part))
        if len(part) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [2 * item for item in part]

    assert list(in_batches(range(10), draw, 8)) == [2 * i for i in range(10)] and sizes == [8, 4, 2, 2, 2, 2, 2]

    def never(part: Any) -> list[int]:
        raise RuntimeError("not enough memory" if len(part) > 1 else "DefaultCPUAllocator: not enough memory")

    with pytest.raises(RuntimeError, match="not enough memory"):
        list(in_batches(range(4), never, 4))

    def broken(part: Any) -> list[int]:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        list(in_batches(range(4), broken, 4))
