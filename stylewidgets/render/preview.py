"""Previews from inner blocks get the colours of the whole picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_FRAMES = 8  # whole pictures to learn from; afterwards nothing changes any more
ENOUGH = 4  # of them before the colours are used: those of one or two pictures do not hold for others
_FIRM = 0.01  # weight of "leave the colours as they are" against one pixel
_SMALLEST = 16  # pixels; below, there is nothing to compare


class PreviewColours:
    """The affine map of colours that brings a block's picture nearest to the whole one made smaller, for each block.

    It is fitted by least squares to the first `_FRAMES` whole pictures that are drawn anyway, so it costs no synthesis of
    its own; before the first few of them (`ENOUGH`) previews are left as they are.
    """

    def __init__(self) -> None:
        self._sums: dict[int, tuple[Tensor, Tensor]] = {}
        self._maps: dict[int, Tensor] = {}
        self._frames = 0
        self._of: Any = None

    @property
    def frames(self) -> int:
        """Whole pictures that were learned from."""
        return self._frames

    def hold_for(self, weights: object) -> None:
        """Begin again unless `weights` equals what was given before: the colours are those of one state of the parameters."""
        if weights != self._of:
            self._sums.clear()
            self._maps.clear()
            self._frames, self._of = 0, weights

    def learn(self, pictures: Mapping[int, Tensor], last: int) -> None:
        """Take note of a frame: its picture [1, C, h, w] after each block; that after block `last` is whole."""
        if self._frames >= _FRAMES or last not in pictures:
            return
        self._frames += 1
        with torch.inference_mode(False), torch.no_grad():
            whole = pictures[last].clamp(-1, 1).clone()  # as it is shown: what is cut off is not to be matched
            for block in range(last - 1, -1, -1):
                whole = F.avg_pool2d(whole, 2)
                if block in pictures and max(whole.shape[2:]) >= _SMALLEST:
                    self._learn(block, _rows(pictures[block].clone()), whole.flatten(2)[0].t().double())

    def apply(self, block: int, picture: Tensor) -> Tensor:
        """The picture after a block, [N, C, h, w], in the colours of the whole one."""
        if block not in self._maps or self._frames < ENOUGH:
            return picture
        matrix = self._maps[block].to(picture)
        return torch.einsum("oi,nihw->nohw", matrix[:, :-1], picture) + matrix[:, -1, None, None]

    def _learn(self, block: int, rows: Tensor, wanted: Tensor) -> None:
        squares, products = rows.t() @ rows, rows.t() @ wanted
        if block in self._sums:
            squares, products = squares + self._sums[block][0], products + self._sums[block][1]
        self._sums[block] = squares, products
        as_it_is = torch.eye(rows.shape[1], wanted.shape[1], dtype=rows.dtype, device=rows.device)
        firm = _FIRM * torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
        self._maps[block] = torch.linalg.solve(squares + firm, products + _FIRM * as_it_is).t()


def _rows(picture: Tensor) -> Tensor:
    """Pixels as rows of colours and a one, [h·w, C + 1]."""
    colours = picture.flatten(2)[0].t().double()
    return torch.cat([colours, colours.new_ones(len(colours), 1)], dim=1)
