"""The three phases of the paired start, one function a step (facts: they get there in an hour on one CPU core).

paired   synthesis and a factor embedding learn to draw the renders: picture against picture, then also against D.
mapping  z -> w learns the distribution of those w. No pictures are needed.
joint    the whole generator from z: against the discriminator, as in the papers, and picture against picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..avatars import FACTORS
from ..generators.protocol import Generator
from ..generators.stylegan3.generator import StyleGAN3
from ..metrics.equivariance import part
from .data import Batch
from .losses import discriminator_loss, generator_loss, paired_loss, path_length_penalty, r1_penalty
from .muon import Together
from .state import TrainingRun


class MapsLatents(Protocol):
    """What `mapping_step` needs of a run."""

    images: dict[str, int]

    @property
    def generator(self) -> Generator:
        """The generator in training."""

    @property
    def averaged(self) -> nn.ModuleDict:
        """Means of it and of the embedding."""

    @property
    def optimisers(self) -> Mapping[str, torch.optim.Adam | Together]:
        """By the network's name."""

    def latents(self, n: int) -> tuple[Tensor, Tensor | None, Tensor]:
        """z, labels or None, and the factors that the world gives them."""


COARSE_ROWS = 4
"""Rows of w+ that style mixing calls coarse."""

COARSE_FACTORS = frozenset(
    {
        "yaw",
        "pitch",
        "roll",
        "face_width",
        "jaw",
        "hair_style",
        "hair_length",
        "fringe",
        "eye_size",
        "nose_size",
        "glasses",
        "beard",
        "hat",
    }
)
"""What those rows decide with paired mixing: pose and shape. The rest is colours, light and expression."""


