"""What a generator training run consists of, and how it is saved and resumed."""

from __future__ import annotations

import copy
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from ..avatars import FACTORS, INDEX
from ..core import files
from ..core.checks import unknown_name
from ..generators.stylegan1.generator import StyleGAN1, StyleGAN1Config
from ..generators.stylegan2.discriminator import Discriminator
from ..generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from ..generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from .muon import Muon, Together
from .world import FactorEmbedding, LatentWorld, share_w

FAMILIES = ("stylegan1", "stylegan2", "stylegan3-t")
"""What `Recipe.family` can be."""

DISCRIMINATOR = (128, 128, 96, 64, 32, 16)
"""Feature maps, from 4 pixels up, of the one that judges a StyleGAN3, whose own layers are not those of a StyleGAN2."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run becomes; written into the checkpoint and the model card."""

    family: str = "stylegan2"
    w_of: str = ""
    resolution: int = 64
    channels: tuple[int, ...] = (128, 128, 96, 64, 32)
    z_dim: int = 64
    w_dim: int = 128
    mapping_layers: int = 4
    mapping_width: int = 256
    mapping_rate: float = 1.0
    mapping_matrix_rate: float = 2e-2
    twist: float = 0.3
    correlated: bool = False
    condition: str = ""
    keep_w: bool = False
    margin: int = 6
    moved: float = 0.25
    paired_mixing: float = 0.0
    batch: int = 8
    learning_rate: float = 2e-3
    matrix_rate: float = 3e-3
    momentum: float = 0.9
    r1_gamma: float = 0.2
    r1_every: int = 16
    path_length_weight: float = 0.0
    path_length_every: int = 8
    mixing: float = 0.25
    paired_weight: float = 5.0
    adversarial_weight: float = 0.2
    adversarial_from: float = 0.6
    ema_images: float = 10_000.0
    seed: int = 0


