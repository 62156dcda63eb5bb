"""EQ-T, on a generator that moves its pictures exactly and on one that does not."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.latent.latent import Transform
from stylewidgets.metrics import translation_equivariance
from stylewidgets.session.session import GeneratorSession


class Wave(torch.nn.Module):
    """A picture of one plane wave, moved exactly, with an error of a given size where it is moved."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self.error = error

    def forward(self, w: Tensor, transform: Transform) -> Tensor:
        x = torch.arange(32) - transform.x * 32
        y = (torch.arange(32) - transform.y * 32)[:, None]
        picture = torch.sin(0.4 * x + 0.7 * y + w[:, :1, None])
        return (picture + (self.error if transform else 0))[:, None].expand(-1, 3, -1, -1)


class Sessions:
    """As much of a session as the measure needs."""

    def __init__(self, wave: Wave) -> None:
        self.wave, self.view_kind = wave, Transform
        self.z_dim, self.c_dim, self.resolution = 4, 0, 32
        self.device, self.name = torch.device("cpu"), "wave"

    def map_z(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return z

    def each_class(self, n: int) -> None:
        return None

    def synthesize(self, w: Tensor, *, transform: Transform, exact: bool) -> Tensor:
        return self.wave(w, transform)


def test_the_error_of_a_moved_picture_is_its_signal_to_noise_ratio() -> None:
    assert translation_equivariance(Sessions(Wave(0.02)), 16) == pytest.approx(20 * math.log10(2 / 0.02), abs=0.01)
    assert translation_equivariance(Sessions(Wave(0.0)), 16) > 90


def test_a_stylegan3_moves_better_with_its_transform_than_without_and_keeps_the_one_it_had() -> None:
    torch.manual_seed(0)
    config = StyleGAN3Config.create("T", 32, channel_base=512, channel_max=16, num_layers=6, z_dim=8, w_dim=8, margin=8)
    session = GeneratorSession(StyleGAN3(config).eval(), device="cpu", precision="fp32")
    generator: Any = session.generator
    generator.set_transform([[1, 0, 0.125], [0, 1, 0], [0, 0, 1]])
    kept = generator.transform
    assert translation_equivariance(session, 8) > 25
    assert generator.transform == kept


def test_a_generator_that_cannot_move_its_pictures_is_refused() -> None:
    session = Sessions(Wave(0.0))
    session.view_kind = None
    with pytest.raises(ValueError, match="wave cannot move"):
        translation_equivariance(session)
    with pytest.raises(ValueError, match="samples"):
        translation_equivariance(Sessions(Wave(0.0)), 0)
