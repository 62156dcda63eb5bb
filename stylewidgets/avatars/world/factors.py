"""The named factors of the avatar world: their ranges, natural distributions, sampling and network input.

A picture of the avatar world is a function of one row of ``NUM_FACTORS`` numbers in natural units (degrees, fractions,
category indices). Factors are sampled independently unless `correlations` is asked for, so a correlation measured on a generator
that was trained on independent ones is the generator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import numpy.typing as npt
import torch

FloatArray = npt.NDArray[np.float32]

_KNOTS = 16  # every inverse CDF is a table of 17 quantiles: linear interpolation gives the same bits on every machine


@dataclass(frozen=True)
class Factor:
    """One factor of the avatar world.

    Attributes:
        name: identifier, also the key in captions and tables.
        kind: "continuous" (a number in [low, high]), "circular" (degrees, 0 and 360 are the same) or "categorical"
            (an index into ``categories``).
        low, high: range in natural units (categorical: 0 and the last index).
        unit: unit in words, empty for plain fractions.
        quantiles: values at evenly spaced probabilities 0 ... 1, the factor's inverse CDF; empty means uniform.
        categories: names of the categories; ``weights``: their probabilities (sum 1).
        default: a typical value, the one that a neutral face has.
    """

    name: str
    kind: Literal["continuous", "circular", "categorical"]
    low: float
    high: float
    default: float
    unit: str = ""
    quantiles: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers `embed` uses for this factor."""
        return {"continuous": 1, "circular": 2, "categorical": len(self.categories)}[self.kind]


def _number(name: str, low: float, high: float, default: float, unit: str = "", q: tuple[float, ...] = ()) -> Factor:
    return Factor(name, "continuous", low, high, default, unit, q)


def _angle(name: str, default: float, q: tuple[float, ...] = ()) -> Factor:
    return Factor(name, "circular", 0.0, 360.0, default, "degrees", q)


def _choice(name: str, default: str, **weights: float) -> Factor:
    names = tuple(weights)
    return Factor(
        name, "categorical", 0.0, len(names) - 1.0, float(names.index(default)), "", (), names, tuple(weights.values())
    )


def _bell(low: float, high: float) -> tuple[float, ...]:
    """Quantiles that crowd the middle: a soft bell between low and high."""
    steps = (-1.0, -0.62, -0.40, -0.19, 0.0, 0.19, 0.40, 0.62, 1.0)
    return tuple((low + high) / 2 + (high - low) / 2 * s for s in steps)


_HAIR_HUES = (0.0, 14.0, 20.0, 24.0, 27.0, 30.0, 32.0, 34.0, 36.0, 38.0, 40.0, 43.0, 47.0, 180.0, 260.0, 320.0, 360.0)
_IRIS_HUES = (15.0, 20.0, 24.0, 27.0, 30.0, 35.0, 60.0, 100.0, 140.0, 190.0, 200.0, 206.0, 212.0, 220.0, 270.0)
_PLEASANT_HUES = (
    0.0,
    14.0,
    26.0,
    36.0,
    46.0,
    70.0,
    150.0,
    172.0,
    186.0,
    198.0,
    208.0,
    218.0,
    230.0,
    250.0,
    275.0,
    320.0,
    360.0,
)

