"""One step of the training."""

from __future__ import annotations

import torch
from torch import Tensor

from ...avatars.reading.factor_net import bundled
from ...avatars.scoring.features import perceptual_distance
from ...generators.posed import Posed
from ...generators.posed.reposing import Reposing
from ..losses import discriminator_loss, generator_loss, paired_loss, r1_penalty
from .data import Pair
from .state import PosedRun, judged


def drawn(generator: Posed, given: Reposing) -> Tensor:
    """Pictures [N, 3, H, W] of what is given, with fresh noise while the network learns."""
    z = given.picture.new_zeros(len(given.picture), generator.w_dim)
    with generator.reposed(given):
        found: Tensor = generator.synthesize(z, noise="random" if generator.training else "const")
    return found


def pair_step(run: PosedRun, pair: Pair) -> dict[str, float]:
    """Picture against picture, by pixels and features, and against the discriminator; then a step of the discriminator.

    Returns:
        The losses by name.
    """
    r, wanted = run.recipe, pair.wanted
    made = drawn(run.generator, pair.given)
    pixels = paired_loss(made, wanted, pair.weight)
    net = bundled(run.device)
    with torch.no_grad():
        truth = net.features(wanted)
    features = perceptual_distance(net.features(made), truth).mean()
    loss = pixels + r.feature_weight * features
    report = {"pixels": float(pixels.detach()), "features": float(features.detach())}
    adversarial = bool(r.adversarial_weight) and run.total >= r.adversarial_from
    fake = judged(made, pair.given.pose)
    if adversarial:
        loss = loss + r.adversarial_weight * generator_loss(run.discriminator(fake))
    _descend(run, loss, "synthesis")
    if adversarial:
        report["d"] = _discriminate(run, judged(wanted, pair.given.pose), fake.detach())
    run.images["pairs"] += len(wanted)
    run.average(len(wanted))
    return report


def _discriminate(run: PosedRun, real: Tensor, fake: Tensor) -> float:
    """One step of D, with R1 every ``r1_every`` steps."""
    lazy = (run.total // len(real)) % run.recipe.r1_every == 0
    real = real.detach().requires_grad_(lazy)
    run.discriminator.requires_grad_(True)
    logits = run.discriminator(real)
    loss = discriminator_loss(logits, run.discriminator(fake))
    value = float(loss.detach())
    if lazy:
        loss = loss + run.recipe.r1_gamma * run.recipe.r1_every * r1_penalty(logits, real)
    _descend(run, loss, "discriminator")
    run.discriminator.requires_grad_(False)
    return value


def _descend(run: PosedRun, loss: Tensor, name: str) -> None:
    """One step of a network down the loss. FloatingPointError where it is not finite."""
    if not torch.isfinite(loss):
        raise FloatingPointError(f"the loss became {float(loss)}; resume from the last checkpoint with a smaller rate")
    run.optimisers[name].zero_grad(set_to_none=True)
    loss.backward()
    run.optimisers[name].step()
