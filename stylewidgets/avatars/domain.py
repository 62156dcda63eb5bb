"""Avatars as a domain: all its parts, each imported when it is asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ..domain import Domain, Example, Floats, Pixels, Reader, Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, device

    from .reading.estimates import Estimate
    from .world.factors import Factor


@cache
def _reader() -> Reader:
    from .reading.reader import avatar_reader

    return avatar_reader()


def _segmenter() -> Segmenter:
    from .reading.segmenter import AvatarSegmenter

    return AvatarSegmenter()


def _identity(a: Tensor, b: Tensor) -> Tensor:
    from .scoring.edits import same_person

    return same_person(a, b)


def _features(where: device) -> Callable[[Tensor], list[Tensor]]:
    from .reading.factor_net import bundled

    return bundled(str(where)).features


def _estimate(picture: object) -> Estimate:
    from .reading.estimates import estimate

    return estimate(picture)


def _captions(pictures: Tensor) -> list[str]:
    from .world.captions import caption

    return [caption(row) for row in _estimate(pictures).factors]


def _camera(pictures: Tensor) -> Floats:
    found = _estimate(pictures)
    # The factor roll turns the crown to the picture's left.
    return np.stack([found["yaw"], found["pitch"], -found["roll"]], axis=1).astype(np.float64)


def _describe(before: object, after: object) -> str:
    from .reading.estimates import Estimate
    from .scoring.changes import describe_changes

    assert isinstance(before, Estimate) and isinstance(after, Estimate)
    return describe_changes(before, after)


class AvatarWorld:
    """The renderer, by the names of factors; a `stylewidgets.domain.World`."""

    def bounds(self, attribute: str) -> tuple[float, float] | None:
        factor = _factor(attribute)
        return (factor.low, factor.high) if factor is not None and factor.kind == "continuous" else None

    def values(self, factors: Tensor, attribute: str) -> Floats:
        from .world.factors import INDEX

        return np.asarray(factors[:, INDEX[attribute]].cpu().numpy(), np.float64)

    def redraw(self, factors: Tensor, attribute: str, values: Floats, side: int) -> Pixels:
        import torch

        from .world.dataset import to_uint8
        from .world.edits import edit_truth

        new = torch.from_numpy(values.astype(np.float32))
        drawn = to_uint8(edit_truth(factors, {attribute: new}, resolution=side, outputs=("image",)).image)
        return np.ascontiguousarray(drawn.permute(0, 2, 3, 1).cpu().numpy())

    def example(self, seed: int, side: int) -> Example:
        from .world.dataset import AvatarDataset

        code = f'sw.AvatarDataset(seed={seed}, n=1, resolution={side}, outputs=("image",))[0]'
        return Example(AvatarDataset(seed=seed, n=1, resolution=side, outputs=("image",))[0], code)


def _factor(name: str) -> Factor | None:
    from .world.factors import FACTORS, INDEX

    return FACTORS[INDEX[name]] if name in INDEX else None


WORLD_VERSION = 1
"""Grows when the same row of factors is drawn otherwise, so that nothing reads old pictures as new ones."""
READER_VERSION = 1
"""Grows when a reading of the factor network means something else."""

DOMAIN = Domain(
    "avatars",
    WORLD_VERSION,
    READER_VERSION,
    noun="avatar",
    network="factor-net",
    reader=_reader,
    segmenter=_segmenter,
    identity=_identity,
    features=_features,
    captions=_captions,
    camera=_camera,
    observe=_estimate,
    describe=_describe,
    world=AvatarWorld,
)
