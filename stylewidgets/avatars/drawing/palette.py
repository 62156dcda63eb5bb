"""Colours of the avatar world: from factors to believable tones. Everything here returns linear light, [N, 3]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Values = Mapping[str, Tensor]  # every factor by name, each [N]

_SKIN = (
    (255, 222, 200),
    (250, 206, 176),
    (238, 184, 146),
    (214, 152, 112),
    (174, 114, 76),
    (128, 82, 54),
    (88, 56, 40),
)
_LIPS = ((190, 92, 90), (205, 62, 84), (205, 24, 58))


def ramp(stops: Sequence[tuple[int, int, int]], t: Tensor) -> Tensor:
    """Colour at t in [0, 1] along evenly spaced sRGB stops (0..255), as linear light [N, 3]."""
    table = torch.tensor(stops, dtype=t.dtype, device=t.device) / 255
    place = t.clamp(0, 1) * (len(stops) - 1)
    index = place.floor().clamp(max=len(stops) - 2)
    low, high = table[index.long()], table[index.long() + 1]
    return linear(low + (high - low) * (place - index)[:, None])


def linear(colour: Tensor) -> Tensor:
    """Display values to linear light; a gamma of 2 is close to sRGB and cheap to invert."""
    return colour * colour


def hsl(hue: Tensor, saturation: Tensor | float, lightness: Tensor) -> Tensor:
    """Hue in degrees, saturation and lightness in [0, 1], each [N], as linear light [N, 3]."""
    reach = saturation * torch.minimum(lightness, 1 - lightness)
    channels = []
    for offset in (0.0, 8.0, 4.0):
        k = (hue / 30 + offset) % 12
        channels.append(lightness - reach * torch.minimum(k - 3, 9 - k).clamp(-1, 1))
    return linear(torch.stack(channels, 1))


def skin(v: Values) -> Tensor:
    """Skin tone."""
    return ramp(_SKIN, v["skin_tone"])


def hair(v: Values) -> Tensor:
    """Hair: natural hues are less saturated when very light or very dark, the others are dyed and stay vivid."""
    natural = (torch.deg2rad(v["hair_hue"] - 30).cos() - 0.6).clamp(0) / 0.4
    light = v["hair_lightness"]
    return hsl(v["hair_hue"], 0.52 + 0.1 * natural - 0.12 * light * natural, 0.02 + 0.82 * light)


def brow(v: Values) -> Tensor:
    """Brows: the hair's colour, darkened so that they read on any skin."""
    return hair(v) * 0.45 + skin(v) * 0.04


def lips(v: Values) -> Tensor:
    """Lips: from a redder skin to a vivid red."""
    natural = skin(v) * torch.tensor((0.78, 0.42, 0.44), dtype=v["skin_tone"].dtype, device=v["skin_tone"].device)
    t = v["lip_colour"]
    return torch.lerp(natural, ramp(_LIPS, t), (0.1 + 0.85 * t)[:, None])


def iris(v: Values) -> Tensor:
    """Iris: brown hues dark, the cool ones lighter."""
    warm = (torch.deg2rad(v["iris_hue"] - 25).cos() - 0.4).clamp(0) / 0.6
    return hsl(v["iris_hue"], 0.62 - 0.02 * warm, 0.44 - 0.14 * warm)


def clothes(v: Values) -> Tensor:
    """Clothes."""
    return hsl(v["clothes_hue"], 0.48, 0.08 + 0.76 * v["clothes_lightness"])


def pattern(v: Values) -> Tensor:
    """Stripes, checks and badges on clothes."""
    return hsl(v["pattern_hue"], 0.6, v["pattern_lightness"])


def ink(v: Values) -> Tensor:
    """The letter on a badge and its rim: dark on a light badge, light on a dark one."""
    light = (v["pattern_lightness"] < 0.5).to(v["pattern_lightness"].dtype)
    return hsl(v["pattern_hue"], 0.3, 0.08 + 0.86 * light)


def trousers(v: Values) -> Tensor:
    """Trousers: a muted hue, dark under light clothes."""
    return hsl(v["clothes_hue"] + 190, 0.22, 0.44 - 0.36 * v["clothes_lightness"])


def hat(v: Values) -> Tensor:
    """Hats go with the clothes: a neighbouring hue, and dark where the clothes are light."""
    return hsl(v["clothes_hue"] + 150, 0.55, 0.62 - 0.42 * v["clothes_lightness"])


def background(v: Values) -> Tensor:
    """Background: soft colours."""
    return hsl(v["background_hue"], 0.16 + 0.26 * v["background_lightness"], v["background_lightness"])
