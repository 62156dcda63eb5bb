"""What a growing generator consists of, and how it is saved and resumed."""

from __future__ import annotations

import copy
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...checkpoints.formats import native
from ...core import files
from ...generators.stylegan2.generator import StyleGAN2
from ..muon import Together
from ..state import matrices_and_rest
from ..world import LatentWorld
from .amounts import Amounts

NOISE = {"conv0": 0.05, "conv1": 0.0}
"""Strengths of the noise in the last two blocks. They stay: noise in the wrong place is soonest less wrong by being weak, and
what is no longer there learns no place. The weights after it let it through or hold it back."""


@dataclass(frozen=True)
class GrowRecipe:
    """Everything that decides what a run becomes; written into the checkpoint and the model card."""

    start: str = "avatar-128"
    channels: int = 16
    batch: int = 8
    learning_rate: float = 2e-3
    matrix_rate: float = 3e-3
    momentum: float = 0.9
    trunk: float = 0.3
    kept_below: int = 32
    noise_weight: float = 2.0
    noise_every: int = 4
    mixed_every: int = 4
    mixed_weight: float = 0.5
    ema_images: float = 1500.0
    world_seed: int = 0
    twist: float = 0.3
    correlated: bool = True
    seed: int = 1


@dataclass
class GrowingRun:
    """The grown generator, the one it came from, their optimiser and the counters."""

    recipe: GrowRecipe
    teacher: StyleGAN2
    history: list[str] = field(default_factory=list)
    images: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        r = self.recipe
        torch.manual_seed(r.seed)
        self.teacher = self.teacher.requires_grad_(False).eval()
        self.world = LatentWorld(self.teacher.z_dim, seed=r.world_seed, amplitude=r.twist, correlated=r.correlated)
        self.amounts = Amounts.of(self.teacher)
        self.generator = grown(self.teacher, r.channels, self.amounts)
        self.generator.mapping.requires_grad_(False)
        for module in (self.teacher, self.generator):
            module.synthesis.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        colours = tuple(f"{layer.name}.weight" for layer in self.generator.layers if layer.kind == "torgb")
        self.new_blocks = [f"b{4 << (self.generator.num_blocks - k)}" for k in (2, 1)]
        self.optimisers: dict[str, Together] = {}
        for name, block in self.generator.synthesis.named_children():
            if int(name[1:]) < r.kept_below:
                block.requires_grad_(False)
                continue
            scale = 1.0 if name in self.new_blocks else r.trunk
            small = tuple(c.partition(".")[2] for c in colours if c.startswith(name + "."))
            for conv in block.convs:
                conv.noise_strength.requires_grad_(False)
            self.optimisers[name] = matrices_and_rest(
                block, r.matrix_rate * scale, r.learning_rate * scale, r.momentum, small=small
            )
        self._clock = time.monotonic()

    def step(self, loss: Tensor) -> None:
        """One step down the loss. FloatingPointError where it is not finite."""
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the loss became {float(loss)}; resume from the last checkpoint with a smaller rate"
            )
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in self.optimisers.values():
            optimiser.step()

    @torch.no_grad()
    def follow(self, batch: int) -> None:
        """Count the pictures and move the average, with a half-life of ``ema_images`` and a short ramp."""
        self.images += batch
        keep = 0.5 ** (batch / min(self.recipe.ema_images, max(self.images * 0.05, 1.0)))
        for mean, now in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def save(self, path: Path) -> None:
        """Write the run; a crash while writing leaves the previous file."""
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        state = {
            "recipe": asdict(self.recipe),
            "images": self.images,
            "seconds": self.seconds,
            "history": self.history,
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }
        with files.writing(path) as part:
            torch.save(state, part)

    @classmethod
    def load(cls, path: Path, start: Path) -> GrowingRun:
        """Go on from ``path``, grown from the file ``start``; tensors and plain values are read, and nothing else."""
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        teacher, _ = teacher_of(start)
        run = cls(GrowRecipe(**state["recipe"]), teacher, list(state["history"]), state["images"], state["seconds"])
        run.generator.load_state_dict(state["generator"])
        run.average.load_state_dict(state["average"])
        for name, optimiser in run.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        return run


def teacher_of(path: Path) -> tuple[StyleGAN2, dict[str, Any]]:
    """The generator of a shipped file and its metadata. ValueError unless it is a StyleGAN2 of `train avatars`."""
    generator, metadata = native.load(path)
    if not isinstance(generator, StyleGAN2) or "recipe" not in metadata:
        raise ValueError(f"{path}: only a StyleGAN2 that `train avatars` wrote can be grown with detail")
    return generator, metadata


@torch.no_grad()
def grown(teacher: StyleGAN2, channels: int, amounts: Amounts) -> StyleGAN2:
    """A generator of twice the size whose first picture is the old one enlarged, with the same mapping.

    The new block's styles begin as functions of the amounts alone, each channel of one of them: w moves so little along those
    directions that a network would be slow to find them.
    """
    old = teacher.config
    generator = StyleGAN2(replace(old, resolution=2 * old.resolution, channels=(*old.channels, channels)))
    state = generator.state_dict()
    state.update(teacher.state_dict())
    generator.load_state_dict(state)
    last = generator.synthesis.blocks[-1]
    for name, layer in last.layers():
        count = layer.affine.weight.shape[0]
        which = torch.arange(count, dtype=torch.int64, device="cpu") % len(amounts.rows)
        scale = 0.3 / layer.affine.gain
        layer.affine.weight.copy_(amounts.rows[which] * scale)
        layer.affine.bias.copy_(1 - 0.3 * amounts.offsets[which])
        if name == "torgb":
            layer.weight.zero_()
    for block in generator.synthesis.blocks[-2:]:
        for name, conv in zip(("conv0", "conv1"), block.convs, strict=True):
            conv.noise_strength.fill_(NOISE[name])
    return generator


def mixed(ws: Tensor, other: Tensor) -> Tensor:
    """w+ [N, num_ws, w_dim] with the rows of another code from a random row on: what style mixing makes."""
    cut = int(torch.randint(1, ws.shape[1], (), dtype=torch.int64, device="cpu"))
    return torch.cat([ws[:, :cut], other[:, cut:]], dim=1)
