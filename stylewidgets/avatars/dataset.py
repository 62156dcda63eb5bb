"""The avatar world as a dataset: item i is drawn when it is asked for, always the same."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor

from stylewidgets.avatars.factors import FACTORS, INDEX, sample
from stylewidgets.avatars.renderer import render


def to_uint8(image: Tensor) -> Tensor:
    """Pictures in [-1, 1] to uint8, as every generator of this package is shown."""
    return (image * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def caption(factors: Tensor) -> str:
    """A sentence in English about one avatar, from its factors [F]."""
    value = {f.name: float(factors[i]) for i, f in enumerate(FACTORS)}

    def category(name: str) -> str:
        return FACTORS[INDEX[name]].categories[round(value[name])]

    light = value["hair_lightness"]
    hue = value["hair_hue"]
    dyed = "red" if hue < 15 or hue > 340 else "green" if 70 < hue < 170 else "blue" if hue < 255 else "purple"
    natural = "black" if light < 0.12 else "brown" if light < 0.4 else "blond"
    colour = natural if light < 0.12 or 15 <= hue <= 70 else dyed
    style = category("hair_style")
    hair = {"bald": "a bald head", "bob": f"a {colour} bob", "bun": f"{colour} hair in a bun"}.get(
        style, f"{style} {colour} hair")
    extras = [hair]
    if category("beard") != "none":
        extras.append({"moustache": "a moustache", "full": "a full beard"}[category("beard")])
    if category("glasses") != "none":
        extras.append(f"{category('glasses')} glasses")
    if category("hat") != "none":
        extras.append(f"a {category('hat')}")
    mood = "smiling" if value["smile"] > 0.35 else "sad" if value["smile"] < -0.2 else "calm"
    turn = "" if abs(value["yaw"]) < 12 else ", looking to the " + ("right" if value["yaw"] > 0 else "left")
    listed = extras[0] if len(extras) == 1 else ", ".join(extras[:-1]) + " and " + extras[-1]
    return f"a {mood} face with {listed}{turn}"


class AvatarDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Pictures with their truth.

    Item i is a dict: image uint8 [3, H, W], factors float32 [F], segmentation uint8 [H, W] (index into REGIONS),
    landmarks float32 [K, 2] in pixels, caption str. It depends on (seed, i) and resolution only.
    """

    def __init__(self, seed: int = 0, n: int = 1000, resolution: int = 128) -> None:
        self.seed, self.n, self.resolution = seed, n, resolution

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> dict[str, Any]:
        i = operator.index(index)
        if not -self.n <= i < self.n:
            raise IndexError(f"avatar {index} asked for, the dataset has 0 to {self.n - 1}")
        factors = torch.from_numpy(sample(1, self.seed, i % self.n))
        result = render(factors, self.resolution)
        return {"image": to_uint8(result.image[0]), "factors": factors[0], "segmentation": result.segmentation[0],
                "landmarks": result.landmarks[0], "caption": caption(factors[0])}