FACTORS: tuple[Factor, ...] = (
    _number("yaw", -35, 35, 0, "degrees", _bell(-35, 35)),
    _number("pitch", -15, 15, 0, "degrees", _bell(-15, 15)),
    _number("roll", -10, 10, 0, "degrees", _bell(-10, 10)),
    _number("light_azimuth", -70, 70, -35, "degrees"),
    _number("light_elevation", 5, 60, 35, "degrees"),
    _number("skin_tone", 0, 1, 0.25, "0 light, 1 dark", (0.0, 0.08, 0.16, 0.25, 0.36, 0.5, 0.66, 0.82, 1.0)),
    _number("face_width", -1, 1, 0, "", _bell(-1, 1)),
    _number("jaw", -1, 1, 0, "-1 pointed, 1 square", _bell(-1, 1)),
    _choice("hair_style", "short", bald=0.06, short=0.27, bob=0.21, long=0.20, curly=0.15, bun=0.11),
    _angle("hair_hue", 28, _HAIR_HUES),
    _number("hair_lightness", 0.05, 0.85, 0.25, "", (0.05, 0.09, 0.14, 0.2, 0.27, 0.36, 0.48, 0.64, 0.85)),
    _number("hair_length", 0, 1, 0.5),
    _number("fringe", 0, 1, 0.35, "0 open forehead, 1 long fringe"),
    _number("eye_size", -1, 1, 0, "", _bell(-1, 1)),
    _number("eye_openness", 0, 1, 0.8, "0 closed", (0.0, 0.56, 0.70, 0.78, 0.83, 0.87, 0.91, 0.95, 1.0)),
    _angle("iris_hue", 28, _IRIS_HUES),
    _number("gaze_x", -1, 1, 0, "picture left to right", _bell(-1, 1)),
    _number("gaze_y", -1, 1, 0, "down to up", _bell(-1, 1)),
    _number("brow_height", -1, 1, 0, "", _bell(-1, 1)),
    _number("brow_angle", -1, 1, 0, "-1 worried, 1 stern", _bell(-1, 1)),
    _number("brow_thickness", 0, 1, 0.45),
    _number("nose_size", 0, 1, 0.4),
    _number("smile", -1, 1, 0.5, "-1 sad, 1 happy", (-1.0, -0.25, 0.1, 0.32, 0.5, 0.64, 0.77, 0.89, 1.0)),
    _number("mouth_open", 0, 1, 0, "", (0.0, 0.0, 0.0, 0.0, 0.1, 0.25, 0.42, 0.65, 1.0)),
    _number("lip_colour", 0, 1, 0.3, "0 natural, 1 vivid", (0.0, 0.05, 0.1, 0.18, 0.28, 0.4, 0.56, 0.75, 1.0)),
    _number("blush", 0, 1, 0.4),
    _choice("glasses", "none", none=0.72, round=0.15, square=0.13),
    _choice("beard", "none", none=0.74, moustache=0.10, full=0.16),
    _choice("hat", "none", none=0.76, cap=0.12, beanie=0.12),
    _angle("clothes_hue", 210, _PLEASANT_HUES),
    _number("clothes_lightness", 0.15, 0.85, 0.45),
    _angle("background_hue", 200, _PLEASANT_HUES),
    _number("background_lightness", 0.3, 0.9, 0.75, "", (0.3, 0.5, 0.6, 0.67, 0.73, 0.78, 0.82, 0.86, 0.9)),
)
NUM_FACTORS: int = len(FACTORS)
NAMES: tuple[str, ...] = tuple(f.name for f in FACTORS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}
EMBED_SIZE: int = sum(f.width for f in FACTORS)


def _quantile_table() -> npt.NDArray[np.float64]:
    table = np.zeros((NUM_FACTORS, _KNOTS + 1))
    for row, factor in zip(table, FACTORS, strict=True):
        q = factor.quantiles or (factor.low, factor.high)
        row[:] = np.interp(np.linspace(0, 1, _KNOTS + 1), np.linspace(0, 1, len(q)), q)
    return table


_TABLE = _quantile_table()
_CHOICES = [(i, np.cumsum(f.weights)[:-1]) for i, f in enumerate(FACTORS) if f.kind == "categorical"]


