"""Integrals along rays: where to sample, and how much each sample counts (NeRF, Mildenhall et al., ECCV 2020)."""

from __future__ import annotations

import torch
from torch import Tensor


def even(near: float, far: float, count: int, like: Tensor) -> Tensor:
    """t [count] with both ends, as StyleNeRF samples when it does not train."""
    return torch.linspace(near, far, count, dtype=like.dtype, device=like.device)


def jittered(t: Tensor, rays: tuple[int, ...]) -> Tensor:
    """t [..., n] moved by chance inside the strata around each, [*rays, n]: what training sees."""
    middle = (t[1:] + t[:-1]) / 2
    low, high = torch.cat([t[:1], middle]), torch.cat([middle, t[-1:]])
    return low + (high - low) * torch.rand(*rays, len(t), dtype=t.dtype, device=t.device)


def intervals(t: Tensor, length: Tensor) -> Tensor:
    """From each sample to the next, times the length of the ray's direction; the last one is 0. t [N, R, S], length [N, R, 1]."""
    steps = torch.cat([t[..., 1:] - t[..., :-1], torch.zeros_like(t[..., :1])], dim=-1)
    return steps * length


def weights(density: Tensor, steps: Tensor, closed: bool) -> tuple[Tensor, Tensor]:
    """How much each sample of a ray counts, and how much passes behind the last.

    α = 1 − exp(−σ Δ), w = α Π(1 − α) of the samples before.

    Args:
        density: [N, R, S], 0 or more.
        steps: Δ, the same shape.
        closed: whether the last sample is a wall: its α is 1, and nothing passes.
    Returns:
        [N, R, S] and λ [N, R, 1].
    """
    passed = (density * steps).cumsum(dim=-1)
    before = torch.cat([torch.zeros_like(passed[..., :1]), passed[..., :-1]], dim=-1)
    reach, leave = torch.exp(-before), torch.exp(-passed)
    counts = reach - leave
    if closed:
        return torch.cat([counts[..., :-1], reach[..., -1:]], dim=-1), torch.zeros_like(leave[..., -1:])
    return counts, leave[..., -1:]


def finer(t: Tensor, counts: Tensor, count: int, random: bool = False) -> Tensor:
    """More samples where the first ones counted: the inverse of their distribution function (NeRF, section 5.2).

    Args:
        t: [N, R, S], ascending; the bins are between the middles of neighbours.
        counts: weights of the samples, [N, R, S].
        count: how many samples to draw.
        random: draw them by chance; evenly spaced quantiles else.
    Returns:
        [N, R, count] without gradient.
    """
    with torch.no_grad():
        bins = (t[..., 1:] + t[..., :-1]) / 2
        density = counts[..., 1:-1] + 1e-5
        total = (density / density.sum(dim=-1, keepdim=True)).cumsum(dim=-1)
        total = torch.cat([torch.zeros_like(total[..., :1]), total], dim=-1)
        shape = (*t.shape[:-1], count)
        if random:
            u = torch.rand(shape, dtype=t.dtype, device=t.device)
        else:
            u = torch.linspace(0, 1, count, dtype=t.dtype, device=t.device).expand(shape).contiguous()
        above = torch.searchsorted(total, u).clamp(max=total.shape[-1] - 1)
        below = (torch.searchsorted(total, u) - 1).clamp(min=0)
        low, high = total.gather(-1, below), total.gather(-1, above)
        width = high - low
        width = torch.where(width < 1e-5, torch.ones_like(width), width)
        start = bins.gather(-1, below)
        return start + (u - low) / width * (bins.gather(-1, above) - start)
