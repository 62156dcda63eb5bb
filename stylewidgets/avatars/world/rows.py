"""Rows of factors: from uniforms, to names, to what a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import overload

import numpy as np
import numpy.typing as npt
import torch

from .factors import Factor, FloatArray
from .groups import HEAD, columns

_KNOTS = 16  # every inverse CDF is a table of 17 quantiles: linear interpolation gives the same bits on every machine


@cache
def _quantiles(factor: Factor) -> npt.NDArray[np.float64]:
    q = factor.quantiles or (factor.low, factor.high)
    return np.interp(np.linspace(0, 1, _KNOTS + 1), np.linspace(0, 1, len(q)), q)


@overload
def from_uniform(u: torch.Tensor, groups: Sequence[str] = HEAD) -> torch.Tensor: ...
@overload
def from_uniform(u: npt.NDArray[np.floating], groups: Sequence[str] = HEAD) -> FloatArray: ...
def from_uniform(u: torch.Tensor | npt.NDArray[np.floating], groups: Sequence[str] = HEAD) -> torch.Tensor | FloatArray:
    """Inverse CDF of every factor: uniforms [N, F] in (0, 1) to factors [N, F] in natural units (numpy or torch)."""
    at = columns(tuple(groups))
    at.check(u.shape, "from_uniform")
    if not isinstance(u, torch.Tensor):
        return from_uniform(torch.from_numpy(np.asarray(u, np.float64)), groups).numpy().astype(np.float32)
    quantiles = np.stack([_quantiles(factor) for factor in at.factors])
    choices = [(i, np.cumsum(f.weights)[:-1]) for i, f in enumerate(at.factors) if f.kind == "categorical"]
    table = torch.as_tensor(quantiles, dtype=u.dtype, device=u.device).T
    t = u.clamp(0, 1) * _KNOTS
    k = t.floor().clamp(max=_KNOTS - 1)
    below = table.gather(0, k.long())
    out = below + (table.gather(0, k.long() + 1) - below) * (t - k)
    for i, edges in choices:
        out[:, i] = (u[:, i, None] >= torch.as_tensor(edges, dtype=u.dtype, device=u.device)).sum(1).to(u.dtype)
    return out


def defaults(n: int = 1, groups: Sequence[str] = HEAD) -> FloatArray:
    """The neutral face, [n, F]: every factor at its default."""
    return np.tile(np.array([f.default for f in columns(tuple(groups)).factors], np.float32), (n, 1))


def by_name(factors: torch.Tensor, groups: Sequence[str] = HEAD) -> dict[str, torch.Tensor]:
    """Factors [N, F] as columns [N] with their names."""
    return {factor.name: factors[:, i] for i, factor in enumerate(columns(tuple(groups)).factors)}


def embed(factors: torch.Tensor, groups: Sequence[str] = HEAD) -> torch.Tensor:
    """Factors [N, F] as network input [N, E]: continuous in [-1, 1], circular as (sin, cos), categories one-hot.

    Of a head E is EMBED_SIZE; the numbers of other groups come behind it.
    """
    at = columns(tuple(groups))
    at.check(factors.shape, "embed")
    parts: list[torch.Tensor] = []
    for i, factor in enumerate(at.factors):
        x = factors[:, i]
        if factor.kind == "continuous":
            parts.append(((x - factor.low) * (2 / (factor.high - factor.low)) - 1)[:, None])
        elif factor.kind == "circular":
            angle = torch.deg2rad(x)
            parts.append(torch.stack([angle.sin(), angle.cos()], 1))
        else:
            index = torch.arange(len(factor.categories), dtype=torch.int64, device=x.device)
            parts.append((x.round()[:, None] == index).to(x.dtype))
    return torch.cat(parts, 1)
