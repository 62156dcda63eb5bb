"""The field: features of a point from three planes, and what a small network makes of them (Chan et al., 2022, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import FullyConnected

PADDING = 0.001
"""Colours are a sigmoid that goes this much beyond 0 and 1, so that both can be reached."""


class Decoder(nn.Module):
    """Features of a point → its density and its colours, of which the first three are seen."""

    def __init__(self, features: int, hidden: int, lr: float) -> None:
        super().__init__()
        self.hidden = hidden
        self.net = nn.ModuleDict(
            {
                "0": FullyConnected(features, hidden, lr_multiplier=lr),
                "2": FullyConnected(hidden, features + 1, lr_multiplier=lr),
            }
        )

    def forward(self, features: Tensor, colours: bool = True) -> tuple[Tensor, Tensor | None]:
        """[N, P, C] → density [N, P] before its softplus, and colours [N, P, C] unless they are not wanted."""
        (inner, inner_bias), (outer, outer_bias) = map(_used, self.net.values())
        x = F.softplus(F.linear(features, inner, inner_bias))
        if not colours:
            return F.linear(x, outer[:1], outer_bias[:1])[..., 0], None
        made = F.linear(x, outer, outer_bias)
        return made[..., 0], torch.sigmoid(made[..., 1:]) * (1 + 2 * PADDING) - PADDING


def _used(layer: nn.Module) -> tuple[Tensor, Tensor]:
    assert isinstance(layer, FullyConnected)
    return layer.weight * layer.gain, layer.bias * layer.lr_multiplier


def features_of(planes: Tensor, points: Tensor, box: float, axes: Sequence[int]) -> Tensor:
    """Planes [N, 3, C, H, W] and points [N, P, 3] → [N, P, C], the mean over the planes; nothing outside of the box.

    Args:
        box: its side.
        axes: which coordinates each plane holds, across and down.
    """
    inside = points * (2 / box)
    across, down = inside[:, :, list(axes[::2])], inside[:, :, list(axes[1::2])]
    if planes.device.type == "cpu" and not (torch.is_grad_enabled() and (planes.requires_grad or points.requires_grad)):
        return _looked_up(planes, across, down)
    places = torch.stack([across, down], dim=3).transpose(1, 2)
    found = F.grid_sample(
        planes.flatten(0, 1), places.flatten(0, 1)[:, None], mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return found.reshape(*planes.shape[:3], -1).mean(dim=1).transpose(1, 2)


def _looked_up(planes: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """`features_of` as a sum of whole rows of a table, which a processor's cache likes: 0.4 of the time of `grid_sample`."""
    n, _, channels, h, w = planes.shape
    table = planes.permute(0, 3, 4, 1, 2).reshape(-1, channels)  # a view of planes in channels last
    u, v = (across + 1) * (w / 2) - 0.5, (down + 1) * (h / 2) - 0.5
    left, top = u.floor(), v.floor()
    columns, rows = left.long(), top.long()
    first = torch.arange(n, dtype=torch.int64)[:, None, None] * (h * w)
    own = torch.arange(3, dtype=torch.int64)
    places, shares = [], []
    for i, column_share in enumerate((1 - (u - left), u - left)):
        column = columns + i
        column_share = column_share * ((column >= 0) & (column < w)) / 3
        for j, row_share in enumerate((1 - (v - top), v - top)):
            row = rows + j
            shares.append(column_share * row_share * ((row >= 0) & (row < h)))
            places.append((first + row.clamp(0, h - 1) * w + column.clamp(0, w - 1)) * 3 + own)
    found = F.embedding_bag(
        torch.cat(places, dim=2).flatten(0, 1),
        table,
        per_sample_weights=torch.cat(shares, dim=2).flatten(0, 1),
        mode="sum",
    )
    return found.reshape(n, -1, channels)