@overload
def from_uniform(u: torch.Tensor) -> torch.Tensor: ...
@overload
def from_uniform(u: npt.NDArray[np.floating]) -> FloatArray: ...
def from_uniform(u: torch.Tensor | npt.NDArray[np.floating]) -> torch.Tensor | FloatArray:
    """Inverse CDF of every factor: uniforms [N, F] in (0, 1) to factors [N, F] in natural units (numpy or torch)."""
    if u.ndim != 2 or u.shape[1] != NUM_FACTORS:
        raise ValueError(f"from_uniform needs an array [N, {NUM_FACTORS}], got {tuple(u.shape)}")
    if isinstance(u, torch.Tensor):
        table = torch.as_tensor(_TABLE, dtype=u.dtype, device=u.device).T
        t = u.clamp(0, 1) * _KNOTS
        k = t.floor().clamp(max=_KNOTS - 1)
        below = table.gather(0, k.long())
        out = below + (table.gather(0, k.long() + 1) - below) * (t - k)
        for i, edges in _CHOICES:
            out[:, i] = (u[:, i, None] >= torch.as_tensor(edges, dtype=u.dtype, device=u.device)).sum(1).to(u.dtype)
        return out
    x = np.clip(np.asarray(u, np.float64), 0, 1)
    t_ = x * _KNOTS
    k_ = np.minimum(np.floor(t_), _KNOTS - 1).astype(np.int64)
    column = np.arange(NUM_FACTORS)
    low = _TABLE[column, k_]
    result = low + (_TABLE[column, k_ + 1] - low) * (t_ - k_)
    for i, edges in _CHOICES:
        result[:, i] = (x[:, i, None] >= edges).sum(1)
    return result.astype(np.float32)


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def uniforms(n: int, seed: int, start: int = 0) -> npt.NDArray[np.float64]:
    """Uniforms [n, F] in (0, 1). Row i is a hash of (seed, start + i, column), so it depends on nothing else."""
    rows = np.arange(start, start + n, dtype=np.uint64)[:, None]
    columns = np.arange(NUM_FACTORS, dtype=np.uint64)[None]
    seeds = np.full((1, 1), seed & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)
    bits = _mix(_mix(_mix(seeds) ^ rows) + columns)
    fractions: npt.NDArray[np.float64] = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
    return fractions


def sample(n: int, seed: int, start: int = 0, correlated: bool = False) -> FloatArray:
    """Draw factors [n, F] in natural units. Row i depends on (seed, start + i) only and is the same on every machine.

    Independent factors by default; with `correlated`, beards go with square jaws and so on (see `CORRELATIONS`), while
    every single factor keeps its distribution, and skin tone and whatever else nothing pulls at keeps its value.
    """
    if correlated:
        from .correlations import correlate

        return from_uniform(correlate(uniforms(n, seed, start)))
    return from_uniform(uniforms(n, seed, start))


def defaults(n: int = 1) -> FloatArray:
    """The neutral face, [n, F]: every factor at its default."""
    return np.tile(np.array([f.default for f in FACTORS], np.float32), (n, 1))


def by_name(factors: torch.Tensor) -> dict[str, torch.Tensor]:
    """Factors [N, F] as columns [N] with their names."""
    return {factor.name: factors[:, i] for i, factor in enumerate(FACTORS)}


def embed(factors: torch.Tensor) -> torch.Tensor:
    """Factors [N, F] as network input [N, EMBED_SIZE]: continuous in [-1, 1], circular as (sin, cos), categories one-hot."""
    if factors.ndim != 2 or factors.shape[1] != NUM_FACTORS:
        raise ValueError(f"embed needs factors [N, {NUM_FACTORS}], got {tuple(factors.shape)}")
    parts: list[torch.Tensor] = []
    for i, factor in enumerate(FACTORS):
        x = factors[:, i]
        if factor.kind == "continuous":
            parts.append(((x - factor.low) * (2 / (factor.high - factor.low)) - 1)[:, None])
        elif factor.kind == "circular":
            angle = torch.deg2rad(x)
            parts.append(torch.stack([angle.sin(), angle.cos()], 1))
        else:
            index = torch.arange(len(factor.categories), device=x.device)
            parts.append((x.round()[:, None] == index).to(x.dtype))
    return torch.cat(parts, 1)