def paired_step(run: TrainingRun, batch: Batch, *, adversarial: bool, shrink: int = 1) -> dict[str, float]:
    """One step of drawing known factors; returns the losses.

    ``shrink`` 2 or 4 draws with the inner blocks only, at a half or a quarter of the size: what is large in the picture
    is learned several times as fast there (progressive growing, Karras et al. 2018).
    """
    z, factors, image, weight = batch
    learning = ("synthesis",) if run.recipe.keep_w or run.recipe.w_of else ("synthesis", "embedding")
    ws = run.codes(z, factors).unsqueeze(1).expand(-1, run.generator.num_ws, -1)
    if torch.rand((), dtype=torch.float32, device="cpu") < run.recipe.paired_mixing:
        ws = mixed_codes(run.embedding, factors, ws.shape[1])
    if shrink > 1:
        image, weight = F.avg_pool2d(image, shrink), F.avg_pool2d(weight, shrink)
        fake = _draw_inner(run, ws, image.shape[2])
    elif isinstance(run.generator, StyleGAN3) and torch.rand((), dtype=torch.float32, device="cpu") < run.recipe.moved:
        fake, image, weight = draw_moved(run.generator, ws, image, weight)
    else:
        fake = run.generator.synthesize(ws, noise="random")
    distance = paired_loss(fake, image, weight, levels=3 if shrink == 1 else 2)
    loss = run.recipe.paired_weight * distance
    report = {"paired": float(distance.detach())}
    if adversarial and shrink == 1:
        report["d"] = _discriminate(run, image, fake.detach(), run.images["paired"] // len(image))
        loss = loss + run.recipe.adversarial_weight * generator_loss(run.discriminator(fake))
    descend(run, loss, *learning)
    run.images["paired"] += len(image)
    run.average(len(image))
    return report


def mixed_codes(embedding: Callable[[Tensor], Tensor], factors: Tensor, num_ws: int) -> Tensor:
    """w+ [N, num_ws, w_dim] whose coarse rows know the coarse factors of an avatar only, the others only the rest.

    What a row must not decide is taken from another avatar of the batch. A generator that has to draw the right picture
    all the same learns which rows decide what: style mixing as in the papers, where mixing regularisation only asks
    that a mixture look real.
    """
    coarse = torch.tensor([f.name in COARSE_FACTORS for f in FACTORS], dtype=torch.bool, device=factors.device)
    other = factors.roll(1, dims=0)
    first = embedding(torch.where(coarse, factors, other))
    second = embedding(torch.where(coarse, other, factors))
    rows = torch.arange(num_ws, device=factors.device, dtype=torch.int64) < COARSE_ROWS
    return torch.where(rows[:, None], first[:, None], second[:, None])


def mapping_step(run: MapsLatents, size: int = 512) -> dict[str, float]:
    """One step of fitting mapping(z) to the embedding of the factors that the world gives z."""
    with torch.no_grad():
        z, c, factors = run.latents(size)
        target = run.averaged["embedding"](factors)
    loss = (run.generator.map(z, c)[:, 0] - target).square().mean() / target.var(dim=0).mean()
    descend(run, loss, "mapping")
    run.images["mapping"] += size
    return {"unexplained": float(loss.detach())}


def joint_step(run: TrainingRun, batch: Batch, *, paired: bool = True) -> dict[str, float]:
    """One step of the whole generator from z. ``paired=False`` is the plain recipe of StyleGAN2."""
    n, r = len(batch.image), run.recipe
    report, loss = {}, torch.zeros((), device=run.device, dtype=torch.float32)
    if paired:  # every render was made from a z of the world, so mapping and synthesis can be held to it
        distance = paired_loss(
            run.generator.synthesize(run.generator.map(batch.z), noise="random"), batch.image, batch.weight
        )
        report["paired"] = float(distance.detach())
        loss = r.paired_weight * distance
    if r.adversarial_weight:
        adversarial, losses = _adversarial(run, batch.image, run.images["joint"] // n)
        loss = loss + (r.adversarial_weight if paired else 1.0) * adversarial
        report.update(losses)
    descend(run, loss, "synthesis", "mapping_slow")
    run.images["joint"] += n
    run.average(n)
    return report


def _adversarial(run: TrainingRun, real: Tensor, step: int) -> tuple[Tensor, dict[str, float]]:
    """One step of D on fresh samples, and the generator's loss with the lazy regularisers due at this step."""
    r = run.recipe
    z = torch.randn(len(real), r.z_dim, device=run.device, dtype=torch.float32)
    ws = run.generator.map(z)
    if (
        torch.rand((), dtype=torch.float32, device="cpu") < r.mixing
    ):  # style mixing regularisation: a second latent from a random row on
        cut = int(torch.randint(1, run.generator.num_ws, (), dtype=torch.int64, device="cpu"))
        ws = torch.cat([ws[:, :cut], run.generator.map(torch.randn_like(z))[:, cut:]], dim=1)
    fake = run.generator.synthesize(ws, noise="random")
    report = {"d": _discriminate(run, real, fake.detach(), step)}
    loss = generator_loss(run.discriminator(fake))
    report["g"] = float(loss.detach())
    if r.path_length_weight and step % r.path_length_every == 0:
        ws = ws.detach().requires_grad_(True)
        penalty, run.path_mean = path_length_penalty(run.generator.synthesize(ws, noise="random"), ws, run.path_mean)
        loss = loss + r.path_length_weight * r.path_length_every * penalty
    return loss, report


def draw_moved(generator: StyleGAN3, ws: Tensor, *pictures: Tensor) -> tuple[Tensor, ...]:
    """The batch drawn somewhere else by moving the input, and what of it and of the pictures shows the same places.

    Few layers and narrow margins let a StyleGAN3 find the border of the picture and place a face by it; one that has to
    draw it right wherever it is cannot rely on that.
    """
    size = generator.resolution
    right, down = (int(d) for d in torch.randint(-(size // 8), size // 8 + 1, (2,), dtype=torch.int64, device="cpu"))
    generator.set_transform([[1, 0, right / size], [0, 1, down / size], [0, 0, 1]])
    try:
        fake = generator.synthesize(ws)
    finally:
        generator.set_transform(None)
    return part(fake, right, down), *(part(picture, -right, -down) for picture in pictures)


def _draw_inner(run: TrainingRun, ws: Tensor, resolution: int) -> Tensor:
    """The picture of the block of that resolution; a skip generator has one at every block."""
    generator, state = run.generator, None
    styles = generator.styles(ws)
    for i in range(resolution.bit_length() - 2):
        state = generator.step(i, state, styles[generator.block_layers(i)], "random")
    assert state is not None
    return generator.image(state)


def _discriminate(run: TrainingRun, real: Tensor, fake: Tensor, step: int) -> float:
    """One step of D, with R1 every ``r1_every`` steps (lazy regularisation)."""
    lazy = step % run.recipe.r1_every == 0
    real = real.detach().requires_grad_(lazy)
    run.discriminator.requires_grad_(True)
    logits = run.discriminator(real)
    loss = discriminator_loss(logits, run.discriminator(fake))
    value = float(loss.detach())
    if lazy:
        loss = loss + run.recipe.r1_gamma * run.recipe.r1_every * r1_penalty(logits, real)
    descend(run, loss, "discriminator")
    run.discriminator.requires_grad_(False)
    return value


def descend(run: MapsLatents, loss: Tensor, *names: str) -> None:
    """One step of these networks down the loss. FloatingPointError where it is not finite."""
    if not torch.isfinite(loss):
        raise FloatingPointError(f"the loss became {float(loss)}; resume from the last checkpoint with a smaller rate")
    for name in names:
        run.optimisers[name].zero_grad(set_to_none=True)
    loss.backward()
    for name in names:
        run.optimisers[name].step()
