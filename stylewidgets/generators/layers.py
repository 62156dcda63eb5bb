"""Layers that the generator and discriminator families share. Parameter names are those of stylegan2-ada-pytorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ops.bias_act import GAINS, SLOPE, bias_act
from ..ops.modulated_conv2d import demodulation, weight_squares
from ..ops.native import colours, winograd
from ..ops.triton.fused import conv_bias_act
from ..ops.upfirdn2d import BINOMIAL, Taps, blur2d, upsample2d
from .config import BlockConfig

HALF = (torch.float16, torch.bfloat16)
COMPILED = "compiled"
FLAT, COMPILED_FLAT = "flat", "compiled flat"


def normalize_2nd_moment(x: Tensor) -> Tensor:
    """x / sqrt(mean(x²) + 1e-8) over the last axis."""
    return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-8)


class FullyConnected(nn.Module):
    """y = act(x Wᵀ·(lr/√in) + b·lr), with the learning rate equalised at run time (Karras et al. 2018).

    Args:
        inputs, outputs: features.
        activation: "linear" or "lrelu" (slope 0.2, gain √2).
        lr_multiplier: 0.01 in mapping networks; weights start as N(0, 1)/lr so that the used ones start alike.
        bias_init: first value of the used bias (1 for style layers).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        activation: str = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.lr_multiplier = lr_multiplier
        self.gain = lr_multiplier / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, dtype=torch.float32, device="cpu") / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias_init / lr_multiplier, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] → [N, outputs]."""
        y = torch.addmm(self.bias, x, self.weight.t(), beta=self.lr_multiplier, alpha=self.gain)
        return F.leaky_relu(y, SLOPE) * GAINS["lrelu"] if self.activation == "lrelu" else y


class _Kept(NamedTuple):
    """Tensors made of a weight, and what they were made from."""

    source: Tensor
    version: int
    address: int
    kind: object
    made: tuple[Tensor, ...]


class PreparedWeight(nn.Module):
    """A layer whose ``weight`` is made ready for use: cast, arranged, summed.

    In evaluation the result is kept until the parameter changes: the last one, and the last one for previews. Changes through
    ``parameter.data`` go unseen: call ``train`` with either mode after them.
    """

    weight: nn.Parameter
    _kept: _Kept | None = None
    _kept_small: _Kept | None = None

    def prepare(self, kind: object) -> tuple[Tensor, ...]:
        """What the layer computes with, for features in a dtype, `COMPILED`, or another ``kind`` that it knows, for previews."""
        weight = self.weight
        fixed = not (self.training or weight.is_inference() or (torch.is_grad_enabled() and weight.requires_grad))
        if not fixed:
            return self._make(weight, kind)
        slot = "_kept" if isinstance(kind, torch.dtype) or kind == COMPILED else "_kept_small"
        kept: _Kept | None = getattr(self, slot)
        if (
            kept is None
            or kept.source is not weight
            or kept.version != weight._version
            or kept.address != weight.data_ptr()
            or kept.kind != kind
        ):
            with torch.inference_mode(False), torch.no_grad():
                made = self._make(weight, kind)
            kept = _Kept(weight, weight._version, weight.data_ptr(), kind, made)
            setattr(self, slot, kept)
        return kept.made

    def _make(self, weight: Tensor, kind: Any) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def train(self, mode: bool = True) -> PreparedWeight:
        """Also forgets what was prepared."""
        self._kept = self._kept_small = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None, "_kept_small": None}


def arranged(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """A convolution weight in `dtype`, and in the layout that is quickest for it on its device."""
    layout = torch.channels_last if weight.device.type == "cpu" else torch.contiguous_format
    return weight.to(dtype).contiguous(memory_format=layout)


def entering(block: nn.Module, x: Tensor | None, n: int, dtype: torch.dtype | None) -> Tensor:
    """The features that come into a block: those before it, or else its learned constant ``const`` [C, H, W], n times.

    None keeps their dtype. The constant is channels last where convolutions are quicker in that layout.
    """
    if x is not None:
        return x if dtype is None else x.to(dtype)
    const: Tensor = block.const  # type: ignore[assignment]
    kind = dtype or torch.float32
    last = const.device.type == "cpu" or kind in HALF
    layout = torch.channels_last if last else torch.contiguous_format
    return const.to(kind).expand(n, -1, -1, -1).clone(memory_format=layout)


Config = TypeVar("Config", bound=BlockConfig)
Block = TypeVar("Block", bound=nn.Module)


class BlockChain(nn.Module, Generic[Block]):
    """A synthesis network of the blocks b4, b8, ... as submodules, each made of the config and its index."""

    def __init__(self, config: Config, make: Callable[[Config, int], Block]) -> None:
        super().__init__()
        for i in range(config.num_blocks):
            self.add_module(config.block_name(i), make(config, i))

    @property
    def blocks(self) -> list[Block]:
        """The blocks, the smallest first."""
        return list(self._modules.values())  # type: ignore[arg-type]


class StyleConv(PreparedWeight):
    """What convolution and toRGB layers share: weight, bias, style layer.

    `prepare` gives the weight as the convolution wants it, in a dtype or `COMPILED`, and its squares [I, O]. For `FLAT` it is the
    sum of each kernel, [I, O], and for `COMPILED_FLAT` the same as `winograd.pointwise` wants it.
    """

    up = 1
    resolution = 0

    def __init__(self, inputs: int, outputs: int, kernel: int, w_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu"))
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)

    @property
    def style_channels(self) -> int:
        """Length of the style vector."""
        return int(self.weight.shape[1])

    def _make(self, weight: Tensor, kind: Any) -> tuple[Tensor, ...]:
        if kind == FLAT:
            return weight.float().sum(dim=(2, 3)).t().contiguous(), weight_squares(weight)
        if kind == COMPILED_FLAT:
            return winograd.packed(weight.float().sum(dim=(2, 3), keepdim=True), up=1), weight_squares(weight)
        if kind == COMPILED:
            return winograd.packed(weight, self.up), weight_squares(weight)
        if kind == torch.float16:  # keep W·s and its sums far from the largest half; demodulation cancels the factor
            fan_in = weight[0].numel()
            weight = weight / (weight.abs().amax(dim=(1, 2, 3), keepdim=True) * math.sqrt(fan_in)).clamp_min(1e-20)
        return arranged(weight.transpose(0, 1) if self.up == 2 else weight, kind), weight_squares(weight)


class SynthesisLayer(StyleConv):
    """Modulated 3×3 convolution (optionally ×2 up), noise, bias, leaky ReLU, clamp."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        w_dim: int,
        size: tuple[int, int],
        up: int = 1,
        use_noise: bool = True,
        conv_clamp: float | None = None,
        taps: Taps = BINOMIAL,
    ) -> None:
        super().__init__(inputs, outputs, 3, w_dim)
        self.up, self.taps, self.size, self.conv_clamp = up, taps, size, conv_clamp
        self.resolution = max(size)
        if use_noise:
            self.register_buffer("noise_const", torch.randn(size, dtype=torch.float32, device="cpu"))
            self.noise_strength = nn.Parameter(torch.zeros((), dtype=torch.float32, device="cpu"))
        self.use_noise = use_noise

    def forward(self, x: Tensor, styles: Tensor, noise: Tensor | None, *, gain: float = 1.0) -> Tensor:
        """[N, I, H, W] with styles [N, I] and noise broadcasting to [N, 1, H', W'] → [N, O, H', W'] in x's dtype."""
        if winograd.usable(x, self.weight, self.bias, styles, noise, up=self.up, taps=self.taps):
            return self._compiled(x, styles, noise, gain)
        weight, squares = self.prepare(x.dtype)
        with _no_autocast(x.device.type):
            styles = styles.float()
            if x.dtype == torch.float16:
                styles = styles / styles.abs().amax(dim=1, keepdim=True).clamp_min(1e-20)
            scale = demodulation(styles, squares)
        x = x * styles.to(x.dtype)[:, :, None, None]
        return conv_bias_act(
            x,
            weight,
            self.bias,
            scale=scale,
            noise=noise,
            strength=None if noise is None else self.noise_strength,
            up=self.up,
            taps=self.taps,
            gain=gain,
            clamp=self.conv_clamp,
        )

    def strip(self, x: Tensor, styles: Tensor, noise: Tensor | None, rows: slice) -> Tensor:
        """Some rows of what `forward` makes, where `winograd.usable` says that they can be had. They start at a multiple of 4."""
        return self._compiled(x, styles, noise, 1.0, rows)

    def _compiled(
        self, x: Tensor, styles: Tensor, noise: Tensor | None, gain: float, rows: slice | None = None
    ) -> Tensor:
        weight, squares = self.prepare(COMPILED)
        styles = styles.float()
        strength = 0.0 if noise is None else float(self.noise_strength)
        return winograd.convolution(
            x,
            weight,
            styles,
            demodulation(styles, squares),
            self.bias,
            noise=noise if strength else None,
            noise_gain=strength,
            up=self.up,
            gain=gain,
            clamp=self.conv_clamp,
            rows=rows,
        )


