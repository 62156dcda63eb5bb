"""Which factors a picture shows at all: the hair length of a bald head and the iris behind a closed lid cannot be read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...ops.devices import float_tensor
from ..world.factors import FACTORS, INDEX, NAMES
from .features import REGION
from .renderer import render

Mask = npt.NDArray[np.bool_]

RULES: dict[str, str] = {
    "jaw": "no full beard, and no hair that hangs beside the jaw (bob, long)",
    "hair_style": "no hat",
    "hair_hue": "hair covers 1 % of the picture and its lightness is at least 0.12",
    "hair_lightness": "hair covers 1 % of the picture",
    "hair_length": "not bald; short hair and a bun without a hat",
    "fringe": "not bald, no hat",
    "eye_size": "eye openness at least 0.15, an eye is in sight",
    "iris_hue": "eye openness at least 0.35, an eye is in sight",
    "gaze_x": "eye openness at least 0.35, an eye is in sight",
    "gaze_y": "eye openness at least 0.35, an eye is in sight",
    "brow_height": "the middle of a brow is not behind hair or hat",
    "brow_angle": "a brow's inner and outer ends are not behind hair or hat",
    "brow_thickness": "the middle of a brow is not behind hair or hat",
    "blush": "no full beard",
}
"""When a factor counts as visible, in words, for those that can be hidden. All others always do."""

_COVERS = tuple(REGION[name] for name in ("hair", "hat", "background"))
_SIDE = 64  # the side of the picture that the rules look at


def visible(factors: Tensor | npt.NDArray[np.floating], labels: Tensor | None = None) -> Mask:
    """Whether each factor can be seen, bool [N, F] in the order of FACTORS, by RULES.

    Args:
        factors: [N, F] in natural units.
        labels: segmentation [N, H, W] of the same avatars, drawn here when None.
    """
    x = float_tensor(factors)
    made = render(
        x,
        _SIDE if labels is None else labels.shape[-1],
        outputs=("landmarks",) if labels is not None else ("segmentation", "landmarks"),
    )
    label = made.segmentation if labels is None else labels
    sight = _Sight(x.cpu().numpy(), label.cpu(), made.landmarks.cpu())
    seen = np.ones((len(x), len(FACTORS)), np.bool_)
    for name, mask in sight.masks().items():
        seen[:, INDEX[name]] = mask
    return seen


class _Sight:
    """What is needed of a batch of avatars to apply the rules."""

    def __init__(self, factors: npt.NDArray[np.float32], label: Tensor, landmarks: Tensor) -> None:
        self.v = {name: factors[:, i] for i, name in enumerate(NAMES)}
        self.label, self.landmarks = label, landmarks

    def masks(self) -> dict[str, Mask]:
        """A mask [N] for every rule."""
        v = self.v
        bare, bearded = v["hat"] < 0.5, self._is("beard", "full")
        bald, hair = self._is("hair_style", "bald"), self._share("hair") >= 0.01
        eyes = self._share("eye_left", "eye_right") > 0
        open_ = eyes & (v["eye_openness"] >= 0.35)
        middle = self._in_sight("brow_left_middle") | self._in_sight("brow_right_middle")
        ends = np.zeros_like(middle)
        for side in ("left", "right"):
            ends |= self._in_sight(f"brow_{side}_inner") & self._in_sight(f"brow_{side}_outer")
        return {
            "jaw": ~bearded & ~self._is("hair_style", "bob", "long"),
            "hair_style": bare,
            "hair_hue": hair & (v["hair_lightness"] >= 0.12),
            "hair_lightness": hair,
            "hair_length": ~bald & (bare | self._is("hair_style", "bob", "long", "curly")),
            "fringe": ~bald & bare,
            "eye_size": eyes & (v["eye_openness"] >= 0.15),
            "iris_hue": open_,
            "gaze_x": open_,
            "gaze_y": open_,
            "brow_height": middle,
            "brow_thickness": middle,
            "brow_angle": ends,
            "blush": ~bearded,
        }

    def _is(self, factor: str, *names: str) -> Mask:
        categories = FACTORS[INDEX[factor]].categories
        return np.isin(self.v[factor].round().astype(int), [categories.index(name) for name in names])

    def _share(self, *regions: str) -> npt.NDArray[np.float32]:
        flat = self.label.flatten(1)
        found = torch.zeros(len(flat), dtype=torch.float32, device="cpu")
        for region in regions:
            found += (flat == REGION[region]).float().mean(1)
        share: npt.NDArray[np.float32] = found.numpy()
        return share

    def _in_sight(self, landmark: str) -> Mask:
        from .landmarks import LANDMARKS

        place = self.landmarks[:, LANDMARKS.index(landmark)].floor().long().clamp(0, self.label.shape[-1] - 1)
        there = self.label[torch.arange(len(place), dtype=torch.int64, device="cpu"), place[:, 1], place[:, 0]]
        covered = torch.zeros(len(there), dtype=torch.bool, device="cpu")
        for region in _COVERS:
            covered |= there == region
        seen: Mask = (~covered).numpy()
        return seen
