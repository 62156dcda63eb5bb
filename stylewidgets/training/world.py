"""Where the latents of the avatar generator come from: z -> factors, and factors -> w.

The paired start needs a picture for every z. A linear map z -> factors would make Z trivially disentangled, one axis a
factor, and leave nothing to find. So z goes through a fixed *measure-preserving* twist first: pairs of coordinates are
rotated by angles that depend on the other coordinates. A rotation leaves a standard normal as it is, so the factors
keep their distribution exactly while every factor becomes a curved function of all of z.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from .. import weights
from ..avatars import FACTORS, embed, from_uniform, mix
from ..checkpoints import open_file
from ..generators.stylegan1.generator import StyleGAN1
from ..generators.stylegan2.generator import StyleGAN2
from ..generators.stylegan3.generator import StyleGAN3

_OF_W = ("z_dim", "w_dim", "mapping_layers", "mapping_width", "twist", "correlated", "condition", "seed")
"""The parts of a recipe that decide what a w stands for."""


class LatentWorld(nn.Module):
    """Maps z [N, z_dim] ~ N(0, 1) to avatar factors [N, F]; fixed by ``seed``, nothing in it is trained.

    Args:
        z_dim: length of z, at least the number of factors.
        rounds: number of twists; each lets one half of the coordinates turn the other half.
        amplitude: largest turn in radians. The more, the further from linear, and the longer the mapping network takes:
            with 0.8 it had no time here to tell who wears glasses.
        correlated: factors go together as in `avatars.CORRELATIONS` (a data set with something to disentangle).
    """

    def __init__(
        self, z_dim: int, *, seed: int = 0, rounds: int = 2, amplitude: float = 0.3, correlated: bool = False
    ) -> None:
        super().__init__()
        count = len(FACTORS)
        self.inner = count + (-count) % 4  # halves made of pairs
        if z_dim < self.inner:
            raise ValueError(f"z_dim={z_dim} is too small for {count} factors; give at least {self.inner}")
        self.z_dim, self.rounds, self.amplitude, self.count = z_dim, rounds, amplitude, count
        self.correlated = correlated
        random = np.random.RandomState(seed)
        basis, _ = np.linalg.qr(random.randn(z_dim, self.inner))
        self.register_buffer("basis", torch.from_numpy(basis).float())
        half = self.inner // 2
        for i in range(rounds):
            turn, _ = np.linalg.qr(random.randn(self.inner, self.inner))
            frequency = random.randn(half, half // 2) / math.sqrt(half)
            self.register_buffer(f"turn{i}", torch.from_numpy(turn).float())
            self.register_buffer(f"frequency{i}", torch.from_numpy(frequency).float())

    def normal(self, z: Tensor) -> Tensor:
        """The twisted coordinates [N, inner], again standard normal."""
        z = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)  # as the mapping network does
        x = z @ self.basis
        for i in range(self.rounds):
            x = x @ getattr(self, f"turn{i}")
            fixed, moved = x.chunk(2, dim=1)
            angle = self.amplitude * torch.sin(1.5 * fixed @ getattr(self, f"frequency{i}"))
            a, b = moved.chunk(2, dim=1)
            cos, sin = angle.cos(), angle.sin()
            x = torch.cat([fixed, a * cos - b * sin, a * sin + b * cos], dim=1)
        return x

    def factors(self, z: Tensor) -> Tensor:
        """Avatar factors [N, F] in natural units."""
        normal = self.normal(z)[:, : self.count]
        if self.correlated:
            normal = mix(normal)
        uniform = torch.special.ndtr(normal).clamp(1e-5, 1 - 1e-5)
        return torch.as_tensor(from_uniform(uniform), dtype=torch.float32, device=z.device)


class FactorEmbedding(nn.Module):
    """A learned, non-linear embedding of factors straight into w: [N, F] -> [N, w_dim].

    A three-layer perceptron on Fourier features (Tancik et al. 2020), so that small changes of a factor can matter.
    """

    def __init__(self, w_dim: int, *, width: int = 256, octaves: int = 2) -> None:
        super().__init__()
        self.octaves = octaves
        size = embed(torch.from_numpy(from_uniform(np.full((1, len(FACTORS)), 0.5, np.float32)))).shape[1]
        self.layers = nn.Sequential(
            nn.Linear(size * (1 + 2 * octaves), width, dtype=torch.float32, device="cpu"),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width, dtype=torch.float32, device="cpu"),
            nn.LeakyReLU(0.2),
            nn.Linear(width, w_dim, dtype=torch.float32, device="cpu"),
        )

    def forward(self, factors: Tensor) -> Tensor:
        e = embed(factors)
        waves = [f(e * (math.pi / 2 * 2**k)) for k in range(self.octaves) for f in (torch.sin, torch.cos)]
        w: Tensor = self.layers(torch.cat([e, *waves], dim=1))
        return w


def recipe_of_w(source: str) -> dict[str, object]:
    """The parts of a recipe that decide what w stands for, from a generator that ships or was trained here.

    Raises:
        ValueError: one that was not made by ``stylewidgets train avatars``, so that nobody knows which picture is meant.
    """
    _, about = open_file(weights.find(source))
    recipe = about.get("recipe")
    if not isinstance(recipe, dict) or any(name not in recipe for name in _OF_W):
        raise ValueError(f"{source} does not say which avatar its z stand for; give one that was trained on avatars")
    return {name: recipe[name] for name in _OF_W}


@torch.no_grad()
def share_w(generator: StyleGAN1 | StyleGAN2 | StyleGAN3, source: str) -> None:
    """Give a generator the mapping network of another, so that both have the same w, and stop its learning.

    One of the same family and sizes takes over all of the other, and so goes on from what that has learned.

    StyleGAN has the √2 of its leaky ReLU in the scale of the weights, where StyleGAN2 and 3 have it behind: with biases
    √2 times as large the two are the same function.
    """
    other, _ = open_file(weights.find(source))
    if type(generator) is type(other) and generator.config == other.config:
        generator.load_state_dict(other.state_dict())
    known = dict(other.get_submodule("mapping").state_dict())
    if isinstance(generator, StyleGAN1) is not isinstance(other, StyleGAN1):
        factor = math.sqrt(2) if isinstance(generator, StyleGAN1) else math.sqrt(0.5)
        known = {name: value * factor if name.endswith("bias") else value for name, value in known.items()}
    generator.mapping.load_state_dict(known)
    generator.mapping.requires_grad_(False)