class ToRGB(StyleConv):
    """Modulated 1×1 convolution to colours, without demodulation. The result is float32."""

    def __init__(
        self, inputs: int, outputs: int, *, w_dim: int, size: tuple[int, int], conv_clamp: float | None = None
    ) -> None:
        super().__init__(inputs, outputs, 1, w_dim)
        self.conv_clamp = conv_clamp
        self.resolution = max(size)
        self.gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        """[N, I, H, W] with styles [N, I] → [N, colours, H, W] float32."""
        n, _, h, w = x.shape
        # So few outputs that it is cheaper to modulate the weight than the features.
        weight = self.weight.flatten(1) * (styles.float() * self.gain)[:, None, :]
        if colours.usable(x, weight, self.bias):
            return colours.to_colours(x, weight, self.bias, self.conv_clamp)
        # Flattening is a view in both layouts. The result is planar: 0.4 of the time of one product per pixel at 128 pixels.
        y = torch.bmm(weight.to(x.dtype), x.flatten(2)).reshape(n, -1, h, w)
        return bias_act(y.float(), self.bias, activation="linear", clamp=self.conv_clamp)


class EqualizedConv2d(nn.Module):
    """Convolution with equalised learning rate, optionally ×2 up or ×2 down with a FIR filter, bias and activation.

    Args:
        inputs, outputs, kernel: as in nn.Conv2d, "same" padding.
        activation: "linear" or "lrelu".
        resample: "up" (kernel 1 only), "down" or "".
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        bias: bool = True,
        activation: str = "linear",
        resample: str = "",
        conv_clamp: float | None = None,
        taps: Taps = BINOMIAL,
    ) -> None:
        super().__init__()
        if resample not in ("", "up", "down") or (resample == "up" and kernel != 1):
            raise ValueError(f"resample is '', 'down', or 'up' with a 1x1 kernel; {resample!r} with {kernel} was given")
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel, dtype=torch.float32, device="cpu"))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float32, device="cpu")) if bias else None
        self.scale = 1 / math.sqrt(inputs * kernel * kernel)
        self.activation, self.resample, self.conv_clamp, self.taps = activation, resample, conv_clamp, taps

    def forward(self, x: Tensor, *, gain: float = 1.0) -> Tensor:
        """[N, I, H, W] → [N, O, H', W']."""
        k = self.weight.shape[2]
        plain = self.bias is None and self.activation == "linear" and self.conv_clamp is None
        weight = (self.weight * (self.scale * gain if plain else self.scale)).to(x.dtype)
        pad = (len(self.taps) - 2) // 2
        if self.resample == "up":
            x = upsample2d(F.conv2d(x, weight), self.taps)
        elif self.resample == "down" and k == 1:
            x = F.conv2d(blur2d(x, self.taps, down=2, padding=pad), weight)
        elif self.resample == "down":
            x = F.conv2d(blur2d(x, self.taps, padding=pad + k // 2), weight, stride=2)
        else:
            x = F.conv2d(x, weight, padding=k // 2)
        if plain:
            return x
        bias = self.bias if self.bias is not None else x.new_zeros(x.shape[1])
        return bias_act(x, bias, activation=self.activation, gain=gain, clamp=self.conv_clamp)


def _no_autocast(device: str) -> AbstractContextManager[object]:
    """Styles and demodulation stay in float32 under autocast; no cost where there is none."""
    if torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
