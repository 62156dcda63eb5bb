"""Natural correlations between the factors, as a Gaussian copula: what goes together changes, how often each comes does not.

A uniform becomes a standard normal, the normals are mixed so that pairs have their correlations, and
become uniforms again. Mixing with the Cholesky factor of the correlation matrix keeps every marginal a standard normal,
so the distribution of every single factor is exactly what it was (Nelsen, An Introduction to Copulas, 2006, section 2.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import overload

import numpy as np
import numpy.typing as npt
import torch

from .groups import GROUPS, HEAD, Group, columns


@cache
def correlation_matrix(group: Group = GROUPS["head"]) -> npt.NDArray[np.float64]:
    """The correlations of a group as a matrix [F, F] in the order of its factors; without an argument CORRELATIONS."""
    matrix = np.eye(len(group.factors))
    index = {factor.name: i for i, factor in enumerate(group.factors)}
    for a, b, value in group.correlations:
        matrix[index[a], index[b]] = matrix[index[b], index[a]] = value
    return matrix


@cache
def _terms(group: Group) -> tuple[tuple[tuple[int, float], ...], ...]:
    """The Cholesky factor, row by row, without its zeros; rounded, so that every machine mixes with the same numbers."""
    lower = np.linalg.cholesky(correlation_matrix(group)).round(12)
    return tuple(tuple((int(j), float(row[j])) for j in np.flatnonzero(row)) for row in lower)


def mix(normal: torch.Tensor, groups: Sequence[str] = HEAD) -> torch.Tensor:
    """Independent standard normals [N, F] to correlated ones [N, F]; differentiable. A column keeps its values where
    nothing earlier in its group pulls at it."""
    at = columns(tuple(groups))
    at.check(normal.shape, "mix")
    mixed = []
    for group, part in at.slices():
        own = normal[:, part]
        for i, terms in enumerate(_terms(group)):
            if len(terms) == 1:
                mixed.append(own[:, i])
                continue
            total = own[:, terms[0][0]] * terms[0][1]
            for j, weight in terms[1:]:  # in this order everywhere, which a matrix product would not promise
                total = total + own[:, j] * weight
            mixed.append(total)
    return torch.stack(mixed, 1)


@overload
def correlate(uniform: torch.Tensor, groups: Sequence[str] = HEAD) -> torch.Tensor: ...
@overload
def correlate(uniform: npt.NDArray[np.floating], groups: Sequence[str] = HEAD) -> npt.NDArray[np.float64]: ...
def correlate(
    uniform: torch.Tensor | npt.NDArray[np.floating], groups: Sequence[str] = HEAD
) -> torch.Tensor | npt.NDArray[np.float64]:
    """Independent uniforms [N, F] in (0, 1) to correlated ones, for `from_uniform`. numpy is computed in float64.

    Columns that nothing pulls at keep their values. For normals at hand use `mix`, then `torch.special.ndtr`.
    """
    if not isinstance(uniform, torch.Tensor):
        mixed: npt.NDArray[np.float64] = correlate(torch.from_numpy(np.asarray(uniform, np.float64)), groups).numpy()
        return mixed
    tiny = torch.finfo(uniform.dtype).eps
    out = torch.special.ndtr(mix(torch.special.ndtri(uniform.clamp(tiny, 1 - tiny)), groups))
    rows = [terms for group in columns(tuple(groups)).groups for terms in _terms(group)]
    alone = torch.tensor([len(terms) == 1 for terms in rows], dtype=torch.bool, device=uniform.device)
    return torch.where(alone, uniform, out)
