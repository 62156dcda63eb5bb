"""A long afternoon in front of one notebook: what is used for hours must not grow. Only in the release tier."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import stylewidgets as sw
from stylewidgets.bench.event import slider_event
from stylewidgets.bench.reading import resident
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.session.session import GeneratorSession

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not resident(), reason="the system does not tell its memory")]
GROWTH = 32 << 20
"""Bytes by which memory may grow: what the C library keeps between two rounds, not what a leak of pictures adds up to."""


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, w_dim=8, resolution=64, channels=(8,) * 5, mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), device=device, name="tiny")


def grown(work: Any, rounds: int) -> Iterator[int]:
    """Yield by how much memory has grown after each round, since the first."""
    first = 0
    for _ in range(rounds):
        work()
        gc.collect()
        first = first or resident()
        yield resident() - first


def test_ten_thousand_slider_events_do_not_grow(session: GeneratorSession) -> None:
    assert max(grown(lambda: slider_event(session, events=2500), 4)) < GROWTH


def test_a_thousand_pictures_of_new_seeds_do_not_grow(session: GeneratorSession) -> None:
    seeds = iter(range(10**6))
    assert max(grown(lambda: [session.render(sw.Latent(seed=next(seeds))) for _ in range(1000)], 4)) < GROWTH


@pytest.mark.parametrize("kind", [sw.LatentExplorer, sw.StyleMixGrid, sw.StyleSpaceProbe, sw.InversionViewer])
def test_two_hundred_openings_and_closings_do_not_grow(session: GeneratorSession, kind: Any) -> None:
    def work() -> None:
        for _ in range(50):
            kind(session).close()

    assert max(grown(work, 4)) < GROWTH
