"""What a training of Pose with Style on avatars consists of, and how it is saved and resumed."""

from __future__ import annotations

import copy
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...avatars.drawing.renderer import PARTS
from ...core import files
from ...generators.posed import Posed, PosedConfig
from ...generators.stylegan2.discriminator import Discriminator
from ..muon import Together
from ..state import adam, matrices_and_rest


@dataclass(frozen=True)
class PosedRecipe:
    """Everything that decides what a run becomes; written into the checkpoint and the model card."""

    resolution: int = 64
    ngf: int = 16
    scales: int = 4
    widest: int = 64
    judge: tuple[int, ...] = (64, 64, 48, 32, 16)
    batch: int = 8
    learning_rate: float = 2e-3
    matrix_rate: float = 3e-3
    momentum: float = 0.9
    still: float = 0.125
    feature_weight: float = 0.1
    adversarial_weight: float = 0.05
    adversarial_from: int = 12_000
    r1_gamma: float = 0.2
    r1_every: int = 16
    flat: int = 10_000
    ema_images: float = 4_000.0
    seed: int = 0

    @property
    def config(self) -> PosedConfig:
        """Of the network."""
        return PosedConfig.small(self.resolution, self.ngf, self.scales, self.widest, len(PARTS) - 1)


@dataclass
class PosedRun:
    """The networks, their optimisers and the counters of one run."""

    recipe: PosedRecipe
    device: str
    images: dict[str, int] = field(default_factory=lambda: {"pairs": 0})
    seconds: float = 0.0

    def __post_init__(self) -> None:
        r = self.recipe
        torch.manual_seed(r.seed)
        self.generator = Posed(r.config).to(self.device)
        self.discriminator = Discriminator(r.resolution, r.judge, img_channels=6).to(self.device)
        # Gains of channels are ones, as published, and stay so: nothing here has a w.
        for name, module in self.generator.synthesis.named_modules():
            if name.endswith("affine"):
                module.requires_grad_(False)
        if self.device == "cpu":
            self.generator.synthesis.to(memory_format=torch.channels_last)
            self.discriminator.to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.optimisers: dict[str, torch.optim.Adam | Together] = {
            "synthesis": matrices_and_rest(
                self.generator.synthesis,
                r.matrix_rate,
                r.learning_rate,
                r.momentum,
                small=tuple(f"s{k}.torgb.weight" for k in range(r.scales)),
            ),
            "discriminator": adam(
                [*self.discriminator.parameters()], r.learning_rate * r.r1_every / (r.r1_every + 1), 0.0
            ),
        }
        self._clock = time.monotonic()

    @property
    def total(self) -> int:
        """Pictures that the network has drawn."""
        return self.images["pairs"]

    def average(self, batch: int) -> None:
        """Exponential moving average of the generator, half-life ``ema_images`` with a short ramp."""
        keep = 0.5 ** (batch / min(self.recipe.ema_images, max(self.total * 0.05, 1.0)))
        with torch.no_grad():
            for mean, now in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)

    def save(self, path: Path) -> None:
        """Write the run; a crash while writing leaves the previous file."""
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        state = {
            "recipe": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.recipe).items()},
            "images": self.images,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }
        with files.writing(path) as part:
            torch.save(state, part)

    @classmethod
    def load(cls, path: Path, device: str) -> PosedRun:
        """Go on from ``path``; the file is read as tensors and plain values only."""
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        told: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in state["recipe"].items()}
        run = cls(PosedRecipe(**told), device, dict(state["images"]), float(state["seconds"]))
        for name in ("generator", "discriminator", "averaged"):
            getattr(run, name).load_state_dict(state[name])
        for name, optimiser in run.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        torch.set_rng_state(state["random"].cpu())
        return run


def judged(pictures: Tensor, pose: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] beside their surface from 0 to 1, [N, 6, H, W]: what the discriminator sees."""
    scale = pose.new_tensor([len(PARTS) - 1, 255.0, 255.0])[:, None, None]
    return torch.cat([pictures, pose / scale], dim=1)
