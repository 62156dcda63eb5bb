"""Input and layers of StyleGAN3 (Karras et al., "Alias-Free Generative Adversarial Networks", NeurIPS 2021)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops.filtered_lrelu import filtered_lrelu
from ...ops.modulated_conv2d import demodulation, weight_squares
from ...ops.native import winograd
from ..layers import COMPILED, HALF, FullyConnected, StyleConv, _no_autocast
from .config import Band, StyleGAN3Config
from .geometry import Geometry, filters, resampled

TINY = 1e-20
Rows = tuple[tuple[float, ...], ...]


class Closer(NamedTuple):
    """A kind of prepared weight (`PreparedWeight`): for taps that lie closer together than samples."""

    kind: torch.dtype | str
    spacing: float


class FourierInput(nn.Module):
    """Sines over the plane, placed by w and by the user: frequencies and phases are rotated and moved, not pixels.

    The buffer ``transform`` [3, 3] and the attribute ``moved`` (rows of a matrix, applied first, or None) map picture
    coordinates to those of the sines: the picture is 1 wide around the origin, x to the right, y down.
    """

    moved: Rows | None = None

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        channels = config.layers[0].channels
        self.size = config.input_size, config.width(0)
        self.rate, self.bandwidth = config.input_size - 2 * config.margin, config.bandwidth
        self.weight = nn.Parameter(torch.randn(channels, channels, dtype=torch.float32, device="cpu"))
        self.affine = FullyConnected(config.w_dim, 4)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float32, device="cpu"))
        radius, angle = (
            torch.rand(channels, dtype=torch.float32, device="cpu").sqrt() * config.bandwidth,
            torch.rand(channels, dtype=torch.float32, device="cpu") * (2 * math.pi),
        )
        self.register_buffer("transform", torch.eye(3, dtype=torch.float32, device="cpu"))
        self.register_buffer("freqs", torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1))
        self.register_buffer("phases", torch.rand(channels, dtype=torch.float32, device="cpu") - 0.5)
        self.style_channels, self.resolution = 4, config.input_size

    def forward(self, styles: Tensor) -> Tensor:
        """Styles [N, 4] (cosine, sine, shift right, shift down) → features [N, C, height, width] float32, channels last."""
        with _no_autocast(styles.device.type):
            place = self.placement(styles)
            freqs, phases = self.get_buffer("freqs"), self.get_buffer("phases")
            phases = phases + (freqs @ place[:, :2, 2:]).squeeze(2)
            freqs = freqs @ place[:, :2, :2]
            fade = 1 - (freqs.norm(dim=2) - self.bandwidth) / (self.rate / 2 - self.bandwidth)
            down, right = (self._line(size, styles.device) for size in self.size)
            # x and y parts of the angle apart: the same sum as a product with the grid.
            angle = freqs[:, None, None, :, 0] * right[:, None] + freqs[:, None, None, :, 1] * down[:, None, None]
            waves = torch.sin((angle + phases[:, None, None]) * (2 * math.pi)) * fade.clamp(0, 1)[:, None, None]
            picture: Tensor = (waves @ (self.weight.t() / math.sqrt(self.weight.shape[1]))).permute(0, 3, 1, 2)
            return picture

    def _line(self, size: int, device: torch.device) -> Tensor:
        """Centres of so many samples of one axis, in pictures' heights from the middle. [size]"""
        line = (2 * torch.arange(size, dtype=torch.float32, device=device) + 1) / size - 1
        return line * (0.5 * size / self.rate)

    def placement(self, styles: Tensor) -> Tensor:
        """Styles [N, 4] → matrices [N, 3, 3] from picture coordinates to those of the sines."""
        cosine, sine, right, down = (
            styles.float() / styles[:, :2].float().norm(dim=1, keepdim=True).clamp_min(TINY)
        ).unbind(1)
        zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
        turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], dim=1).reshape(-1, 3, 3)
        move = torch.stack([one, zero, -right, zero, one, -down, zero, zero, one], dim=1).reshape(-1, 3, 3)
        last = self.get_buffer("transform")
        if self.moved is not None:
            last = last @ torch.tensor(self.moved, dtype=last.dtype, device=last.device)
        return turn @ move @ last


