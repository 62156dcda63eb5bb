"""Fields of chance on a surface: a number for every cell of a grid, a function of the cell and the seed and of nothing else."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...world.sampling import uniforms

_SIDE = 1024  # of the table that every field is cut from
_FURTHER = 523 * _SIDE + 389  # from a cell to the one that its second number is of


@cache
def _table() -> Tensor:
    """Uniform numbers [side, side], float32 in (0, 1); the same on every machine."""
    x = np.arange(_SIDE * _SIDE, dtype=np.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):  # an integer hash (Wellons 2018, "lowbias32")
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    x ^= x >> np.uint32(16)
    return torch.from_numpy(((x >> np.uint32(8)).astype(np.float32) + 0.5) / 2**24).view(_SIDE, _SIDE)


class Chance(NamedTuple):
    """The seeds of the pictures of a batch, int64 [N]; None leaves nothing to chance: every number is what it is on average."""

    seeds: Tensor | None

    def cells(self, i: Tensor, j: Tensor, field: int) -> Tensor:
        """Uniform numbers [N, H, W] in (0, 1) of the cells (i, j), whole numbers [N, H, W]. Fields have numbers; two of them, as
        two seeds, are cut from different places of one table."""
        return torch.full_like(i, 0.5) if self.seeds is None else self._at(self._index(i, j, field, self.seeds))

    def normal(self, i: Tensor, j: Tensor, field: int) -> Tensor:
        """Numbers of mean 0 and deviation 1, of a triangle's shape: none is larger than 2.5."""
        if self.seeds is None:
            return torch.zeros_like(i)
        index = self._index(i, j, field, self.seeds)
        return (self._at(index) + self._at((index + _FURTHER) & (_SIDE * _SIDE - 1))).sub_(1).mul_(6**0.5)

    def rare(self, i: Tensor, j: Tensor, field: int, share: Tensor | float) -> Tensor:
        """1 in that share of the cells, else 0; without chance the share itself."""
        if self.seeds is None:
            return torch.zeros_like(i) + share
        return (self.cells(i, j, field) < share).to(i.dtype)

    @staticmethod
    def _index(i: Tensor, j: Tensor, field: int, seeds: Tensor) -> Tensor:
        places = np.stack([uniforms(1, int(s), field)[0, :2] for s in seeds.tolist()])
        shift = torch.from_numpy((places * _SIDE).astype(np.int32)).to(i.device)[:, :, None, None]
        row, column = (k.to(torch.int32).add(shift[:, a]).bitwise_and_(_SIDE - 1) for a, k in enumerate((i, j)))
        return row.mul_(_SIDE).add_(column)

    def _at(self, index: Tensor) -> Tensor:
        return _table().to(index.device).flatten().index_select(0, index.flatten()).view(index.shape)


def seeds_of(seed: int | Tensor | None, factors: Tensor) -> Tensor | None:
    """The seeds [N] of a batch of factors [N, F], or None. ValueError for a tensor of another shape or of fractions."""
    if seed is None:
        return None
    seeds = torch.as_tensor(seed, device="cpu")
    if seeds.is_floating_point() or seeds.shape not in ((), (len(factors),)):
        raise ValueError(
            f"a detail seed is a whole number, or a tensor of {len(factors)} whole numbers, one a picture; "
            f"{seeds.dtype} of shape {list(seeds.shape)} was given"
        )
    return seeds.to(torch.int64).expand(len(factors))
