"""A second look at the parts of a face, wherever they are: brows, eyes, mouths, which the flattened maps blur."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Block, convolution

_GRID = (4, 4)  # parts, downwards and across: where they look before anything is learned
_FACE = ((0.3, 0.85), (0.25, 0.75))  # what the grid covers, in shares of the picture, downwards and across
_SPREAD = 0.08  # standard deviation of those first looks, in shares of the picture


class PartReader(nn.Module):
    """Corrects the outputs of a `FactorRegressor` by looking at places that it picks in each picture.

    Every part has a map of attention (a softmax over places, of its own picture features and of the network's maps), and is
    read as the mean of fine features under it, and as the place where it is (spatial soft-argmax, Levine et al. 2016). It
    begins with no correction.

    Args:
        widths: channels of the network's maps at 1/2, 1/4, 1/8 and 1/16 of its resolution.
        outputs: length of the outputs to correct.
        resolution: of the network.
        width: channels of the reader's own map, at half the resolution.
    """

    def __init__(
        self, widths: Sequence[int], outputs: int, resolution: int, *, width: int = 16, hidden: int = 192
    ) -> None:
        super().__init__()
        self.parts = _GRID[0] * _GRID[1]
        self.stem = nn.Sequential(convolution(24, width), Block(width, width, 1))
        self.where = nn.ModuleList(
            nn.Conv2d(c, self.parts, 1, bias=False, dtype=torch.float32, device="cpu") for c in (width, *widths[1:])
        )
        self.prior = nn.Parameter(_first_looks(resolution // 2))
        size = self.parts * (width + widths[0] + widths[1] + 2) + widths[-1] + outputs
        self.norm = nn.BatchNorm1d(size, dtype=torch.float32, device="cpu")
        self.first = nn.Linear(size, hidden, dtype=torch.float32, device="cpu")
        self.second = nn.Linear(hidden, hidden // 2, dtype=torch.float32, device="cpu")
        self.out = nn.Linear(hidden // 2 + hidden, outputs, dtype=torch.float32, device="cpu")
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, folded: Tensor, maps: Sequence[Tensor], raw: Tensor) -> Tensor:
        """The correction [N, outputs].

        Args:
            folded: what the network's stem sees, [N, 24, resolution / 2, resolution / 2].
            maps: the network's four feature maps.
            raw: its outputs [N, outputs].
        """
        out: Tensor = self.out(self.hidden(folded, maps, raw))
        return out

    def hidden(self, folded: Tensor, maps: Sequence[Tensor], raw: Tensor) -> Tensor:
        """The last hidden units [N, 1.5 hidden], of the same arguments."""
        own = self.stem(folded)
        look = self.attention(own, maps)
        coarse = F.avg_pool2d(look, 2) * 4  # sums to one again
        read = [_under(look, torch.cat([own, maps[0]], dim=1)), _under(coarse, maps[1]), _places(look)]
        x = self.norm(torch.cat([*read, maps[-1].mean(dim=(2, 3)), raw], dim=1))
        # Leaky: the correction starts at nought, and units that the first noisy steps silence would stay silent.
        first = F.leaky_relu(self.first(x), 0.2)
        return torch.cat([first, F.leaky_relu(self.second(first), 0.2)], dim=1)

    def attention(self, own: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Where each part looks, [N, parts, H, W] with sum one over places."""
        logits: Tensor = self.where[0](own) + self.prior
        for layer, m in zip(list(self.where)[1:], maps[1:], strict=True):
            logits = logits + F.interpolate(layer(m), size=own.shape[-2:], mode="bilinear", align_corners=False)
        return logits.flatten(2).softmax(2).view_as(logits)


def _under(look: Tensor, m: Tensor) -> Tensor:
    """Means of a map [N, C, H, W] under attention [N, P, H, W], [N, P C]."""
    return torch.bmm(look.flatten(2), m.flatten(2).transpose(1, 2)).flatten(1)


def _places(look: Tensor) -> Tensor:
    """Centres of attention [N, 2 P] in [-1, 1]."""
    down = torch.linspace(-1, 1, look.shape[2], device=look.device, dtype=look.dtype)
    across = torch.linspace(-1, 1, look.shape[3], device=look.device, dtype=look.dtype)
    return torch.cat([look.sum(3) @ down, look.sum(2) @ across], dim=1)


def _first_looks(side: int) -> Tensor:
    """Logarithms of normal densities on a grid over the face, [1, parts, side, side]."""
    at = (torch.arange(side, dtype=torch.float32, device="cpu") + 0.5) / side
    rows, columns = (
        torch.linspace(*ends, n, dtype=torch.float32, device="cpu") for ends, n in zip(_FACE, _GRID, strict=True)
    )
    y = (at[None] - rows[:, None]).square()[:, None, :, None]
    x = (at[None] - columns[:, None]).square()[None, :, None, :]
    return (-(y + x) / (2 * _SPREAD**2)).flatten(0, 1).clamp(min=-8.0)[None]
