"""Samples on a ray: evenly, then where the density is, and what they add up to (Chan et al., 2022; Max, 1995)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

TINY = 1e-5


@dataclass(frozen=True)
class Samples:
    """How samples are taken on rays.

    Attributes:
        coarse, fine: how many, evenly and then where the density is; None for as many as the generator was trained with.
        seed: of the random numbers that move them, so that a picture repeats; None draws new ones for every picture, as the
            published program does.
    """

    coarse: int | None = None
    fine: int | None = None
    seed: int | None = 0

    def __post_init__(self) -> None:
        for name, least in (("coarse", 4), ("fine", 0), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ValueError(f"{name} is a whole number from {least} up, or None; {value!r} was given")


def spans(origins: Tensor, directions: Tensor, box: float) -> tuple[Tensor, Tensor]:
    """Where rays [N, R, 3] enter and leave a box around the origin, [N, R] each.

    Those that miss it begin where the first of the picture's others begins and end where the last *begins*, as published.
    """
    inverse = 1 / torch.where(directions == 0, torch.full_like(directions, 1e-20), directions)
    ends = torch.stack([(-box / 2 - origins) * inverse, (box / 2 - origins) * inverse])
    near, far = ends.amin(dim=0).amax(dim=2), ends.amax(dim=0).amin(dim=2)
    hit = far > near
    first = torch.where(hit, near, torch.inf).amin(dim=1, keepdim=True)
    last = torch.where(hit, near, -torch.inf).amax(dim=1, keepdim=True)
    none = ~hit.any(dim=1, keepdim=True)
    first, last = torch.where(none, near, first), torch.where(none, near + box, last)
    return torch.where(hit, near, first), torch.where(hit, far, last)


def even(near: Tensor, far: Tensor, jitter: Tensor) -> Tensor:
    """Evenly from near to far [N, R], each moved on by a random part (0 to 1, [N, R, S]) of the step: [N, R, S]."""
    count = jitter.shape[-1]
    line = torch.linspace(0, 1, count, dtype=torch.float32, device=near.device)
    span = (far - near)[..., None]
    return near[..., None] + (line + jitter / (count - 1)) * span


def weights_of(t: Tensor, density: Tensor) -> Tensor:
    """What the middle between each two samples counts, [..., S − 1]: of sorted t [..., S] and raw densities there."""
    middle = F.softplus((density[..., 1:] + density[..., :-1]) / 2 - 1)
    alpha = 1 - torch.exp(-middle * (t[..., 1:] - t[..., :-1]))
    through = torch.cumprod(1 - alpha + 1e-10, dim=-1)
    return alpha * torch.cat([torch.ones_like(through[..., :1]), through[..., :-1]], dim=-1)


def finer(t: Tensor, weights: Tensor, u: Tensor) -> Tensor:
    """More samples where the weights are: t [P, S], weights [P, S − 1] and random numbers u [P, F] → [P, F]; no gradient."""
    with torch.no_grad():
        widest = F.max_pool1d(weights[:, None], 2, stride=1, padding=1)
        smooth = F.avg_pool1d(widest, 2, stride=1)[:, 0] + 0.01
        bins, inner = (t[:, 1:] + t[:, :-1]) / 2, smooth[:, 1:-1] + TINY
        steps = torch.cumsum(inner / inner.sum(dim=1, keepdim=True), dim=1)
        steps = torch.cat([torch.zeros_like(steps[:, :1]), steps], dim=1)
        place = torch.searchsorted(steps, u.contiguous(), right=True)
        below, above = (place - 1).clamp_min(0), place.clamp_max(steps.shape[1] - 1)
        low, high = steps.gather(1, below), steps.gather(1, above)
        step = torch.where(high - low < TINY, torch.ones_like(low), high - low)
        start = bins.gather(1, below)
        return start + (u - low) / step * (bins.gather(1, above) - start)


class Draws:
    """The random numbers of rays: the same for every picture of a batch, and for a ray whatever rays it is drawn with.

    Args:
        seed: 0 and more; None draws new ones each time.
        device: where they are wanted.
    """

    PERIOD = 4099  # rays after which they repeat: a prime, so that no two rows of a picture have the same

    def __init__(self, seed: int | None, device: torch.device) -> None:
        self.seed, self.device = seed, device
        self._kept: dict[tuple[int, int], Tensor] = {}

    def __call__(self, stage: int, first: int, rays: int, pictures: int, count: int) -> Tensor:
        """Even numbers from 0 to 1, [1 or pictures, rays, count].

        Args:
            stage: 0 for the coarse samples, 1 for the fine ones.
            first, rays: which rays, by their number in reading order.
            pictures: in the batch.
            count: samples on each.
        """
        if self.seed is None:
            return torch.rand(pictures, rays, count, dtype=torch.float32, device=self.device)
        if (stage, count) not in self._kept:
            source = torch.Generator().manual_seed(2 * self.seed + stage)
            made = torch.rand(self.PERIOD, count, generator=source, dtype=torch.float32, device="cpu")
            self._kept[stage, count] = made.to(self.device)
        places = torch.arange(first, first + rays, dtype=torch.int64, device=self.device) % self.PERIOD
        return self._kept[stage, count][places][None]
