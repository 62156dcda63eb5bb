"""The avatar world as a dataset: item i is drawn when it is asked for, always the same."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.checks import unknown_name
from ..drawing.camera import Camera
from ..drawing.renderer import OUTPUTS, render
from .captions import caption
from .groups import HEAD, framed, with_head
from .sampling import sample


def to_uint8(image: Tensor) -> Tensor:
    """Pictures in [-1, 1] to uint8, as every generator of this package is shown."""
    return (image * 127.5 + 128).clamp(0, 255).to(torch.uint8)


class AvatarDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Pictures with their truth.

    Item i is a dict: image uint8 [3, H, W], segmentation uint8 [H, W] (index into REGIONS), landmarks float32 [K, 2] in
    pixels, depth [H, W], normals [3, H, W], uv [2, H, W], camera (a `Camera` of [4, 4] matrices), points [K, 3], part
    [H, W], as `Render` describes them; factors float32 [F], caption str. It depends on (seed, i), resolution and
    correlated only.

    Args:
        seed, n: which avatars, and how many.
        resolution: side of the pictures in pixels.
        outputs: which of OUTPUTS an item has; factors and caption are always there.
        correlated: factors go together as in `CORRELATIONS`; independent by default.
        variants: number of caption wordings; item i has wording i % variants.
        device: where pictures are drawn and stay.
        groups: of factors, see `sample`; "head" among them.
        framing: "head", or "half" with the group "body"; see `render`.
    """

    def __init__(
        self,
        seed: int = 0,
        n: int = 1000,
        resolution: int = 128,
        outputs: Collection[str] = OUTPUTS,
        correlated: bool = False,
        variants: int = 1,
        device: str | torch.device = "cpu",
        groups: Sequence[str] = HEAD,
        framing: str = "head",
    ) -> None:
        with_head(groups, "a data set")
        framed(framing, groups)
        for name in outputs:
            if name not in OUTPUTS:
                raise unknown_name("output", name, OUTPUTS)
        self.seed, self.n, self.resolution = map(operator.index, (seed, n, resolution))
        self.outputs = tuple(outputs)
        self.correlated, self.variants, self.device = correlated, max(1, variants), torch.device(device)
        self.groups, self.framing = tuple(groups), framing

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self.batch([index])
        one = {
            name: Camera(*(m[0] for m in value)) if isinstance(value, Camera) else value[0]
            for name, value in item.items()
        }
        return one | ({"groups": self.groups} if "groups" in item else {})

    def batch(self, indices: Iterable[int]) -> dict[str, Any]:
        """Some items at once, quicker than one by one: tensors with a first axis more, captions as a list."""
        rows = [self._row(i) for i in indices]
        drawn = [sample(1, self.seed, i, self.correlated, self.groups) for i in rows]
        factors = torch.from_numpy(np.concatenate(drawn) if drawn else sample(0, self.seed, groups=self.groups))
        made = render(
            factors.to(self.device), self.resolution, outputs=self.outputs, groups=self.groups, framing=self.framing
        )
        item: dict[str, Any] = {name: getattr(made, name) for name in made.names}
        if "image" in item:
            item["image"] = to_uint8(item["image"])
        captions = [
            caption(f, i % self.variants, self.groups, self.framing) for f, i in zip(factors.numpy(), rows, strict=True)
        ]
        usual = self.groups == HEAD  # what rows have when nothing is said
        return (
            item
            | {"factors": factors.to(self.device), "caption": captions}
            | ({} if usual else {"groups": self.groups})
        )

    def _row(self, index: int) -> int:
        i = operator.index(index)
        if not -self.n <= i < self.n:
            raise IndexError(f"avatar {index} asked for, the dataset has 0 to {self.n - 1}")
        return i % self.n
