"""The factors of a head: their ranges, natural distributions, and which of them go together.

A picture of the avatar world is a function of one row of numbers in natural units (degrees, fractions, category indices).
These are the first ``NUM_FACTORS`` of a row; more come in groups, see `groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


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


def number(name: str, low: float, high: float, default: float, unit: str = "", q: tuple[float, ...] = ()) -> Factor:
    """A continuous factor; `q` are its quantiles."""
    return Factor(name, "continuous", low, high, default, unit, q)


def angle(name: str, default: float, q: tuple[float, ...] = ()) -> Factor:
    """A circular factor, in degrees."""
    return Factor(name, "circular", 0.0, 360.0, default, "degrees", q)


def choice(name: str, default: str, **weights: float) -> Factor:
    """A categorical factor: categories and their probabilities."""
    names = tuple(weights)
    return Factor(
        name, "categorical", 0.0, len(names) - 1.0, float(names.index(default)), "", (), names, tuple(weights.values())
    )


def bell(low: float, high: float) -> tuple[float, ...]:
    """Quantiles that crowd the middle: a soft bell between low and high."""
    steps = (-1.0, -0.62, -0.40, -0.19, 0.0, 0.19, 0.40, 0.62, 1.0)
    return tuple((low + high) / 2 + (high - low) / 2 * s for s in steps)


_HAIR_HUES = (0.0, 14.0, 20.0, 24.0, 27.0, 30.0, 32.0, 34.0, 36.0, 38.0, 40.0, 43.0, 47.0, 180.0, 260.0, 320.0, 360.0)
_IRIS_HUES = (15.0, 20.0, 24.0, 27.0, 30.0, 35.0, 60.0, 100.0, 140.0, 190.0, 200.0, 206.0, 212.0, 220.0, 270.0)
PLEASANT_HUES = (
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
    number("yaw", -35, 35, 0, "degrees", bell(-35, 35)),
    number("pitch", -15, 15, 0, "degrees", bell(-15, 15)),
    number("roll", -10, 10, 0, "degrees", bell(-10, 10)),
    number("light_azimuth", -70, 70, -35, "degrees"),
    number("light_elevation", 5, 60, 35, "degrees"),
    number("skin_tone", 0, 1, 0.25, "0 light, 1 dark", (0.0, 0.08, 0.16, 0.25, 0.36, 0.5, 0.66, 0.82, 1.0)),
    number("face_width", -1, 1, 0, "", bell(-1, 1)),
    number("jaw", -1, 1, 0, "-1 pointed, 1 square", bell(-1, 1)),
    choice("hair_style", "short", bald=0.06, short=0.27, bob=0.21, long=0.20, curly=0.15, bun=0.11),
    angle("hair_hue", 28, _HAIR_HUES),
    number("hair_lightness", 0.05, 0.85, 0.25, "", (0.05, 0.09, 0.14, 0.2, 0.27, 0.36, 0.48, 0.64, 0.85)),
    number("hair_length", 0, 1, 0.5),
    number("fringe", 0, 1, 0.35, "0 open forehead, 1 long fringe"),
    number("eye_size", -1, 1, 0, "", bell(-1, 1)),
    number("eye_openness", 0, 1, 0.8, "0 closed", (0.0, 0.56, 0.70, 0.78, 0.83, 0.87, 0.91, 0.95, 1.0)),
    angle("iris_hue", 28, _IRIS_HUES),
    number("gaze_x", -1, 1, 0, "picture left to right", bell(-1, 1)),
    number("gaze_y", -1, 1, 0, "down to up", bell(-1, 1)),
    number("brow_height", -1, 1, 0, "", bell(-1, 1)),
    number("brow_angle", -1, 1, 0, "-1 worried, 1 stern", bell(-1, 1)),
    number("brow_thickness", 0, 1, 0.45),
    number("nose_size", 0, 1, 0.4),
    number("smile", -1, 1, 0.5, "-1 sad, 1 happy", (-1.0, -0.25, 0.1, 0.32, 0.5, 0.64, 0.77, 0.89, 1.0)),
    number("mouth_open", 0, 1, 0, "", (0.0, 0.0, 0.0, 0.0, 0.1, 0.25, 0.42, 0.65, 1.0)),
    number("lip_colour", 0, 1, 0.3, "0 natural, 1 vivid", (0.0, 0.05, 0.1, 0.18, 0.28, 0.4, 0.56, 0.75, 1.0)),
    number("blush", 0, 1, 0.4),
    choice("glasses", "none", none=0.72, round=0.15, square=0.13),
    choice("beard", "none", none=0.74, moustache=0.10, full=0.16),
    choice("hat", "none", none=0.76, cap=0.12, beanie=0.12),
    angle("clothes_hue", 210, PLEASANT_HUES),
    number("clothes_lightness", 0.15, 0.85, 0.45),
    angle("background_hue", 200, PLEASANT_HUES),
    number("background_lightness", 0.3, 0.9, 0.75, "", (0.3, 0.5, 0.6, 0.67, 0.73, 0.78, 0.82, 0.86, 0.9)),
)
NUM_FACTORS: int = len(FACTORS)
NAMES: tuple[str, ...] = tuple(f.name for f in FACTORS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}
EMBED_SIZE: int = sum(f.width for f in FACTORS)

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
