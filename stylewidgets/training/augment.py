"""Small disturbances of renders, so that a network trained on them reads generated pictures, too."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def augment(x: Tensor, random: np.random.RandomState) -> Tensor:
    """What separates a generator's picture from a render: a shift by a pixel, blur, noise, a little brightness."""
    dx, dy = random.randint(0, 3, size=2)
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")[..., dy : x.shape[-2] + dy, dx : x.shape[-1] + dx]
    if random.rand() < 0.5:
        side = random.uniform(0.05, 0.3)
        kernel = x.new_tensor([side / 2, 1 - side, side / 2])
        x = _separable(x, kernel)
    n = len(x)
    gain = x.new_tensor(random.normal(1.0, 0.03, size=(n, 1, 1, 1)))
    offset = x.new_tensor(random.normal(0.0, 0.03, size=(n, 1, 1, 1)))
    level = x.new_tensor(np.abs(random.normal(0.0, 0.04, size=(n, 1, 1, 1))))
    # Seeded from the step, so that a resumed run sees what an uninterrupted one would have seen.
    generator = torch.Generator(x.device).manual_seed(int(random.randint(2**31 - 1)))
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=torch.float32)
    return (x * gain + offset + noise * level).clamp(-1, 1)


def _separable(x: Tensor, kernel: Tensor) -> Tensor:
    channels = x.shape[1]
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = F.conv2d(x, kernel.view(1, 1, 1, 3).expand(channels, 1, 1, 3), groups=channels)
    return F.conv2d(x, kernel.view(1, 1, 3, 1).expand(channels, 1, 3, 1), groups=channels)
