"""An atlas of bodies with what is needed to write a picture into it: look-up table, parts, completion of what is hidden."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .completion import CoordinateCompletion
from .surface import HOW, PARTS_NAME, Bytes, check_table, places, scatter_both


@dataclass(frozen=True, eq=False)
class Atlas:
    """Where each point of a body's surface lies on a square.

    Attributes:
        table: float32 [24, 256, 256, 2]: part, V, U → (u, v) in the atlas, 0 to 1.
        parts: [A, A], the part at each place of the atlas less one; None where garments need not be told apart.
        completion: fills in what a picture hides; None leaves that out, and what the source hides is drawn from nothing.
        size: places on a side at which a picture is written down; 512 as published. A multiple of 4 above 32.
    """

    table: NDArray[np.float32]
    parts: NDArray[np.float32] | None = None
    completion: CoordinateCompletion | None = None
    size: int = 512

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", check_table(self.table))
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 36 or self.size % 4:
            raise ValueError(f"size of an atlas is a multiple of 4 from 36 up; {self.size!r} was given")

    def digest(self) -> bytes:
        """What tells it from others."""
        found = hashlib.sha256(self.table.tobytes() + str(self.size).encode())
        if self.completion is not None:
            for value in self.completion.state_dict().values():
                found.update(value.detach().cpu().numpy().tobytes())
        return found.digest()

    def places(self, iuv: Bytes) -> Tensor:
        """(U, V) in the atlas of each pixel of an IUV picture [H, W, 3]: [1, 2, H, W], 0 where it shows no body."""
        return torch.from_numpy(places(iuv, self.table)).permute(2, 0, 1)[None]

    def needed_parts(self) -> Tensor:
        """`parts` as a tensor. ValueError where they were not given."""
        if self.parts is None:
            raise ValueError(
                f"garments need to know the parts of the atlas, {PARTS_NAME}: {HOW}, and read_atlas(parts=...)"
            )
        return torch.from_numpy(np.asarray(self.parts, np.float32))

    @torch.no_grad()
    def coordinates(self, iuv: Bytes) -> tuple[Tensor, Tensor | None]:
        """A square picture's own pixels written down in the atlas: x, y in [-1, 1], [1, 2, size, size], and which are known.

        The body's mirrored half stands in where it is empty. Where there is a `completion` all are known, which is None.
        """
        found, known, _ = scatter_both(iuv, self.table, self.size)
        scaled = torch.from_numpy(2 * found / (iuv.shape[0] - 1) - 1).float().permute(2, 0, 1)[None]
        mask = torch.from_numpy(known)[None, None].float()
        if self.completion is not None:
            return self.completion(scaled, mask), None
        return scaled, mask
