"""Recorded frames: when they are made, that they are those of a plain run, and what happens where they cannot be made.

A stand-in for a CUDA graph runs its work again and writes what it makes to the memory of the first time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.session import graphs as module
from stylewidgets.session.activations import SynthesisCache
from stylewidgets.session.graphs import MOST, WARM, Graphs, graphs_for


class Recorder:
    """Counts recordings and replays."""

    def __init__(self) -> None:
        self.made = self.replayed = 0

    def __call__(self, work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        self.made += 1
        first = work()

        def replay() -> None:
            self.replayed += 1
            for static, value in zip(module._tensors(first), module._tensors(work()), strict=True):
                static.copy_(value)

        return replay, first


def generator(**options: Any) -> StyleGAN2:
    torch.manual_seed(0)
    made = StyleGAN2(
        StyleGAN2Config(z_dim=8, w_dim=8, resolution=32, channels=(8,) * 4, mapping_layers=2, **options)
    ).eval()
    return made.requires_grad_(False)


def styles_of(model: Any, seed: int) -> list[Tensor]:
    return [s.clone() for s in model.styles(torch.randn(1, 8, generator=torch.Generator().manual_seed(seed)))]


@pytest.mark.parametrize("architecture", ["skip", "resnet"])
def test_recorded_frames_have_the_bits_of_plain_ones_for_any_order_of_edits(architecture: str) -> None:
    model, record = generator(architecture=architecture), Recorder()
    recorded, plain = SynthesisCache(model, graphs=Graphs(record)), SynthesisCache(model)
    source, styles = torch.Generator().manual_seed(1), styles_of(model, 0)
    shown: list[tuple[Tensor, Tensor]] = []
    for _ in range(60):
        k = int(torch.randint(len(styles), (), generator=source))
        styles[k] = styles[k] + 0.3
        side = [None, None, 16][int(torch.randint(3, (), generator=source))]
        picture = recorded.run(styles, max_resolution=side)
        shown.append((picture, picture.clone()))
        assert torch.equal(picture, plain.run(styles, max_resolution=side))
    assert record.made > 2 and record.replayed > 2 * record.made
    assert all(torch.equal(now, then) for now, then in shown), "later frames leave earlier pictures alone"


def test_there_is_one_recording_for_each_size_and_restart_layer() -> None:
    model, record = generator(), Recorder()
    kept = Graphs(record)
    cache, styles = SynthesisCache(model, graphs=kept), styles_of(model, 0)
    for side in (None, 16):
        for k in (3, 6):
            for _ in range(WARM + 3):
                styles[k] = styles[k] + 0.1
                cache.run(styles, max_resolution=side)
    assert record.made == len(kept) == 4 and record.replayed >= 4 * 2


def test_noise_of_its_own_and_transforms_are_not_recorded() -> None:
    model, record = generator(), Recorder()
    cache = SynthesisCache(model, graphs=Graphs(record))
    for seed in range(WARM + 3):
        noise = [torch.randn(1, 1, *shape) for shape in model.noise_shapes]
        cache.run(styles_of(model, seed), noise)
    torch.manual_seed(0)
    moved = StyleGAN3(StyleGAN3Config.create("T", 32, channel_base=512, z_dim=8, w_dim=8)).eval().requires_grad_(False)
    cache = SynthesisCache(moved, graphs=Graphs(record))
    moved.set_transform([[1.0, 0.0, 0.1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    for seed in range(WARM + 3):
        cache.run(styles_of(moved, seed))
    assert record.made == 0
    moved.set_transform(None)
    for seed in range(WARM + 3):
        picture = cache.run(styles_of(moved, seed))
        assert torch.equal(picture, SynthesisCache(moved).run(styles_of(moved, seed)))
    assert record.made == 1


def test_changed_parameters_are_recorded_anew() -> None:
    model, record = generator(), Recorder()
    cache = SynthesisCache(model, graphs=Graphs(record))
    for seed in range(2 * (WARM + 3)):
        if seed == WARM + 3:
            with torch.no_grad():
                model.synthesis.b8.conv1.weight.mul_(1.5)
        assert torch.equal(cache.run(styles_of(model, seed)), SynthesisCache(model).run(styles_of(model, seed)))
    assert record.made == 2


@pytest.mark.parametrize("trouble", ["operation not permitted when stream is capturing", "wrong"])
def test_where_recording_fails_frames_are_drawn_plainly_after_one_warning(trouble: str) -> None:
    def broken(work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        if trouble != "wrong":
            raise RuntimeError(trouble)
        return lambda: None, pytree.tree_map(lambda t: t + 1 if isinstance(t, Tensor) else t, work())

    model = generator()
    cache = SynthesisCache(model, graphs=Graphs(broken))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for seed in range(3 * WARM):
            assert torch.equal(cache.run(styles_of(model, seed)), SynthesisCache(model).run(styles_of(model, seed)))
    assert len(said) == 1 and "without CUDA graphs" in str(said[0].message)


def test_full_memory_gives_the_recordings_up() -> None:
    def full(work: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    kept = Graphs()
    kept._record = Recorder()
    for _ in range(WARM + 1):
        kept.run("a", lambda x: x + 1, torch.ones(1))
    kept._record = full
    for _ in range(WARM + 1):
        assert kept.run("b", lambda x: x + 2, torch.ones(1)) == 3
    assert len(kept) == 0


def test_recordings_are_bounded() -> None:
    kept = Graphs(Recorder())
    for key in range(MOST + 3):
        for _ in range(WARM + 1):
            kept.run(key, lambda x: x + 1, torch.ones(1))
    assert len(kept) == MOST


def test_only_cuda_has_them_and_they_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert graphs_for(torch.device("cpu")) is None
    monkeypatch.delenv("STYLEWIDGETS_CUDA_GRAPHS", raising=False)
    assert graphs_for(torch.device("cuda")) is not None
    monkeypatch.setenv("STYLEWIDGETS_CUDA_GRAPHS", "0")
    assert graphs_for(torch.device("cuda")) is None
