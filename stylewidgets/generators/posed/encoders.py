"""From the target's surface to the first features, and from the source to a pyramid of features in the target's pose.

AlBahar et al. 2021, sections 3.2 and 3.3. Scales go from coarse (0) to fine throughout, as in the generator.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import EqualizedConv2d
from ..stylegan2.discriminator import DownBlock
from .config import PosedConfig
from .reposing import OUTSIDE, Exact, Garment, Reposing


class Descent(nn.Module):
    """A 1×1 convolution at full size, and residual blocks that halve it: features at every scale.

    Args:
        inputs: channels of the picture.
        channels: feature maps at each scale, the coarsest first.
    """

    def __init__(self, inputs: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        fine = channels[::-1]
        self.start = EqualizedConv2d(inputs, fine[0], 1, activation="lrelu")
        self.blocks = nn.ModuleList(DownBlock(a, b) for a, b in zip(fine, fine[1:], strict=False))

    def forward(self, x: Tensor) -> list[Tensor]:
        """[N, inputs, H, W] → features [N, C_k, H_k, W_k], the coarsest first."""
        found: list[Tensor] = [self.start(x)]
        for block in self.blocks:
            found.append(block(found[-1]))
        return found[::-1]


LIGHT = 3
"""Numbers that say where the light comes from."""


class PoseEncoder(Descent):
    """The target's I, U and V as they are stored, 0 to 255, → the features that stand for the constant of a StyleGAN2."""

    def __init__(self, config: PosedConfig) -> None:
        super().__init__(config.parts + 2 + LIGHT if config.parts else 3, config.channels)


def told_apart(pose: Tensor, light: Tensor, parts: int) -> Tensor:
    """I, U, V [N, 3, H, W] from 0 to 255 and the light → a channel for each part, u and v from 0 to 1, light."""
    numbers = torch.arange(1, parts + 1, dtype=pose.dtype, device=pose.device)[:, None, None]
    return torch.cat([(pose[:, :1] == numbers).to(pose.dtype), pose[:, 1:] / 255, light], dim=1)


class SourceEncoder(Descent):
    """The source's picture and silhouette → what modulates each scale, carried to the target's pose."""

    def __init__(self, config: PosedConfig) -> None:
        light = LIGHT if config.parts else 0
        super().__init__(4 + light, config.channels)
        self.light = light
        width = config.width
        self.laterals = nn.ModuleList(
            EqualizedConv2d(2 * count + 2 if config.parts else count + 1, width, 1) for count in config.channels
        )
        self.outputs = nn.ModuleList(EqualizedConv2d(width, count, 3) for count in config.channels[1:])

    def described(self, given: Reposing | Garment) -> list[Tensor]:
        """The source's features as it stands, which no pose changes: of picture, silhouette and, where it is known, the light."""
        light = [] if given.exact is None or self.light == 0 else [given.exact.source_light]
        found: list[Tensor] = self(torch.cat([given.picture, given.silhouette, *light], dim=1))
        return found

    def warped(self, described: list[Tensor], flow: Tensor, body: Tensor, slip: bool = False) -> list[Tensor]:
        """The source's features where the target's pixels are, beside the mask of the target's body.

        Args:
            described: features of the source [N, C_k, H_k, W_k], the coarsest first.
            flow: [N, 2, H, W], for each pixel of the target where it is in the source: x and y in [-1, 1].
            body: [N, 1, H, W], 1 where the target shows the body.
            slip: whether flow and body are made smaller corner to corner, as the published program does it, and not by area.

        Returns:
            [N, C_k + 1, H_k, W_k] for each scale.
        """
        found = []
        for features in described:
            size = features.shape[2:]
            where = F.interpolate(flow, size=size, mode="bilinear", align_corners=slip).permute(0, 2, 3, 1)
            there = F.interpolate(body, size=size, mode="bilinear", align_corners=slip)
            carried = F.grid_sample(features, where, align_corners=False) * there
            found.append(torch.cat([carried, there], dim=1))
        return found

    def carried(
        self, described: list[Tensor], flow: Tensor, exact: Exact, body: Tensor, pose: list[Tensor]
    ) -> list[Tensor]:
        """The same where the surface is known to the pixel: the features, how well they are known, the body and what the pose
        encoder made of the pose.

        A pixel of a smaller scale asks at the mean of the places that its own pixels have.

        Args:
            described, flow, body: as of `warped`.
            exact: what is known of the source besides.
            pose: features of the pose encoder [N, C_k, H_k, W_k], the coarsest first.

        Returns:
            [N, 2 C_k + 2, H_k, W_k] for each scale.
        """
        found = []
        seen = (exact.known > 0).to(flow.dtype)
        for features, posed in zip(described, pose, strict=True):
            factor = flow.shape[-1] // features.shape[-1]
            place, share, known, there = (F.avg_pool2d(x, factor) for x in (flow * seen, seen, exact.known, body))
            where = torch.where(share > 0, place / share.clamp_min(1e-6), OUTSIDE).permute(0, 2, 3, 1)
            moved = F.grid_sample(features, where, align_corners=False) * (share > 0)
            found.append(torch.cat([moved, known, there, posed], dim=1))
        return found

    def pyramid(self, warped: list[Tensor]) -> list[Tensor]:
        """`warped` features → F_k [N, C_k, H_k, W_k], each knowing what the coarser ones know (Lin et al., CVPR 2017)."""
        total = self.laterals[0](warped[0])
        found: list[Tensor] = [total]
        for lateral, output, own in zip(list(self.laterals)[1:], self.outputs, warped[1:], strict=True):
            total = F.interpolate(total, scale_factor=2, mode="nearest") + lateral(own)
            found.append(output(total))
        return found
