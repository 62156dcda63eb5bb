"""The reference path of the benchmark: StyleGAN2 as the formulas say it, with no care for speed.

Planar tensors, weights modulated for each picture and one grouped convolution for the batch, transposed convolution
followed by the whole two-dimensional filter, and a new tensor for every step: how implementations without compiled
extensions do it. The numbers are those of the generator, so it also is something to compare pictures with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.bias_act import bias_act_reference
from ..ops.upfirdn2d import Taps


def stylegan2(generator: Any, styles: Sequence[Tensor]) -> Tensor:
    """The picture [N, C, H, W] of a `StyleGAN2` of the skip architecture for its styles, with constant noise.

    Raises:
        ValueError: another family or architecture.
    """
    if generator.family != "stylegan2" or not generator.has_inner_pictures:
        raise ValueError("the reference path draws StyleGAN2 of the skip architecture; "
                         f"{generator.family} {getattr(generator.config, 'architecture', '')} was given")
    taps: Taps = generator.config.taps
    with torch.inference_mode():
        x = generator.synthesis.b4.const.expand(len(styles[0]), -1, -1, -1).contiguous()
        img: Tensor | None = None
        for layer, style in zip(generator.layers, styles, strict=True):
            module = generator.synthesis.get_submodule(layer.name)
            if layer.kind == "conv":
                x = _convolution(module, x, style, taps)
            else:
                y = _grouped(x, module.weight * (style / math.sqrt(style.shape[1]))[:, None, :, None, None], padding=0)
                y = bias_act_reference(y, module.bias, activation="linear", clamp=module.conv_clamp)
                img = y if img is None else _upsample(img, taps) + y
        assert img is not None
        return img


def _convolution(module: Any, x: Tensor, style: Tensor, taps: Taps) -> Tensor:
    own = module.weight * style[:, None, :, None, None]
    own = own * torch.rsqrt(own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
    if module.up == 2:
        x = _fir(_grouped_up(x, own), taps, (len(taps) - 2) // 2, (len(taps) - 2) // 2)
    else:
        x = _grouped(x, own, padding=1)
    noise = module.noise_const * module.noise_strength if module.use_noise else None
    return bias_act_reference(x, module.bias, noise=noise, clamp=module.conv_clamp)


def _grouped(x: Tensor, weight: Tensor, padding: int) -> Tensor:
    """Weights [N, O, I, k, k] of their own for each sample."""
    n, o = weight.shape[:2]
    y = F.conv2d(x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), padding=padding, groups=n)
    return y.reshape(n, o, *y.shape[2:])


def _grouped_up(x: Tensor, weight: Tensor) -> Tensor:
    n, o = weight.shape[:2]
    y = F.conv_transpose2d(x.reshape(1, -1, *x.shape[2:]), weight.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
    return y.reshape(n, o, *y.shape[2:])


def _upsample(x: Tensor, taps: Taps) -> Tensor:
    n, c, h, w = x.shape
    wide = x.new_zeros(n, c, h, 2, w, 2)
    wide[:, :, :, 0, :, 0] = x
    return _fir(wide.reshape(n, c, 2 * h, 2 * w), taps, (len(taps) + 1) // 2, (len(taps) - 2) // 2)


def _fir(x: Tensor, taps: Taps, before: int, after: int) -> Tensor:
    """Correlate with taps ⊗ taps, whose sum is 4, as one depthwise convolution."""
    line = torch.tensor(taps, dtype=x.dtype)
    kernel = torch.outer(line, line) * (4 / line.sum() ** 2)
    x = F.pad(x, (before, after, before, after))
    return F.conv2d(x, kernel.expand(x.shape[1], 1, -1, -1), groups=x.shape[1])
