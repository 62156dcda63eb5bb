"""The field: features of a point from three planes, and what a small network makes of them (Chan et al., 2022, section 3.2)."""

from __future__ import annotations

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
        """[N, C, P] → density [N, P] before its softplus, and colours [N, C, P] unless they are not wanted."""
        (inner, inner_bias), (outer, outer_bias) = map(_used, self.net.values())
        x = F.softplus(torch.matmul(inner, features) + inner_bias)
        if not colours:
            return torch.matmul(outer[:1], x)[:, 0] + outer_bias[0], None
        made = torch.matmul(outer, x) + outer_bias
        return made[:, 0], torch.sigmoid(made[:, 1:]) * (1 + 2 * PADDING) - PADDING


def _used(layer: nn.Module) -> tuple[Tensor, Tensor]:
    assert isinstance(layer, FullyConnected)
    return layer.weight * layer.gain, (layer.bias * layer.lr_multiplier)[:, None]


def features_of(planes: Tensor, points: Tensor, box: float) -> Tensor:
    """Planes [N, 3, C, H, W] and points [N, P, 3] → [N, C, P], the mean over the planes; nothing outside of the box.

    The third plane holds z and x, as the second does, not y and z: so does the published program.
    """
    n, _, channels, _, _ = planes.shape
    x, y, z = (points * (2 / box)).unbind(dim=2)
    places = torch.stack([torch.stack(pair, dim=2) for pair in ((x, y), (x, z), (z, x))], dim=1)
    found = F.grid_sample(
        planes.flatten(0, 1), places.flatten(0, 1)[:, None], mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return found.reshape(n, 3, channels, -1).mean(dim=1)
