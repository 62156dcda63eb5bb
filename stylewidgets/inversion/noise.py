"""Noise pictures as variables of an inversion."""

from __future__ import annotations

import torch
from torch import Tensor

from ..session.session import GeneratorSession


def initial_noise(session: GeneratorSession, n: int, source: torch.Generator) -> list[Tensor]:
    """White noise [n, 1, H, W] for each layer with noise, the same for all n; [] for generators without (StyleGAN3)."""
    return [
        torch.randn(1, 1, *shape, generator=source, dtype=torch.float32, device="cpu")
        .expand(n, -1, -1, -1)
        .to(session.device)
        .clone()
        for shape in session.noise_shapes
    ]


def constant_noise(session: GeneratorSession, n: int) -> list[Tensor]:
    """The generator's own noise pictures, [n, 1, H, W] for each layer with noise."""
    return [noise.expand(n, -1, -1, -1).clone() for noise in session.noise_maps()]


@torch.no_grad()
def normalise(noise: list[Tensor]) -> None:
    """Every picture to mean 0 and mean square 1, in place."""
    for layer in noise:
        layer.sub_(layer.mean(dim=(1, 2, 3), keepdim=True))
        layer.mul_(torch.rsqrt(layer.square().mean(dim=(1, 2, 3), keepdim=True) + 1e-20))
