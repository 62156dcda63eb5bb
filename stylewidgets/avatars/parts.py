"""What is known about pictures of avatars, as `domain.DOMAIN` has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..domain import Example, Floats, Moved, Pixels, Reader
from .drawing.renderer import render
from .reading import judge
from .reading.estimates import Estimate, estimate
from .reading.factor_net import bundled
from .reading.reader import avatar_reader
from .scoring.changes import changes, describe_changes
from .world.captions import caption
from .world.dataset import AvatarDataset, to_uint8
from .world.edits import edit_truth
from .world.groups import HEAD, with_head

UNSEEN = "unseen"
"""The group of factors that no generator was trained on."""
_SIDE = 64  # at which a picture is looked at for them


@cache
def reader() -> Reader:
    """The bundled factor network."""
    return avatar_reader()


def features(where: torch.device) -> Callable[[Tensor], list[Tensor]]:
    """The feature maps of the bundled factor network."""
    return bundled(str(where)).features


def captions(pictures: Tensor) -> list[str]:
    """A caption of what is read off each picture."""
    return [caption(row) for row in estimate(pictures).factors]


def camera(pictures: Tensor) -> Floats:
    """Yaw, pitch and roll as they are read."""
    found = estimate(pictures)
    # The factor roll turns the crown to the picture's left.
    return np.stack([found["yaw"], found["pitch"], -found["roll"]], axis=1).astype(np.float64)


def landmarks(picture: Pixels) -> dict[str, tuple[float, float]]:
    """Where the judge finds eyes, nose and corners of the mouth, (row, column); left and right are the picture's."""
    height, width = picture.shape[:2]
    given = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    with torch.no_grad():
        found = judge.places(judge.bundled(), given.to(torch.float32) / 127.5 - 1)[0].cpu().numpy()
    pixels = (found + 1) / 2 * (width, height) - 0.5
    return {name.replace("_", " "): (float(y), float(x)) for name, (x, y) in zip(judge.POINTS, pixels, strict=True)}


def describe(before: object, after: object) -> str:
    """The change between two estimates, in words."""
    assert isinstance(before, Estimate) and isinstance(after, Estimate)
    return describe_changes(before, after)


def moved(before: object, after: object) -> list[Moved]:
    """The change of every factor between two estimates, the largest first."""
    assert isinstance(before, Estimate) and isinstance(after, Estimate)
    return [Moved(change.name.replace("_", " "), change.sigma, change.words) for change in changes(before, after)]


class AvatarWorld:
    """The renderer, by the names of factors; a `stylewidgets.domain.GroupedWorld`.

    Args:
        groups: of the factors; see `avatars.sample`.
    """

    def __init__(self, groups: Sequence[str] = HEAD) -> None:
        self.groups = tuple(groups)
        self._at = with_head(self.groups, "the world of avatars")

    def of(self, groups: Sequence[str]) -> AvatarWorld:
        return AvatarWorld(groups)

    def outside(self, factors: Tensor) -> NDArray[np.bool_]:
        """Whether a picture differs from that of the same factors without those of the group `UNSEEN`, [N]."""
        groups = tuple(group for group in self.groups if group != UNSEEN)
        if groups == self.groups:
            return np.zeros(len(factors), bool)
        seen = [
            i for group, part in self._at.slices() if group.name != UNSEEN for i in range(*part.indices(len(self._at)))
        ]
        shown, usual = (
            render(rows, _SIDE, outputs=("image",), groups=own).image
            for rows, own in ((factors, self.groups), (factors[:, seen], groups))
        )
        return (shown - usual).abs().amax(dim=(1, 2, 3)).gt(1 / 255).cpu().numpy()

    def bounds(self, attribute: str) -> tuple[float, float] | None:
        factor = self._at.factors[self._at.index[attribute]] if attribute in self._at.index else None
        return (factor.low, factor.high) if factor is not None and factor.kind == "continuous" else None

    def values(self, factors: Tensor, attribute: str) -> Floats:
        return np.asarray(factors[:, self._at.index[attribute]].cpu().numpy(), np.float64)

    def redraw(self, factors: Tensor, attribute: str, values: Floats, side: int) -> Pixels:
        new = torch.from_numpy(values.astype(np.float32))
        made = edit_truth(factors, {attribute: new}, resolution=side, outputs=("image",), groups=self.groups)
        return np.ascontiguousarray(to_uint8(made.image).permute(0, 2, 3, 1).cpu().numpy())

    def example(self, seed: int, side: int) -> Example:
        code = f'sw.AvatarDataset(seed={seed}, n=1, resolution={side}, outputs=("image",))[0]'
        return Example(AvatarDataset(seed=seed, n=1, resolution=side, outputs=("image",))[0], code)
