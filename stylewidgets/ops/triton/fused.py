"""Layers' operations as single kernels on a GPU (`triton_epilogue`, `triton_filters`), where plain torch takes several.

For inference: without gradients, outside of autocast and of tracing. CUDA builds of torch for Linux bring Triton along; without
it, or with ``STYLEWIDGETS_TRITON=0``, everything is plain torch, and so it is where a kernel fails its trial (`trials`).

Nothing here was run on a GPU, as none was at hand: the kernels are held to the references in Triton's interpreter and compiled
for GPUs by tests, and what decides is tested on the CPU with stand-ins.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from ..bias_act import bias_act
from ..modulated_conv2d import shared_conv2d
from ..plain_filtered_lrelu import Settings
from ..upfirdn2d import Taps, blur2d
from . import trials
from ._epilogue import Epilogue, epilogue
from .filter_tiles import Tiles, down_matrices, largest, tiles
from .trials import TRIALS, Work

_kept: MutableMapping[Tensor, tuple[Any, Tensor]] = WeakTensorKeyDictionary()
"""For a down filter: what its matrices were made for, and they."""


def conv_bias_act(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    scale: Tensor,
    noise: Tensor | None = None,
    strength: Tensor | None = None,
    up: int = 1,
    taps: Taps,
    gain: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """`bias_act` with the leaky ReLU, after `shared_conv2d`.

    Args:
        x, weight, up, taps: as of `shared_conv2d`.
        bias, scale, gain, clamp: as of `bias_act`.
        noise: broadcasts to the result.
        strength: multiplies the noise; one number, None for 1.
    """

    def finish(y: Tensor) -> Tensor:
        added = noise if noise is None or strength is None else noise * strength
        return bias_act(y, bias, scale=scale, noise=added, gain=gain, clamp=clamp)

    if not trials.usable(x, weight, bias, scale, noise, strength):
        return finish(shared_conv2d(x, weight, up=up, taps=taps))
    if up == 2 and len(taps) == 4:
        y = F.conv_transpose2d(x, weight, stride=2)
        n, c, h, w = y.shape
        then = epilogue(scale, bias, noise, strength, gain, clamp, n, c, h - 1, w - 1)
        return _tried("up_epilogue", y, then, lambda y: finish(blur2d(y, taps, padding=1, gain=4.0)), taps)
    y = shared_conv2d(x, weight, up=up, taps=taps)
    then = epilogue(scale, bias, noise, strength, gain, clamp, *y.shape)
    return _tried("bias_act", y, then, finish)


def filtered_lrelu(
    x: Tensor,
    bias: Tensor,
    up_filter: Tensor,
    down_filter: Tensor,
    scale: Tensor | None,
    settings: Settings,
    plain: Work,
) -> Tensor:
    """As the function in `filtered_lrelu`, which has found it `filters_usable`; ``plain`` does the same to ``x``."""
    found = tiles(settings.up, settings.down, len(up_filter), len(down_filter), largest(x))
    assert found is not None
    sizes: Tiles = found

    def quick(x: Tensor) -> Tensor:
        from . import triton_filters

        return triton_filters.filtered_lrelu(
            x,
            bias.contiguous(),
            up_filter.contiguous(),
            matrices_of(down_filter, settings.down, sizes, x.dtype),
            None if scale is None else scale.contiguous(),
            sizes,
            len(down_filter),
            settings,
        )

    kind = (
        x.device,
        x.dtype,
        x.is_contiguous(),
        scale is None,
        x.shape[1:],
        up_filter.shape,
        down_filter.shape,
        settings,
    )
    return TRIALS.run("filtered_lrelu", kind, quick, plain, x, timed=x.is_cuda)


def filters_usable(
    x: Tensor, bias: Tensor, up_filter: Tensor, down_filter: Tensor, scale: Tensor | None, settings: Settings
) -> bool:
    """Whether the kernel can do this. A filter made in inference mode does not say when it changes."""
    if not trials.usable(x, bias, up_filter, down_filter, scale) or down_filter.is_inference():
        return False
    n, c, h, w = x.shape
    high, wide = (side * settings.up + sum(settings.padding) for side in (h, w))
    return (
        trials.dense(x)
        and trials.countable(n, c, high // settings.down + 1, wide // settings.down + 1)
        and tiles(settings.up, settings.down, len(up_filter), len(down_filter), largest(x)) is not None
    )


def matrices_of(down_filter: Tensor, down: int, sizes: Tiles, dtype: torch.dtype) -> Tensor:
    """`down_matrices`, kept until the filter changes."""
    key = (down_filter._version, down, sizes, dtype)
    if down_filter in _kept:
        known, made = _kept[down_filter]
        if known == key:
            return made
    with torch.inference_mode(False), torch.no_grad():
        made = down_matrices(down_filter, down, sizes, dtype)
    _kept[down_filter] = key, made
    return made


def _tried(kernel: str, y: Tensor, then: Epilogue | None, plain: Work, taps: Taps | None = None) -> Tensor:
    """A convolution's result with its filter, if any, and its epilogue."""
    if then is None or not trials.dense(y) or not trials.countable(*y.shape):
        return plain(y)
    kind = (y.device, y.dtype, y.is_contiguous(), then.noise is None, then.clamp is None)
    return TRIALS.run(kernel, kind, lambda y: _launched(y, then, taps), plain, y)


def _launched(y: Tensor, then: Epilogue, taps: Taps | None) -> Tensor:
    from . import triton_epilogue

    if taps is None:
        return triton_epilogue.bias_act(y, then)
    return triton_epilogue.up_epilogue(y, tuple(2 * tap / sum(taps) for tap in taps), then)
