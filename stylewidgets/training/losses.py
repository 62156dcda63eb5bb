"""The losses of generator training, each a formula of a paper."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating loss of Goodfellow et al. 2014: softplus(-D(G(z))), mean over the batch."""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """softplus(D(G(z))) + softplus(-D(x)), mean over the batch."""
    return F.softplus(fake_logits).mean() + F.softplus(-real_logits).mean()


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """½ E |∇D(x)|² on real pictures (Mescheder et al. 2018); multiply by gamma. ``real`` [N, ...] must require gradients."""
    (grad,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    return 0.5 * grad.square().sum(dim=tuple(range(1, grad.ndim))).mean()


def path_length_penalty(images: Tensor, w: Tensor, mean: Tensor, *, decay: float = 0.01) -> tuple[Tensor, Tensor]:
    """E (|Jᵀ y| - a)² of StyleGAN2 (Karras et al. 2020, eq. 4) with y ~ N(0, 1) / sqrt(H W).

    Args:
        images: [N, C, H, W] made from ``w`` [N, num_ws, w_dim], which requires gradients.
        mean: the running mean a of the lengths, a scalar tensor.
    Returns:
        The penalty and the new mean.
    """
    noise = torch.randn_like(images) / (images.shape[2] * images.shape[3]) ** 0.5
    (grad,) = torch.autograd.grad((images * noise).sum(), w, create_graph=True)
    lengths = grad.square().sum(dim=2).mean(dim=1).sqrt()
    mean = mean.lerp(lengths.mean().detach(), decay)
    return (lengths - mean).square().mean(), mean


def paired_loss(image: Tensor, target: Tensor, weight: Tensor, *, levels: int = 3) -> Tensor:
    """L1 over an image pyramid plus L1 of the picture's gradients, both weighted pixel by pixel.

    Plain L1 averages small features away: eyes and mouth are a twentieth of the picture. ``weight`` [N, 1, H, W],
    mean one, says where the eye of the beholder looks.
    """
    loss = image.new_zeros(())
    for level in range(levels + 1):
        difference = (image - target).abs()
        loss = loss + (difference * weight).mean()
        if level < 2:
            loss = loss + (_slopes(image - target) * weight[:, :, 1:, 1:]).mean()
        if level < levels:
            image, target, weight = (F.avg_pool2d(x, 2) for x in (image, target, weight))
    return loss


def _slopes(x: Tensor) -> Tensor:
    return (x[:, :, 1:, 1:] - x[:, :, :-1, 1:]).abs() + (x[:, :, 1:, 1:] - x[:, :, 1:, :-1]).abs()
