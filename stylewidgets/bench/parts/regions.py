"""What a part of an avatar is: which regions of the picture show it, and which factors make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...avatars.drawing.renderer import REGIONS, render
from ...avatars.world.factors import INDEX

WIDER = 0.02
"""Share of the side that a mask is widened by on every side."""


@dataclass(frozen=True)
class Part:
    """regions: labels of the segmentation that show it; factors: those that are its own."""

    regions: tuple[str, ...]
    factors: tuple[str, ...]

    @property
    def columns(self) -> list[int]:
        """Places of its factors in a row."""
        return [INDEX[name] for name in self.factors]


PARTS: dict[str, Part] = {
    "eyes": Part(("eye_left", "eye_right"), ("eye_size", "eye_openness", "iris_hue", "gaze_x", "gaze_y")),
    "mouth": Part(("mouth", "mouth_inner"), ("smile", "mouth_open", "lip_colour")),
    "hair": Part(("hair",), ("hair_style", "hair_hue", "hair_lightness", "hair_length", "fringe")),
    "brows": Part(("brows",), ("brow_height", "brow_angle", "brow_thickness")),
    "nose": Part(("nose",), ("nose_size",)),
    "hat": Part(("hat",), ("hat",)),
    "clothes": Part(("clothes",), ("clothes_hue", "clothes_lightness")),
    "background": Part(("background",), ("background_hue", "background_lightness")),
}


def segmented(factors: Tensor, side: int) -> Tensor:
    """The exact segmentation of rows of factors, uint8 [N, H, W], of the rays through the centres of pixels."""
    return render(factors, side, supersample=1, outputs=("segmentation",)).segmentation


def mask_of(labels: Tensor, part: str) -> Tensor:
    """Where a part is, bool [N, H, W]."""
    places = [REGIONS.index(name) for name in PARTS[part].regions]
    return torch.isin(labels, labels.new_tensor(places))


def joined(before: Tensor, after: Tensor, share: float = WIDER) -> Tensor:
    """The union of two masks [N, H, W], widened by a share of the side."""
    reach = round(share * before.shape[-1])
    both = (before | after)[:, None].float()
    return F.max_pool2d(both, 2 * reach + 1, 1, reach)[:, 0] > 0


def swapped(factors: Tensor, others: Tensor, parts: Sequence[str]) -> Tensor:
    """Rows of factors with those of some parts from other rows, [N, F]: the truth of a transfer."""
    made = factors.clone()
    for part in parts:
        made[:, PARTS[part].columns] = others[:, PARTS[part].columns]
    return made
