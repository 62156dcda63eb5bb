"""Scale, bias, noise, activation and clamp after a convolution, in as few passes over memory as plain torch allows."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SLOPE = 0.2  # of the leaky ReLU in every public StyleGAN
GAINS = {"lrelu": math.sqrt(2.0), "linear": 1.0}


def bias_act_reference(
    x: Tensor,
    bias: Tensor | None = None,
    *,
    scale: Tensor | None = None,
    noise: Tensor | None = None,
    activation: str = "lrelu",
    gain: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """clamp(act(x·scale + noise + bias) · act_gain · gain, ±clamp·gain), step by step.

    Args:
        x: [N, C, H, W].
        bias: [C].
        scale: [N, C], the demodulation.
        noise: broadcasts to x.
        activation: "lrelu" (slope 0.2, gain √2) or "linear" (gain 1).
        gain: extra factor after the activation; it scales the clamp too.
        clamp: None for no clamp.
    """
    if scale is not None:
        x = x * scale[:, :, None, None]
    if noise is not None:
        x = x + noise
    if bias is not None:
        x = x + bias[None, :, None, None]
    if activation == "lrelu":
        x = F.leaky_relu(x, SLOPE)
    x = x * (GAINS[activation] * gain)
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)


def bias_act(
    x: Tensor,
    bias: Tensor,
    *,
    scale: Tensor | None = None,
    noise: Tensor | None = None,
    activation: str = "lrelu",
    gain: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """`bias_act_reference`, quick. Without gradients the result is written into ``x``, which must be the caller's own.

    The leaky ReLU is positively homogeneous, so the gain moves into the small tensors before it.
    """
    total = GAINS[activation] * gain
    small = bias if total == 1.0 else bias * total
    small = small.to(x.dtype)[None, :, None, None]
    inplace = not torch.is_grad_enabled()
    if scale is not None:
        factor = (scale if total == 1.0 else scale * total).to(x.dtype)[:, :, None, None]
        x = torch.addcmul(small, x, factor, out=x) if inplace else torch.addcmul(small, x, factor)
    elif total != 1.0:
        x = torch.add(small, x, alpha=total)
    else:
        x = x.add_(small) if inplace else x + small
    if noise is not None:
        noise = (noise if total == 1.0 else noise * total).to(x.dtype)
        x = x.add_(noise) if inplace else x + noise
    if activation == "lrelu":
        x = F.leaky_relu(x, SLOPE, inplace=inplace)
    if clamp is not None:
        x = x.clamp_(-clamp * gain, clamp * gain) if inplace else x.clamp(-clamp * gain, clamp * gain)
    return x
