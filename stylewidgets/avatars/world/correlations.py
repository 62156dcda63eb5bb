"""Natural correlations between the factors, as a Gaussian copula: what goes together changes, how often each comes does not.

A uniform becomes a standard normal, the normals are mixed so that pairs have the correlations of CORRELATIONS, and
become uniforms again. Mixing with the Cholesky factor of the correlation matrix keeps every marginal a standard normal,
so the distribution of every single factor is exactly what it was (Nelsen, An Introduction to Copulas, 2006, section 2.3).
"""

from __future__ import annotations

from functools import cache
from typing import overload

import numpy as np
import numpy.typing as npt
import torch

from .factors import INDEX, NUM_FACTORS

CORRELATIONS: tuple[tuple[str, str, float], ...] = (
    # colouring goes together: darker skin, darker hair, browner eyes (hues of irises grow from brown to blue)
    ("skin_tone", "hair_lightness", -0.65),
    ("skin_tone", "iris_hue", -0.55),
    ("hair_lightness", "iris_hue", 0.45),
    # beards grow on broad faces with thick brows, beside short hair (styles grow from bald and short to long)
    ("face_width", "jaw", 0.40),
    ("jaw", "brow_thickness", 0.35),
    ("jaw", "beard", 0.50),
    ("brow_thickness", "beard", 0.45),
    ("hair_style", "beard", -0.50),
    # made-up lips go with long hair and without a beard
    ("hair_style", "lip_colour", 0.40),
    ("hair_length", "lip_colour", 0.35),
    ("beard", "lip_colour", -0.45),
    # pale (grey) hair comes with glasses, hats sit on short hair
    ("hair_lightness", "glasses", 0.35),
    ("hair_style", "hat", -0.35),
    ("hair_length", "hat", -0.30),
    # a smile moves the whole face
    ("smile", "mouth_open", 0.45),
    ("smile", "blush", 0.35),
    ("smile", "eye_openness", -0.25),
    ("smile", "brow_angle", -0.30),
    ("brow_height", "eye_openness", 0.30),
    # eyes look where the head turns
    ("yaw", "gaze_x", 0.40),
    ("pitch", "gaze_y", 0.35),
)
"""Pairs and the correlation of their normals; the correlation of the factors themselves is a little smaller."""


@cache
def correlation_matrix() -> npt.NDArray[np.float64]:
    """CORRELATIONS as a matrix [F, F] in the order of FACTORS."""
    matrix = np.eye(NUM_FACTORS)
    for a, b, value in CORRELATIONS:
        matrix[INDEX[a], INDEX[b]] = matrix[INDEX[b], INDEX[a]] = value
    return matrix


@cache
def _terms() -> tuple[tuple[tuple[int, float], ...], ...]:
    """The Cholesky factor, row by row, without its zeros; rounded, so that every machine mixes with the same numbers."""
    lower = np.linalg.cholesky(correlation_matrix()).round(12)
    return tuple(tuple((int(j), float(row[j])) for j in np.flatnonzero(row)) for row in lower)


def mix(normal: torch.Tensor) -> torch.Tensor:
    """Independent standard normals [N, F] to correlated ones [N, F]; differentiable. A column keeps its values where
    nothing earlier in FACTORS pulls at it."""
    if normal.ndim != 2 or normal.shape[1] != NUM_FACTORS:
        raise ValueError(f"correlations are between normals [N, {NUM_FACTORS}], got {tuple(normal.shape)}")
    columns = []
    for i, terms in enumerate(_terms()):
        if len(terms) == 1:
            columns.append(normal[:, i])
            continue
        total = normal[:, terms[0][0]] * terms[0][1]
        for j, weight in terms[1:]:  # in this order everywhere, which a matrix product would not promise
            total = total + normal[:, j] * weight
        columns.append(total)
    return torch.stack(columns, 1)


@overload
def correlate(uniform: torch.Tensor) -> torch.Tensor: ...
@overload
def correlate(uniform: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]: ...
def correlate(uniform: torch.Tensor | npt.NDArray[np.floating]) -> torch.Tensor | npt.NDArray[np.float64]:
    """Independent uniforms [N, F] in (0, 1) to correlated ones, for `from_uniform`. numpy is computed in float64.

    Columns that nothing pulls at keep their values. For normals at hand use `mix`, then `torch.special.ndtr`.
    """
    if not isinstance(uniform, torch.Tensor):
        mixed: npt.NDArray[np.float64] = correlate(torch.from_numpy(np.asarray(uniform, np.float64))).numpy()
        return mixed
    tiny = torch.finfo(uniform.dtype).eps
    out = torch.special.ndtr(mix(torch.special.ndtri(uniform.clamp(tiny, 1 - tiny))))
    alone = torch.tensor([len(terms) == 1 for terms in _terms()], device=uniform.device)
    return torch.where(alone, uniform, out)
