"""The latent mapper as arithmetic (Patashnik et al. 2021, section 5): small networks that answer a code with a change of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...latent.mapped import LEVELS

Layers = list[tuple[Tensor, Tensor]]
"""Weight [out, in] and bias [out] of each layer of one network."""

RATE = 0.01
"""Of weights and biases against what is stored: parameters are drawn with deviation 1 / RATE, so Adam's steps stay small."""
STEP = 0.1
"""A change is this times the answer of the network."""
DEPTH = 4
GAIN, SLOPE, TINY = 2**0.5, 0.2, 1e-8


def rows_of(num_ws: int) -> dict[str, slice]:
    """The rows of w+ of each level: 0–3, 4–7 and the rest, of a generator with fewer as far as there are."""
    ends = (0, min(4, num_ws), min(8, num_ws), num_ws)
    return {level: slice(ends[i], ends[i + 1]) for i, level in enumerate(LEVELS)}


def answer(layers: Layers, x: Tensor) -> Tensor:
    """One network on a code [N, …, features].

    PixelNorm divides by the root mean square over **axis 1** as the published code does: for [N, rows, features] that is over
    the rows of the level. Each layer is then x·(0.01 Wᵀ / √in) + 0.01 b, leaky ReLU of 0.2, times √2.
    """
    x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + TINY)
    for weight, bias in layers:
        x = F.leaky_relu(F.linear(x, weight * (RATE / weight.shape[1] ** 0.5), bias * RATE), SLOPE) * GAIN
    return x


def change_w(nets: Mapping[str, Layers], w: Tensor, levels: Sequence[str]) -> Tensor:
    """STEP · M(w), [N, num_ws, w_dim]; rows without a network stay.

    Args:
        nets: by level, or one called "all" for every row.
        w: w+ [N, num_ws, w_dim].
        levels: those that take part; a net for all rows always does.
    """
    if "all" in nets:
        return STEP * answer(nets["all"], w)
    parts = [
        answer(nets[level], w[:, rows]) if level in nets and level in levels else torch.zeros_like(w[:, rows])
        for level, rows in rows_of(w.shape[1]).items()
        if rows.stop > rows.start
    ]
    return STEP * torch.cat(parts, dim=1)


def change_s(nets: Mapping[str, Layers], styles: Tensor, sizes: Sequence[int]) -> Tensor:
    """STEP · M(s), [N, sum of channels]: a network for each convolution, named by its place; ToRGB layers have none.

    Args:
        sizes: channels of each layer.
    """
    parts = torch.split(styles, list(sizes), dim=1)
    made = [answer(nets[str(i)], part) if str(i) in nets else torch.zeros_like(part) for i, part in enumerate(parts)]
    return STEP * torch.cat(made, dim=1)


def drawn(width: int, source: torch.Generator, device: torch.device) -> Layers:
    """A network as it is before training: weights of deviation 1 / RATE, biases 0."""
    return [
        (
            (torch.randn(width, width, generator=source, dtype=torch.float32, device="cpu") / RATE).to(device),
            torch.zeros(width, dtype=torch.float32, device=device),
        )
        for _ in range(DEPTH)
    ]
