"""What a training of scenes consists of, and how it is saved and resumed."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...avatars.drawing.camera import CAMERA_Z
from ...avatars.drawing.geometry import PIVOT, VIEW, VIEW_Y
from ...core import files
from ...generators.stylegan2.discriminator import Discriminator
from ...generators.stylenerf import StyleNeRF, StyleNeRFConfig
from ..muon import Together
from ..state import adam, matrices_and_rest
from ..world import FactorEmbedding, LatentWorld
from .data import scenes


@dataclass(frozen=True)
class SceneRecipe:
    """Everything that decides what a run becomes; written into the checkpoint and the model card."""

    resolution: int = 64
    rays: int = 32
    channels: tuple[int, ...] = (64,)
    hidden: int = 64
    field_layers: int = 6
    features: int = 64
    frequencies: int = 6
    samples: int = 8
    grid: int = 16
    z_dim: int = 64
    w_dim: int = 128
    mapping_layers: int = 4
    mapping_width: int = 256
    mapping_rate: float = 1.0
    mapping_matrix_rate: float = 2e-2
    twist: float = 0.3
    batch: int = 8
    learning_rate: float = 2e-3
    matrix_rate: float = 3e-3
    momentum: float = 0.9
    silhouette_weight: float = 0.3
    field_weight: float = 1.0
    path_weight: float = 0.0
    r1_gamma: float = 0.2
    r1_every: int = 16
    adversarial_weight: float = 0.1
    adversarial_from: float = 0.6
    judge: tuple[int, ...] = (96, 96, 64, 48, 24)
    ema_images: float = 8_000.0
    seed: int = 0


@dataclass
class SceneRun:
    """The networks, their optimisers and the counters of one run."""

    recipe: SceneRecipe
    device: str
    images: dict[str, int] = field(default_factory=lambda: {"field": 0, "picture": 0, "mapping": 0})
    seconds: float = 0.0
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        r = self.recipe
        torch.manual_seed(r.seed)
        self.generator = StyleNeRF(avatar_config(r)).to(self.device)
        self.discriminator = Discriminator(r.resolution, r.judge, c_dim=2, label_layers=2).to(self.device)
        self.embedding = FactorEmbedding(r.w_dim).to(self.device)
        self.world = LatentWorld(r.z_dim, seed=r.seed, amplitude=r.twist).to(self.device)
        if self.device == "cpu":
            self.discriminator.to(memory_format=torch.channels_last)
        self.averaged = (
            nn.ModuleDict({"generator": copy.deepcopy(self.generator), "embedding": copy.deepcopy(self.embedding)})
            .requires_grad_(False)
            .eval()
        )
        rate = r.learning_rate
        colours = ("sigma_out.weight", "to_rgb.weight", "torgb.weight")
        small = tuple(n for n, _ in self.generator.synthesis.named_parameters() if n.endswith(colours))
        self.optimisers: dict[str, torch.optim.Adam | Together] = {
            "synthesis": matrices_and_rest(self.generator.synthesis, r.matrix_rate, rate, r.momentum, small=small),
            "embedding": matrices_and_rest(self.embedding, r.matrix_rate, rate, r.momentum, equalised=False),
            "mapping": matrices_and_rest(
                self.generator.mapping, r.mapping_matrix_rate / self.generator.config.mapping_lr, r.mapping_rate, 0.9
            ),
            "discriminator": adam([*self.discriminator.parameters()], rate * r.r1_every / (r.r1_every + 1), 0.0),
        }
        self._clock = time.monotonic()

    @property
    def total(self) -> int:
        """Pictures seen by the synthesis network."""
        return self.images["field"] + self.images["picture"]

    def latents(self, n: int) -> tuple[Tensor, None, Tensor]:
        """Random z [n, z_dim], no label, and the factors [n, F] of the avatar that looks ahead."""
        z = torch.randn(n, self.recipe.z_dim, device=self.device, dtype=torch.float32)
        return z, None, scenes(self.world.factors(z))[0]

    @torch.no_grad()
    def colours_start(self) -> None:
        """Make the upsampler add nothing yet, so that the first picture is the field's own, enlarged."""
        for module in (self.generator, self.averaged["generator"]):
            for name, value in module.named_parameters():
                if ".torgb.weight" in name or ".torgb.bias" in name:
                    value.zero_()

    def average(self, batch: int) -> None:
        """Exponential moving average of generator and embedding, half-life ``ema_images`` with a short ramp."""
        keep = 0.5 ** (batch / min(self.recipe.ema_images, max(self.total * 0.02, 1.0)))
        with torch.no_grad():
            for name, module in (("generator", self.generator), ("embedding", self.embedding)):
                for mean, now in zip(self.averaged[name].parameters(), module.parameters(), strict=True):
                    mean.lerp_(now, 1 - keep)
                for kept, buffer in zip(self.averaged[name].buffers(), module.buffers(), strict=True):
                    kept.copy_(buffer)

    @torch.no_grad()
    def measure_w(self, samples: int = 20_000) -> None:
        """Set ``w_avg`` of both generators to the mean of w over ``samples`` latents."""
        random = np.random.RandomState(self.recipe.seed + 1)
        z = torch.from_numpy(random.randn(samples, self.recipe.z_dim).astype(np.float32)).to(self.device)
        for generator in (self.generator, self.averaged["generator"]):
            generator.mapping.w_avg.copy_(generator.map(z)[:, 0].mean(dim=0))

    def save(self, path: Path) -> None:
        """Write the run; a crash while writing leaves the previous file."""
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        state = {
            "recipe": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.recipe).items()},
            "images": self.images,
            "seconds": self.seconds,
            "history": self.history,
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "embedding": self.embedding.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }
        with files.writing(path) as part:
            torch.save(state, part)

    @classmethod
    def load(cls, path: Path, device: str) -> SceneRun:
        """Go on from ``path``; the file is read as tensors and plain values only."""
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        told: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in state["recipe"].items()}
        recipe = SceneRecipe(**told)
        run = cls(recipe, device, dict(state["images"]), float(state["seconds"]), list(state["history"]))
        for name in ("generator", "discriminator", "embedding", "averaged"):
            getattr(run, name).load_state_dict(state[name])
        for name, optimiser in run.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        return run


def avatar_config(r: SceneRecipe) -> StyleNeRFConfig:
    """A StyleNeRF in the space of the avatars: their camera, their axes, a ball where the head is."""
    return StyleNeRFConfig(
        z_dim=r.z_dim,
        w_dim=r.w_dim,
        mapping_layers=r.mapping_layers,
        mapping_width=r.mapping_width,
        rays=r.rays,
        channels=r.channels,
        hidden=r.hidden,
        field_layers=r.field_layers,
        features=r.features,
        frequencies=r.frequencies,
        samples=r.samples,
        density="softplus",
        scale=1 / 1.75,
        ball=(12.0, 0.85, 0.6),
        background="colour",
        projection="orthographic",
        fov=math.degrees(2 * math.atan(VIEW / CAMERA_Z)),
        radius=CAMERA_Z,
        depth=(CAMERA_Z - 1.4, CAMERA_Z + 1.4),
        middle=(*PIVOT, VIEW_Y),
        yaw=(-35.0, 35.0),
        pitch=(-15.0, 15.0),
        normal=False,
    )
