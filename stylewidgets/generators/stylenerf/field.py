"""The networks that say what is at a point: the style-modulated field in front, and what stands behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import FullyConnected
from .config import StyleNeRFConfig

SLOPE, GAIN = 0.2, math.sqrt(2)


def encode(points: Tensor, octaves: int) -> Tensor:
    """Points [..., D] → [..., 2 · D · octaves]: sin and cos of 2^k π p, octave by octave."""
    waves = (
        points[..., None, :]
        * (math.pi * 2.0 ** torch.arange(octaves, dtype=points.dtype, device=points.device))[:, None]
    )
    return torch.stack([waves.sin(), waves.cos()], dim=-2).flatten(-3)


def modulated(weight: Tensor, style: Tensor, demodulate: bool, gain: float = 1.0) -> Tensor:
    """weight [O, I] · style [N, I] → [N, O, I]; demodulated, each row has length `gain`, else it is only times `gain`."""
    own = weight * style[:, None, :]
    if demodulate:
        return own * (gain * torch.rsqrt(own.square().sum(dim=2, keepdim=True) + 1e-8))
    return own * gain


class StyledLayer(nn.Module):
    """A matrix with a style for its inputs, and a bias. Stored as a 1×1 convolution, as the published files have it."""

    def __init__(self, inputs: int, outputs: int, w_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)

    def lrelu(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, P, I] → [N, P, O]: demodulated, + bias, leaky ReLU · √2. The gain goes into matrix and bias, which is the same."""
        weight = modulated(self.weight.flatten(1), style, True, GAIN)
        return F.leaky_relu_(torch.baddbmm(self.bias * GAIN, x, weight.transpose(1, 2)), SLOPE)

    def linear(self, x: Tensor, style: Tensor, share: Tensor | float = 1.0) -> Tensor:
        """[N, P, I] → [N, P, O]: style / √I, + bias; `share` [N, P, 1] is how much of the bias counts."""
        weight = modulated(self.weight.flatten(1), style, False, 1 / math.sqrt(style.shape[1]))
        return torch.bmm(x, weight.transpose(1, 2)) + share * self.bias


class Colours(nn.Module):
    """Features → colours, linear; weights over √inputs."""

    def __init__(self, inputs: int, colours: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(colours, inputs, 1, 1, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(colours, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor, share: Tensor | float = 1.0) -> Tensor:
        """[N, P, I] → [N, P, colours]; `share` as of `StyledLayer.linear`."""
        return x @ (self.weight.flatten(1).t() / math.sqrt(x.shape[-1])) + share * self.bias


class Field(nn.Module):
    """What is at a point, told by w: a density, and features with colours. It takes the styles of its `names`, others may follow.

    A ray's features are linear in those of its samples,
    so only what goes into the last layer is summed along it, and the layer runs once a ray."""

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        c = self.config = config
        self.fc_in = StyledLayer(6 * c.frequencies, c.hidden, c.w_dim)
        self.blocks = nn.ModuleList(StyledLayer(c.hidden, c.hidden, c.w_dim) for _ in range(c.field_layers - 1))
        self.sigma_out = StyledLayer(c.hidden, 1, c.w_dim)
        self.feat_out = StyledLayer(c.hidden, c.features, c.w_dim)
        self.to_rgb = Colours(c.features, c.img_channels)

    @property
    def names(self) -> list[str]:
        """Of the style layers in the order of their styles."""
        return ["fc_in", *(f"blocks.{i}" for i in range(len(self.blocks))), "sigma_out", "feat_out"]

    def inner(self, points: Tensor, styles: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Points [N, P, 3] → density [N, P], 0 or more, and what goes into the last layer [N, P, hidden]."""
        x = self.fc_in.lrelu(encode(points * self.config.scale, self.config.frequencies), styles[0])
        for block, style in zip(self.blocks, styles[1:], strict=False):
            assert isinstance(block, StyledLayer)
            x = block.lrelu(x, style)
        raw = self.sigma_out.linear(x, styles[len(self.blocks) + 1])[..., 0]
        if self.config.ball:
            strength, radius, reach = self.config.ball
            raw = raw + strength * (radius - points.norm(dim=-1)).clamp(-reach, reach)
        return (F.softplus(raw) if self.config.density == "softplus" else F.relu(raw)), x

    def outer(self, x: Tensor, styles: Sequence[Tensor], share: Tensor | float = 1.0) -> Tensor:
        """Sums of `inner` [N, P, hidden], whose weights sum to `share` [N, P, 1] → colours, then features, [N, P, 3 + F]."""
        features = self.feat_out.linear(x, styles[len(self.blocks) + 2], share)
        return torch.cat([self.to_rgb(features, share), features], dim=-1)


class PlainLayer(nn.Module):
    """A matrix and a bias without any scale."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        scale = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, dtype=torch.float32, device="cpu") * scale)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        """[..., I] → [..., O]."""
        return F.linear(x, self.weight, self.bias)


class Background(nn.Module):
    """What is outside of the unit sphere, told by a latent of its own: NeRF++ (Zhang et al. 2020) on points (x, y, z, 1/r)."""

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        c = self.config = config
        self.fc_in = PlainLayer(8 * c.frequencies + c.background_dim, c.background_hidden)
        self.blocks = nn.ModuleList(
            PlainLayer(c.background_hidden, c.background_hidden) for _ in range(c.background_layers - 1)
        )
        self.sigma_out = PlainLayer(c.background_hidden, 1)
        self.feat_out = PlainLayer(c.background_hidden, c.features)
        self.to_rgb = Colours(c.features, c.img_channels)

    def forward(self, points: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Points [N, P, 4] and z [N, background_dim] → raw density [N, P], colours and features [N, P, 3 + F]."""
        waves = encode(points, self.config.frequencies)
        x = F.relu(self.fc_in(torch.cat([waves, z[:, None].expand(-1, waves.shape[1], -1)], dim=-1)))
        for block in self.blocks:
            x = F.relu(block(x))
        features = self.feat_out(x)
        return self.sigma_out(x)[..., 0], torch.cat([self.to_rgb(features), features], dim=-1)


class Silent(FullyConnected):
    """A style layer that w says nothing to: its style is zero until another is given. It has no parameters."""

    def __init__(self, inputs: int, outputs: int) -> None:
        nn.Module.__init__(self)
        self.activation, self.lr_multiplier, self.gain = "linear", 1.0, 1.0
        for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float32, device="cpu"), persistent=False)


class BackgroundLatent(nn.Module):
    """The background's own latent as a style, so that it is drawn, kept and edited like one."""

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        self.affine = Silent(config.w_dim, config.background_dim)


class Backdrop(nn.Module):
    """A plain backdrop: its style is the colours and features in the middle of the picture, and how they change with the
    square of the distance from it."""

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        self.affine = FullyConnected(config.w_dim, 2 * (config.img_channels + config.features))

    def forward(self, style: Tensor, squares: Tensor) -> Tensor:
        """Style [N, 2 (3 + F)] and squared distances [R] → [N, R, 3 + F]."""
        middle, change = style.chunk(2, dim=1)
        return middle[:, None] + squares[None, :, None] * change[:, None]
