"""`filtered_lrelu` by the quickest way that there is for its arguments."""

from __future__ import annotations

import torch
from torch import Tensor

from .bias_act import SLOPE
from .native import _filtered_lrelu, _filtered_lrelu_grad
from .plain_filtered_lrelu import GAIN, Settings, by_torch, filtered_lrelu_reference
from .triton import fused

__all__ = ["filtered_lrelu", "filtered_lrelu_reference"]


def filtered_lrelu(
    x: Tensor,
    bias: Tensor,
    up_filter: Tensor | None = None,
    down_filter: Tensor | None = None,
    *,
    scale: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] = (0, 0),
    side_padding: tuple[int, int] | None = None,
    gain: float = GAIN,
    slope: float = SLOPE,
    clamp: float | None = 256.0,
) -> Tensor:
    """`filtered_lrelu_reference`, quick: no multiplication by an inserted zero, none for a sample that is dropped.

    In float32 on the CPU without gradients it is one compiled call, where there is a compiler, and ``x`` stays as it is. On a
    GPU without gradients it is one kernel, where there is Triton (`fused`). Else upsampling is a strided transposed
    convolution per channel and axis, downsampling a strided one; on the CPU without gradients that goes through the picture
    in bands of rows, so that the upsampled features never exist as a whole. Without gradients ``x`` may be overwritten: it
    must be the caller's own. With gradients it can be differentiated twice.
    """
    sides = padding if side_padding is None else side_padding
    _check(x, up_filter, down_filter, up, down, padding, sides)
    if sides != padding:  # a few layers of pictures that are not square; the quick ways have one padding
        settings = Settings(up, down, padding, gain, slope, clamp)
        return by_torch(_biased(x, bias, scale), up_filter, down_filter, settings, sides)
    taps = [1 if f is None else len(f) for f in (up_filter, down_filter)]
    if _filtered_lrelu.usable(x, bias, up_filter, down_filter, scale, sizes=(*taps, up, down)):
        return _filtered_lrelu.filtered_lrelu(
            x, bias, up_filter, down_filter, scale, up, down, padding, gain, slope, clamp
        )
    settings = Settings(up, down, padding, gain, slope, clamp)
    if (
        up_filter is not None
        and down_filter is not None
        and fused.filters_usable(x, bias, up_filter, down_filter, scale, settings)
    ):
        return fused.filtered_lrelu(
            x,
            bias,
            up_filter,
            down_filter,
            scale,
            settings,
            lambda x: by_torch(_biased(x, bias, scale), up_filter, down_filter, settings),
        )
    x = _biased(x, bias, scale)
    if _filtered_lrelu_grad.usable(x, up_filter, down_filter, sizes=(*taps, up, down)):
        return _filtered_lrelu_grad.filtered_lrelu(x, up_filter, down_filter, settings)
    return by_torch(x, up_filter, down_filter, settings)


def _biased(x: Tensor, bias: Tensor, scale: Tensor | None) -> Tensor:
    """x·scale + bias, in place where that is allowed."""
    small = bias.to(x.dtype)[None, :, None, None]
    if torch.is_grad_enabled():
        return x + small if scale is None else torch.addcmul(small, x, scale.to(x.dtype)[:, :, None, None])
    return x.add_(small) if scale is None else x.mul_(scale.to(x.dtype)[:, :, None, None]).add_(small)


def _check(
    x: Tensor,
    up_filter: Tensor | None,
    down_filter: Tensor | None,
    up: int,
    down: int,
    padding: tuple[int, int],
    sides: tuple[int, int],
) -> None:
    if up < 1 or down < 1:
        raise ValueError(f"up and down are whole factors from 1; {up} and {down} were given")
    taps = [1 if f is None else len(f) for f in (up_filter, down_filter)]
    high, wide = (side * up + sum(pads) - taps[0] + 1 for side, pads in zip(x.shape[2:], (padding, sides), strict=True))
    if min(high, wide) < taps[1]:
        raise ValueError(
            f"features of {list(x.shape[2:])} with padding {padding} and {sides} are smaller than the filters of "
            f"{taps[0]} and {taps[1]} taps at up {up}"
        )
