"""The paper's own way to chain edits: one attribute after the other, with the code encoded again after each.

`FlowEdit` makes all its changes at once and row by row instead, which leaves the order of edits without effect. This is for
comparison, and for published flows whose pictures are to be those of the public code.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .network import ConditionalFlow


class InTurn:
    """Edits of one w+, each on its rows, in the order in which they are asked for.

    Args:
        network: the flow.
        w: the code [R, D].
        attributes: of the code [A], as the network sees them.

    Attributes:
        w: the code after the edits so far.
        target: the attributes that were asked for so far.
    """

    def __init__(self, network: ConditionalFlow, w: Tensor, attributes: Tensor) -> None:
        self.network, self.w, self.source, self.target = network, w, attributes, attributes.clone()
        self.z = network.encode(w, attributes.expand(len(w), -1))

    def edit(self, index: int, value: float, rows: tuple[int, int], degree: float = 1.0) -> Tensor:
        """Bring one attribute to a value, exaggerated from the first picture's by `degree`, on rows first … last − 1."""
        source = self.source[index]
        return self._to({index: degree * (value - source) + source}, rows)

    def light(self, references: Tensor, amounts: Tensor, rows: tuple[int, int], first: int = 0) -> Tensor:
        """Move a group of attributes towards references [N, G] by amounts [N], from the first picture's: L + Σ vᵢ(Lᵢ − L)."""
        places = range(first, first + references.shape[1])
        source = self.source[list(places)]
        moved = source + (amounts[:, None] * (references - source)).sum(dim=0)
        return self._to(dict(zip(places, moved, strict=True)), rows)

    def _to(self, values: dict[int, Tensor], rows: tuple[int, int]) -> Tensor:
        for index, value in values.items():
            self.target[index] = value
        made = self.network.decode(self.z, self.target.expand(len(self.w), -1))
        self.w = torch.cat([self.w[: rows[0]], made[rows[0] : rows[1]], self.w[rows[1] :]])
        self.z = self.network.encode(self.w, self.target.expand(len(self.w), -1))
        return self.w