@dataclass
class TrainingRun:
    """The networks, their optimisers and the counters of one run."""

    recipe: Recipe
    device: str
    images: dict[str, int] = field(default_factory=lambda: {"paired": 0, "mapping": 0, "joint": 0})
    seconds: float = 0.0
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        r = self.recipe
        torch.manual_seed(r.seed)
        self.generator = make_generator(r, len(self.categories)).to(self.device)
        judge = DISCRIMINATOR[: r.resolution.bit_length() - 2] if r.family == "stylegan3-t" else r.channels
        self.discriminator = Discriminator(resolution=r.resolution, channels=judge).to(self.device)
        self.embedding = FactorEmbedding(r.w_dim).to(self.device)
        if r.w_of:
            share_w(self.generator, r.w_of)
        self.world = LatentWorld(r.z_dim, seed=r.seed, amplitude=r.twist, correlated=r.correlated).to(self.device)
        if self.device == "cpu":  # 3x3 convolutions with few channels are about three times as fast in this layout
            self.generator.synthesis.to(memory_format=torch.channels_last)
            self.discriminator.to(memory_format=torch.channels_last)
        self.averaged = (
            nn.ModuleDict(
                {
                    "generator": copy.deepcopy(self.generator),
                    "embedding": copy.deepcopy(self.embedding),
                }
            )
            .requires_grad_(False)
            .eval()
        )
        rate = r.learning_rate
        self.optimisers: dict[str, torch.optim.Adam | Together] = {
            "synthesis": matrices_and_rest(
                self.generator.synthesis,
                r.matrix_rate,
                rate,
                r.momentum,
                small=tuple(f"{layer.name}.weight" for layer in self.generator.layers if layer.kind == "torgb"),
                slow=("input.affine",),
            ),
            "embedding": matrices_and_rest(self.embedding, r.matrix_rate, rate, r.momentum, equalised=False),
            # Stored mapping weights are 100 times the used ones (learning-rate multiplier 0.01): fitted at full speed,
            # then fine-tuned at the papers' slow one.
            "mapping": matrices_and_rest(
                self.generator.mapping, r.mapping_matrix_rate / self.generator.config.mapping_lr, r.mapping_rate, 0.9
            ),
            # A discriminator cannot follow a fast mapping network; a picture to agree with can.
            "mapping_slow": adam(
                [*self.generator.mapping.parameters()], rate * (1 if r.adversarial_weight else 10), 0.0
            ),
            "discriminator": adam([*self.discriminator.parameters()], rate * r.r1_every / (r.r1_every + 1), 0.0),
        }
        self.path_mean = torch.zeros((), device=self.device, dtype=torch.float32)
        self._clock = time.monotonic()

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the classes, those of the factor in ``recipe.condition``; () for a generator without classes."""
        if not self.recipe.condition:
            return ()
        found = [f for f in FACTORS if f.name == self.recipe.condition and f.kind == "categorical"]
        if not found:
            raise unknown_name(
                "categorical factor", self.recipe.condition, [f.name for f in FACTORS if f.kind == "categorical"]
            )
        return found[0].categories

    def codes(self, z: Tensor, factors: Tensor) -> Tensor:
        """w [N, w_dim] of pictures with these z and factors: what is learned for the factors, or what z has already."""
        if not self.recipe.w_of:
            return self.embedding(factors)  # type: ignore[no-any-return]
        with torch.no_grad():
            return self.generator.map(z)[:, 0]

    def latents(self, n: int) -> tuple[Tensor, Tensor | None, Tensor]:
        """Random z [n, z_dim], labels c [n, classes] or None, and the factors [n, F] that the world gives both."""
        z = torch.randn(n, self.recipe.z_dim, device=self.device, dtype=torch.float32)
        factors = self.world.factors(z)
        if not self.categories:
            return z, None, factors
        classes = torch.randint(len(self.categories), (n,), device=self.device, dtype=torch.int64)
        factors[:, INDEX[self.recipe.condition]] = classes.float()
        return z, F.one_hot(classes, len(self.categories)).float(), factors

    @property
    def total(self) -> int:
        """Pictures seen by the synthesis network."""
        return self.images["paired"] + self.images["joint"]

    def average(self, batch: int) -> None:
        """Exponential moving average of generator and embedding, half-life ``ema_images`` with a short ramp."""
        half_life = min(self.recipe.ema_images, max(self.total * 0.02, 1.0))
        keep = 0.5 ** (batch / half_life)
        with torch.no_grad():
            for name, module in (("generator", self.generator), ("embedding", self.embedding)):
                kept = self.averaged[name]
                for mean, now in zip(kept.parameters(), module.parameters(), strict=True):
                    mean.lerp_(now, 1 - keep)
                for kept_buffer, buffer in zip(kept.buffers(), module.buffers(), strict=True):
                    kept_buffer.copy_(buffer)

    @torch.no_grad()
    def measure_w(self, samples: int = 20_000) -> None:
        """Set ``w_avg`` of both generators to the mean of w over ``samples`` latents."""
        random = np.random.RandomState(self.recipe.seed + 1)
        z = torch.from_numpy(random.randn(samples, self.recipe.z_dim).astype(np.float32)).to(self.device)
        c = self.each_class(samples)
        for generator in (self.generator, self.averaged["generator"]):
            generator.mapping.w_avg.copy_(generator.map(z, c)[:, 0].mean(dim=0))

    def each_class(self, n: int) -> Tensor | None:
        """Labels [n, classes] that go through the classes in turn; None for a generator without."""
        if not self.categories:
            return None
        return torch.eye(len(self.categories), device=self.device, dtype=torch.float32)[
            torch.arange(n, dtype=torch.int64, device="cpu") % len(self.categories)
        ]

    def save(self, path: Path) -> None:
        """Write the run; a crash while writing leaves the previous file."""
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        state = {
            "recipe": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.recipe).items()},
            "images": self.images,
            "seconds": self.seconds,
            "history": self.history,
            "path_mean": self.path_mean,
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "embedding": self.embedding.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }
        with files.writing(path) as part:
            torch.save(state, part)

    @classmethod
    def load(cls, path: Path, device: str) -> TrainingRun:
        """Go on from ``path``; the file is read as tensors and plain values only."""
        state = torch.load(path, map_location=device, weights_only=True)
        recipe = Recipe(**{**state["recipe"], "channels": tuple(state["recipe"]["channels"])})
        run = cls(recipe, device, dict(state["images"]), float(state["seconds"]), list(state["history"]))
        for name in ("generator", "discriminator", "embedding", "averaged"):
            getattr(run, name).load_state_dict(state[name])
        for name, optimiser in run.optimisers.items():
            try:
                optimiser.load_state_dict(state["optimisers"][name])
            except (KeyError, ValueError):  # a checkpoint of a version that optimised in another way
                tqdm.write(f"{path}: the optimiser of {name} starts anew")
        run.path_mean = state["path_mean"]
        return run

    @classmethod
    def grow(cls, path: Path, recipe: Recipe, device: str) -> TrainingRun:
        """A run at a higher resolution that starts as the picture of ``path``, enlarged.

        Everything of equal name and shape is taken over (progressive growing of Karras et al. 2018, without the fade:
        the new colour layers start at zero, so the first picture is the old one upsampled).
        """
        state = torch.load(path, map_location=device, weights_only=True)
        resolution, images = state["recipe"]["resolution"], state["images"]
        family = state["recipe"].get("family", "stylegan2")
        start = "" if family == "stylegan2" else f"{family}, "
        before = f"{start}{resolution} px: {images['paired']:,} paired pictures, {state['seconds'] / 60:.0f} minutes"
        run = cls(recipe, device, seconds=float(state["seconds"]), history=[*state.get("history", []), before])
        for name in ("generator", "discriminator", "embedding", "averaged"):
            module, old = getattr(run, name), state[name]
            new = module.state_dict()
            new.update({k: v for k, v in old.items() if k in new and new[k].shape == v.shape})
            new.update({k: torch.zeros_like(v) for k, v in new.items() if k not in old and k.endswith("torgb.weight")})
            module.load_state_dict(new)
        return run


def make_generator(r: Recipe, classes: int) -> StyleGAN1 | StyleGAN2 | StyleGAN3:
    """The untrained generator of a recipe. ValueError names the families that can be trained."""
    mapping: dict[str, Any] = {
        "z_dim": r.z_dim,
        "c_dim": classes,
        "w_dim": r.w_dim,
        "mapping_layers": r.mapping_layers,
        "mapping_width": r.mapping_width,
    }
    if r.family == "stylegan1":
        return StyleGAN1(StyleGAN1Config(channels=r.channels, **mapping))
    if r.family == "stylegan2":
        return StyleGAN2(StyleGAN2Config(resolution=r.resolution, channels=r.channels, **mapping))
    if r.family != "stylegan3-t":
        raise unknown_name("family", r.family, FAMILIES)
    config = StyleGAN3Config.create("T", r.resolution, num_layers=len(r.channels), margin=r.margin, **mapping)
    layers = [layer._replace(channels=c) for layer, c in zip(config.layers, [*r.channels, 3], strict=True)]
    return StyleGAN3(replace(config, layers=tuple(layers)))


def matrices_and_rest(
    module: nn.Module,
    rate: float,
    rest_rate: float,
    momentum: float,
    *,
    equalised: bool = True,
    small: tuple[str, ...] = (),
    slow: tuple[str, ...] = (),
) -> Together:
    """Muon for what mixes channels, Adam for the rest: biases, noise strengths, the constant and the colours.

    Args:
        module: its parameters.
        rate: of the matrices as they are used.
        rest_rate, momentum: of Adam.
        equalised: stored weights are sqrt(inputs) times the used ones (equalised learning rate), and so is their step.
        small: names of matrices for Adam: those that make colours.
        slow: beginnings of names for Adam at a twentieth of its rate: a w that moves the whole picture by a pixel a step
            would leave nothing to learn from.
    """
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    late: list[nn.Parameter] = []
    for name, p in module.named_parameters():
        whole = p.ndim in (2, 4) and name not in small
        (late if name.startswith(slow) else matrices if whole else rest).append(p)
    groups = [{"params": [p], "lr": rate * (p[0].numel() ** 0.5 if equalised else 1.0)} for p in matrices]
    others = [adam(rest, rest_rate, momentum)] + ([adam(late, rest_rate / 20, momentum)] if late else [])
    return Together(Muon(groups, weight_decay=0.0), *others)


def adam(parameters: list[nn.Parameter], rate: float, momentum: float) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=rate, betas=(momentum, 0.99), eps=1e-8)