class AliasFreeLayer(StyleConv):
    """Modulated convolution and leaky ReLU between filters.

    ``magnitude_ema`` is the running mean of the squared input, followed in training mode; the features are divided by its
    root. Styles are scaled to unit mean square for each sample on its own, so that a picture does not depend on its batch.
    """

    def __init__(self, config: StyleGAN3Config, index: int, bands: tuple[Band, ...] | None) -> None:
        shape = config.layers[index]
        super().__init__(config.layers[max(index - 1, 0)].channels, shape.channels, shape.kernel, config.w_dim)
        self.factor_up, self.factor_down = shape.up, shape.down
        self.padding, self.side_padding = config.padding(index), config.side_padding(index)
        self.conv_clamp, self.ema_beta, self.resolution = config.conv_clamp, config.ema_beta, shape.size
        self.halves = config.rates[index] * 2**config.num_fp16_res > config.resolution
        self.register_buffer("magnitude_ema", torch.ones((), dtype=torch.float32, device="cpu"))
        for name, taps in zip(("up_filter", "down_filter"), filters(config, index, bands), strict=True):
            if taps is not None:
                self.register_buffer(name, taps)

    @property
    def geometry(self) -> Geometry:
        """What it was trained with."""
        up_filter, down_filter = self._buffers.get("up_filter"), self._buffers.get("down_filter")
        return Geometry(self.factor_up, self.factor_down, self.padding, self.side_padding, up_filter, down_filter)

    def forward(self, x: Tensor, styles: Tensor, geometry: Geometry | None = None) -> Tensor:
        """[N, I, H, W] with styles [N, I] → [N, O, H', W'] in x's dtype; in another geometry for a preview."""
        geometry = geometry or self.geometry
        if not self.training and self.weight.shape[2] in (1, 3) and winograd.usable(x, self.weight, self.bias, styles):
            return self._compiled(x, styles, geometry)
        gain = self.input_gain(x)
        with _no_autocast(x.device.type):
            styles = _unit(styles)
            weight, squares = self._weight(x.dtype, geometry)
            scale = demodulation(styles, squares) * gain
        x = F.conv2d(x * styles.to(x.dtype)[:, :, None, None], weight, padding=self.weight.shape[2] - 1)
        return self._activate(x, scale, geometry)

    def _compiled(self, x: Tensor, styles: Tensor, geometry: Geometry) -> Tensor:
        """The same in float32 without gradients: styles and demodulation are part of the weight."""
        styles = _unit(styles)
        weight, squares = self._weight(COMPILED, geometry)
        scale = demodulation(styles, squares) * self.input_gain(x)
        none = torch.zeros_like(self.bias)
        if self.weight.shape[2] == 1:
            return self._activate(
                winograd.pointwise(x, weight, styles, scale, none, activation="linear"), None, geometry
            )
        y = winograd.convolution(x, weight, styles, scale, none, activation="linear", padding=2)
        return self._activate(y, None, geometry)

    def _activate(self, x: Tensor, scale: Tensor | None, geometry: Geometry) -> Tensor:
        up, down, padding, sides, up_filter, down_filter, _ = geometry
        return filtered_lrelu(
            x,
            self.bias,
            up_filter,
            down_filter,
            scale=scale,
            up=up,
            down=down,
            padding=padding,
            side_padding=sides,
            clamp=self.conv_clamp,
        )

    def _weight(self, kind: torch.dtype | str, geometry: Geometry) -> tuple[Tensor, ...]:
        same = self.weight.shape[2] == 1 or geometry.spacing == 1.0
        return self.prepare(kind if same else Closer(kind, geometry.spacing))

    def input_gain(self, x: Tensor) -> Tensor:
        """1 / root of the running mean of x², updated first in training mode. A scalar."""
        ema = self.get_buffer("magnitude_ema")
        if self.training:
            with torch.no_grad():
                ema.copy_(torch.lerp(x.detach().float().square().mean(), ema, self.ema_beta))
        return ema.rsqrt()

    def _make(self, weight: Tensor, kind: Any) -> tuple[Tensor, Tensor]:
        """Every output channel to unit length: small numbers suit half precision, and demodulation cancels the factor."""
        weight = weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True).clamp_min(TINY))
        squares = weight_squares(weight)
        if isinstance(kind, Closer):
            weight, kind = resampled(weight, kind.spacing), kind.kind
        if isinstance(kind, str):
            return winograd.packed(weight, up=1), squares
        layout = torch.channels_last if weight.device.type == "cpu" or kind in HALF else torch.contiguous_format
        return weight.to(kind).contiguous(memory_format=layout), squares


class AliasFreeToRGB(AliasFreeLayer):
    """Modulated 1×1 convolution to colours: neither demodulation nor filters. The result is float32, before output_scale."""

    def forward(self, x: Tensor, styles: Tensor, geometry: Geometry | None = None) -> Tensor:
        """[N, I, H, W] with styles [N, I] → [N, colours, H, W] float32. Every geometry is the same to it."""
        n, _, h, w = x.shape
        gain = self.input_gain(x) / math.sqrt(self.weight[0].numel())
        weight = self.weight.flatten(1) * (styles.float() * gain)[:, None, :]
        y = torch.bmm(weight.to(x.dtype), x.flatten(2)).reshape(n, -1, h, w).float() + self.bias[:, None, None]
        return y if self.conv_clamp is None else y.clamp(-self.conv_clamp, self.conv_clamp)


def _unit(styles: Tensor) -> Tensor:
    """Styles of each sample at unit mean square, float32."""
    styles = styles.float()
    return styles * torch.rsqrt(styles.square().mean(dim=1, keepdim=True).clamp_min(TINY))
