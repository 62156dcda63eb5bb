"""The phases of a scene's training, one function a step.

field    the field alone, on a grid of rays of the full picture: colours against the render's, opacity against its silhouette.
picture  everything, at the generator's own number of rays: picture against picture, then also against D, which knows the pose.
mapping  z -> w learns the distribution of those w; `training.phases.mapping_step`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...generators.stylenerf.cameras import pixel_grid
from ...generators.stylenerf.generator import StyleNeRF
from ...generators.stylenerf.rendering import Drawn
from ..losses import discriminator_loss, generator_loss, paired_loss, r1_penalty
from ..phases import descend
from .data import Views
from .state import SceneRun

POSE_UNIT = 20.0
"""Degrees that are 1 to the discriminator."""


def field_step(run: SceneRun, views: Views) -> dict[str, float]:
    """One step of the field on a regular grid of the picture's own pixels, moved by chance."""
    side = views.image.shape[2]
    stride = side // run.recipe.grid
    right, down = (int(d) for d in torch.randint(stride, (2,), dtype=torch.int64, device="cpu"))
    pixels = pixel_grid(side, side, views.image).view(side, side, 2)[down::stride, right::stride].reshape(-1, 2)
    image, solid, weight = (x[:, :, down::stride, right::stride] for x in (views.image, views.solid, views.weight))
    styles = run.generator.styles(run.embedding(views.factors))
    seen = see(run.generator, styles, views.pose, pixels)
    colours = seen.values[..., :3].transpose(1, 2).view_as(image)
    drawn = ((colours - image).abs() * weight).mean()
    outline = silhouette_loss(1 - seen.passed, solid.flatten(1))
    descend(run, drawn + run.recipe.silhouette_weight * outline, "synthesis", "embedding")
    run.images["field"] += len(image)
    run.average(len(image))
    return {"colour": float(drawn.detach()), "outline": float(outline.detach())}


def picture_step(run: SceneRun, views: Views, *, adversarial: bool) -> dict[str, float]:
    """One step of everything on whole pictures."""
    r, generator = run.recipe, run.generator
    image = views.image
    styles = generator.styles(run.embedding(views.factors))
    fake, small, opaque = picture(generator, styles, views.pose)
    factor = image.shape[2] // small.shape[2]
    drawn = paired_loss(fake, image, views.weight)
    inner = ((small - F.avg_pool2d(image, factor)).abs() * F.avg_pool2d(views.weight, factor)).mean()
    outline = silhouette_loss(opaque, F.avg_pool2d(views.solid, factor).flatten(1))
    loss = drawn + r.field_weight * inner + r.silhouette_weight * outline
    report = {"paired": float(drawn.detach()), "colour": float(inner.detach()), "outline": float(outline.detach())}
    if adversarial:
        label = views.pose / POSE_UNIT
        report["d"] = _discriminate(run, image, fake.detach(), label, run.images["picture"] // len(image))
        loss = loss + r.adversarial_weight * generator_loss(run.discriminator(fake, label))
    descend(run, loss, "synthesis", "embedding")
    run.images["picture"] += len(image)
    run.average(len(image))
    return report


def see(generator: StyleNeRF, styles: list[Tensor], pose: Tensor, pixels: Tensor, random: bool = True) -> Drawn:
    """What rays through `pixels` [R, 2] see for cameras of `pose` [N, 2] in degrees."""
    with generator.posed(F.pad(pose, (0, 1))):
        return generator.see(styles[generator.block_layers(0)], pixels, random=random)


def picture(
    generator: StyleNeRF, styles: list[Tensor], pose: Tensor, random: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [N, 3, H, W] for cameras of `pose` [N, 2], the field's own colours [N, 3, r, r] and its opacity [N, r²]."""
    side = generator.config.rays
    seen = see(generator, styles, pose, pixel_grid(side, side, pose), random)
    values = seen.values.transpose(1, 2).unflatten(2, (side, side))
    x, img = values[:, 3:], values[:, :3]
    small = img
    for i in range(1, generator.num_blocks):
        x, img = generator.synthesis.block(i - 1, side)(x, img, styles[generator.block_layers(i)])
    return img, small, 1 - seen.passed


def silhouette_loss(opaque: Tensor, solid: Tensor) -> Tensor:
    """Cross entropy of opacity against the silhouette, mean over rays. An L1 let a small field fade to nothing and stay there."""
    return F.binary_cross_entropy(opaque.clamp(1e-4, 1 - 1e-4), solid)


def _discriminate(run: SceneRun, real: Tensor, fake: Tensor, label: Tensor, step: int) -> float:
    """One step of D, with R1 every ``r1_every`` steps."""
    lazy = step % run.recipe.r1_every == 0
    real = real.detach().requires_grad_(lazy)
    run.discriminator.requires_grad_(True)
    logits = run.discriminator(real, label)
    loss = discriminator_loss(logits, run.discriminator(fake, label))
    value = float(loss.detach())
    if lazy:
        loss = loss + run.recipe.r1_gamma * run.recipe.r1_every * r1_penalty(logits, real)
    descend(run, loss, "discriminator")
    run.discriminator.requires_grad_(False)
    return value
