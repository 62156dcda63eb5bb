"""Pictures that were moved off their place, and how well a generator can still draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from ..session.session import GeneratorSession

LARGEST = 10
"""Pixels of 64."""


@dataclass(frozen=True, eq=False)
class Broken:
    """A picture that was moved, round the edges.

    Attributes:
        session: the generator that shall draw it.
        picture: [1, 3, H, W] in [-1, 1], as it is now.
        mends: the shift (down, right) in pixels that puts it back.
    """

    session: GeneratorSession
    picture: Tensor
    mends: tuple[int, int]

    def error(self, picture: Tensor) -> float:
        """How badly the generator draws a picture: mean squared difference from what the encoder e4e finds for it."""
        return float(fit_error(self.session, picture)[0])

    def error_after(self, shift: Sequence[float]) -> float:
        """The same after a shift."""
        return self.error(self.picture.roll((round(shift[0]), round(shift[1])), (2, 3)))


def broken(session: GeneratorSession, picture: Tensor, seed: int) -> Broken:
    """A picture [1, 3, H, W] moved by up to 10 pixels of 64 each way, and by 4 at least."""
    unit = session.resolution / 64
    random = np.random.RandomState(seed)
    down, right = (int(n) for n in np.round(random.choice([-1, 1], 2) * random.randint(4, LARGEST + 1, 2) * unit))
    return Broken(session, picture.roll((down, right), (2, 3)), (-down, -right))


def fit_error(session: GeneratorSession, pictures: Tensor) -> Tensor:
    """Mean squared difference [N] of pictures [N, 3, H, W] from what e4e finds for them."""
    from ..inversion import Target, invert  # when it is needed: encoders are files

    found = invert(session, Target.of(pictures, session), "e4e")
    drawn = torch.from_numpy(found.images(session)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return (drawn - pictures).square().mean((1, 2, 3))


@cache
def some_broken(n: int = 3) -> list[Broken]:
    """Some pictures of the avatar world, broken."""
    from ..avatars import AvatarDataset
    from ..inversion import Target
    from ..session.load import load

    session = load("avatar-64")
    pictures = Target.of(AvatarDataset(seed=505, n=n, resolution=64).batch(range(n)), session).images
    return [broken(session, pictures[i : i + 1], i) for i in range(n)]
