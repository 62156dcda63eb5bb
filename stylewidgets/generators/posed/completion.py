"""Coordinate completion: where the source would show what it hides (AlBahar et al. 2021, section 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MISSING = -10.0
"""What stands in both coordinates of a place of the atlas that the source does not show."""

STRIDES = (1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1)
"""Of the blocks in order; 0 is an enlargement between two of them."""
DILATIONS = {6: 2, 7: 4, 8: 8, 9: 8}


class GatedConv(nn.Module):
    """ELU(BatchNorm(conv(x))) · σ(gate(x)), with reflection at the edges (Yu et al., ICCV 2019)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.pad = dilation * (kernel - 1) // 2
        self.conv2d, self.mask_conv2d = (
            nn.Conv2d(inputs, outputs, kernel, stride, dilation=dilation, dtype=torch.float32, device="cpu")
            for _ in range(2)
        )
        self.batch_norm2d = nn.BatchNorm2d(outputs, dtype=torch.float32, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        """[N, I, H, W] → [N, O, H / stride, W / stride]."""
        x = F.pad(x, (self.pad,) * 4, mode="reflect")
        return F.elu(self.batch_norm2d(self.conv2d(x))) * torch.sigmoid(self.mask_conv2d(x))


class CoordinateCompletion(nn.Module):
    """A part of the atlas → all of it. The names of the parameters are the published ones.

    Args:
        ngf: feature maps at full size; published: 32.
    """

    def __init__(self, ngf: int = 32) -> None:
        super().__init__()
        n = ngf
        widths = (3, n, 2 * n, 2 * n, 4 * n, 4 * n, 4 * n, 4 * n, 4 * n, 4 * n, 4 * n, 4 * n, 4 * n)
        blocks: list[nn.Module] = [
            GatedConv(widths[k], widths[k + 1], 5 if k == 0 else 3, STRIDES[k], DILATIONS.get(k, 1)) for k in range(12)
        ]
        for inputs, outputs in ((4 * n, 2 * n), (2 * n, n)):
            blocks += [nn.Upsample(scale_factor=2, mode="bilinear"), GatedConv(inputs, outputs, 3, 1, 1)]
        blocks += [GatedConv(n, n // 2, 3, 1, 1), nn.Conv2d(n // 2, 2, 3, padding=1, dtype=torch.float32, device="cpu")]
        self.model = nn.Sequential(*blocks)

    def forward(self, coordinates: Tensor, mask: Tensor) -> Tensor:
        """Coordinates [N, 2, A, A] in [-1, 1] and their mask [N, 1, A, A] → all of them [N, 2, A, A], known ones made anew.

        What the mask leaves out counts as `MISSING`, whatever stands there. A is a multiple of 4, and above 32: the widest
        kernels reach 8 places over the edge of a quarter of it.
        """
        mask = mask.to(coordinates.dtype)
        made: Tensor = self.model(torch.cat([coordinates * mask + MISSING * (1 - mask), mask], dim=1))
        return torch.tanh(made)
