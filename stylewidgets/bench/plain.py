"""The reference paths of the benchmark: every family as the formulas say it, with no care for speed.

Planar tensors, weights modulated for each picture and one grouped convolution for the batch, transposed convolutions followed
by the whole filter, zeros inserted and filtered at the full rate, and a new tensor for every step: how implementations
without compiled extensions do it. The numbers are those of the generators, so pictures can be compared with them, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.bias_act import SLOPE, bias_act_reference
from ..ops.upfirdn2d import Taps

BLUR: Taps = (1.0, 2.0, 1.0)


def picture(generator: Any, styles: Sequence[Tensor]) -> Tensor:
    """The picture [N, C, H, W] of a generator for its styles, with constant noise.

    Raises:
        ValueError: StyleGAN2 that is not of the skip architecture, or a family without a reference path.
    """
    paths = {"stylegan1": _stylegan1, "stylegan2": _stylegan2, "stylegan3": _stylegan3}
    if generator.family not in paths or (generator.family == "stylegan2" and not generator.has_inner_pictures):
        raise ValueError(
            f"there is a reference path for {', '.join(paths)} (skip architecture); {generator.family} "
            f"{getattr(generator.config, 'architecture', '')} was given"
        )
    with torch.inference_mode():
        return paths[generator.family](generator, styles)


def _stylegan1(generator: Any, styles: Sequence[Tensor]) -> Tensor:
    x = generator.synthesis.blocks[0].const.expand(len(styles[0]), -1, -1, -1).contiguous()
    for layer, style in zip(generator.layers, styles, strict=True):
        module = generator.synthesis.get_submodule(layer.name)
        if hasattr(module, "weight"):
            x = _plain_convolution(module, x)
        if module.bias is not None:
            x = x + module.bias[:, None, None]
        if hasattr(module, "noise_const"):
            x = x + module.noise_const * module.noise_strength[:, None, None]
        x = F.leaky_relu(x, SLOPE)
        x = x - x.mean(dim=(2, 3), keepdim=True)
        x = x * torch.rsqrt(x.square().mean(dim=(2, 3), keepdim=True) + module.eps)
        factor, shift = style.reshape(len(style), 2, -1, 1, 1).unbind(dim=1)
        x = x * (factor + 1) + shift
    return generator.synthesis.blocks[-1].torgb(x)  # type: ignore[no-any-return]


def _plain_convolution(module: Any, x: Tensor) -> Tensor:
    if module.up == 1:
        return F.conv2d(x, module.weight * module.scale, padding=1)
    weight = module.weight * module.scale
    if module.fused:
        wide = F.pad(weight.transpose(0, 1), (1, 1, 1, 1))
        four = wide[..., 1:, 1:] + wide[..., 1:, :-1] + wide[..., :-1, 1:] + wide[..., :-1, :-1]
        x = F.conv_transpose2d(x, four, stride=2, padding=1)
    else:
        x = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    return _fir(x, torch.tensor(BLUR, dtype=torch.float32, device="cpu") / sum(BLUR), 1, 1)


def _stylegan2(generator: Any, styles: Sequence[Tensor]) -> Tensor:
    taps = torch.tensor(generator.config.taps, dtype=torch.float32, device="cpu")
    taps = taps * (2 / taps.sum())
    x = generator.synthesis.b4.const.expand(len(styles[0]), -1, -1, -1).contiguous()
    img: Tensor | None = None
    for layer, style in zip(generator.layers, styles, strict=True):
        module = generator.synthesis.get_submodule(layer.name)
        if layer.kind == "conv":
            x = _modulated_layer(module, x, style, taps)
        else:
            y = _grouped(x, module.weight * (style / math.sqrt(style.shape[1]))[:, None, :, None, None])
            y = bias_act_reference(y, module.bias, activation="linear", clamp=module.conv_clamp)
            img = y if img is None else _fir(_zeros_between(img, 2), taps, len(taps) // 2, (len(taps) - 2) // 2) + y
    assert img is not None
    return img


def _modulated_layer(module: Any, x: Tensor, style: Tensor, taps: Tensor) -> Tensor:
    own = module.weight * style[:, None, :, None, None]
    own = own * torch.rsqrt(own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
    if module.up == 2:
        x = _fir(_grouped_up(x, own), taps, (len(taps) - 2) // 2, (len(taps) - 2) // 2)
    else:
        x = _grouped(x, own, padding=1)
    noise = module.noise_const * module.noise_strength if module.use_noise else None
    return bias_act_reference(x, module.bias, noise=noise, clamp=module.conv_clamp)


def _stylegan3(generator: Any, styles: Sequence[Tensor]) -> Tensor:
    x = generator.synthesis.input(styles[0]).contiguous()
    for layer, style in zip(generator.layers[1:-1], styles[1:-1], strict=True):
        module = generator.synthesis.get_submodule(layer.name)
        weight = module.weight * torch.rsqrt(module.weight.square().mean(dim=(1, 2, 3), keepdim=True))
        own = weight * (style * torch.rsqrt(style.square().mean()))[:, None, :, None, None]
        own = own * torch.rsqrt(own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
        x = _grouped(x, own * module.magnitude_ema.rsqrt(), padding=module.weight.shape[2] - 1)
        x = _filtered_lrelu(module, x + module.bias[:, None, None])
    last = generator.synthesis.get_submodule(generator.layers[-1].name)
    gain = last.magnitude_ema.rsqrt() / math.sqrt(last.weight[0].numel())
    y = _grouped(x, last.weight * (styles[-1] * gain)[:, None, :, None, None]) + last.bias[:, None, None]
    y = y if last.conv_clamp is None else y.clamp(-last.conv_clamp, last.conv_clamp)
    scaled: Tensor = y * generator.config.output_scale
    return scaled


def _filtered_lrelu(module: Any, x: Tensor) -> Tensor:
    up, down, (before, after) = module.factor_up, module.factor_down, module.padding
    x = _fir(
        _zeros_between(x, up),
        getattr(module, "up_filter", torch.ones(1, dtype=torch.float32, device="cpu")) * up,
        before,
        after,
    )
    x = F.leaky_relu(x, SLOPE) * math.sqrt(2)
    x = x if module.conv_clamp is None else x.clamp(-module.conv_clamp, module.conv_clamp)
    return _fir(x, getattr(module, "down_filter", torch.ones(1, dtype=torch.float32, device="cpu")), 0, 0)[
        :, :, ::down, ::down
    ]


def _grouped(x: Tensor, weight: Tensor, padding: int = 0) -> Tensor:
    """Weights [N, O, I, k, k] of their own for each sample."""
    n, o = weight.shape[:2]
    y = F.conv2d(x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), padding=padding, groups=n)
    return y.reshape(n, o, *y.shape[2:])


def _grouped_up(x: Tensor, weight: Tensor) -> Tensor:
    n, o = weight.shape[:2]
    y = F.conv_transpose2d(x.reshape(1, -1, *x.shape[2:]), weight.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
    return y.reshape(n, o, *y.shape[2:])


def _zeros_between(x: Tensor, up: int) -> Tensor:
    n, c, h, w = x.shape
    wide = x.new_zeros(n, c, h, up, w, up)
    wide[:, :, :, 0, :, 0] = x
    return wide.reshape(n, c, h * up, w * up)


def _fir(x: Tensor, taps: Tensor, before: int, after: int) -> Tensor:
    """Pad (or crop) and correlate each channel with taps ⊗ taps, small filters at once and long ones axis by axis."""
    x, channels = F.pad(x, (before, after, before, after)), x.shape[1]
    if taps.ndim == 1 and len(taps) > 4:
        x = F.conv2d(x, taps[:, None].expand(channels, 1, -1, 1), groups=channels)
        return F.conv2d(x, taps.expand(channels, 1, 1, -1), groups=channels)
    kernel = taps if taps.ndim == 2 else torch.outer(taps, taps)
    return F.conv2d(x, kernel.expand(channels, 1, -1, -1), groups=channels)
