"""The compiled convolutions of StyleGAN2's and StyleGAN3's layers (`_winograd.cpp`): float32, on the CPU, without gradients.

Modulation, ×2 upsampling, convolution, demodulation, noise, bias, leaky ReLU, gain and clamp are one call that reads the
features once and writes them once. By Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, CVPR 2016), which has a
quarter of the products, and F(3, 2) for the transposed convolution of up-layers, which has 0.6 of them; the error against exact
arithmetic is about 1e-6 of the features, a few times that of the definition.
"""

from __future__ import annotations

import ctypes
import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import _buffers
from ..bias_act import GAINS, SLOPE
from ..upfirdn2d import BINOMIAL, Taps
from .build import address, library

_SMALLEST = 16  # pixels, those of the first layer; transforming the weight for fewer costs more than it saves
_POINTERS = ("x", "weight", "style", "scale", "bias", "noise", "y")
_COUNTS = ("n", "height", "width", "inputs", "outputs", "noise_step", "up", "padding", "first", "rows")


class _Convolution(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_int64) for name in _COUNTS),
        *((name, ctypes.c_float) for name in ("noise_gain", "slope", "clamp")),
        ("threads", ctypes.c_int64),
    ]


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    made = library("_winograd")
    if made is not None:
        made.stylewidgets_panel.restype = ctypes.c_int64
        for name in ("convolution", "pointwise"):
            getattr(made, f"stylewidgets_{name}").argtypes = [ctypes.POINTER(_Convolution)]
    return made


def available() -> bool:
    """Whether the compiled convolution can be had here; compiles it at the first call."""
    return _library() is not None


def usable(x: Tensor, *others: Tensor | None, up: int = 1, taps: Taps = BINOMIAL) -> bool:
    """Whether `convolution` can stand for the plain operations on these tensors."""
    if x.dtype != torch.float32 or x.device.type != "cpu" or (up == 2 and taps != BINOMIAL):
        return False
    if x.shape[2] * x.shape[3] * up * up < _SMALLEST:
        return False
    tensors = [x, *(t for t in others if t is not None)]
    return plainly_run(tensors) and available()


def plainly_run(tensors: list[Tensor]) -> bool:
    """Real tensors that want no gradient, outside of autocast, tracing and function transforms."""
    return not (torch.is_grad_enabled() and any(t.requires_grad for t in tensors)) and (
        all(type(t) in (Tensor, torch.nn.Parameter) for t in tensors)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[no-untyped-call]
        and not torch._C._are_functorch_transforms_active()
        and torch.autograd.forward_ad._current_level < 0
    )


def packed(weight: Tensor, up: int) -> Tensor:
    """A weight [O, I, k, k] as `convolution` (3) or `pointwise` (1) read it: [panels, I, k², channels of a panel], padded with
    zeros."""
    made = _library()
    assert made is not None
    panel = int(made.stylewidgets_panel())
    o, i = weight.shape[:2]
    flat = (weight.flip(2, 3) if up == 2 else weight).float().reshape(o, i, -1)
    flat = F.pad(flat, (0, 0, 0, 0, 0, -o % panel))
    return flat.reshape(-1, panel, i, flat.shape[2]).permute(0, 2, 3, 1).contiguous()


def convolution(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    noise: Tensor | None = None,
    noise_gain: float = 1.0,
    up: int = 1,
    gain: float = 1.0,
    clamp: float | None = None,
    activation: str = "lrelu",
    padding: int = 1,
    rows: slice | None = None,
) -> Tensor:
    """clamp(lrelu(conv(x·styles)·scale + noise·noise_gain + bias)·√2·gain, ±clamp·gain).

    Args:
        x: [N, I, H, W] float32 on the CPU.
        weight: of `packed`, with the same ``up``.
        styles: [N, I].
        scale: [N, O], the demodulation.
        bias: [O].
        noise: [H', W'], [1, 1, H', W'] or [N, 1, H', W'].
        up: 2 for an up-convolution with the filter `BINOMIAL`.
        activation: "lrelu", or "linear" for neither leaky ReLU nor √2.
        padding: zeros around the input, 1 for "same".
        rows: of the result, when not all are wanted; starts at a multiple of 4, and ``up`` is 1. They have the same bits.
    Returns:
        [N, O, H·up + 2·padding − 2, W·up + 2·padding − 2], channels last, in memory of earlier results (`_buffers`).
    Raises:
        MemoryError: there is none.
    """
    out_h, out_w = (side * up + 2 * (padding - 1) for side in x.shape[2:])
    first, last, _ = (rows or slice(None)).indices(out_h)
    if rows is not None and (up == 2 or first % 4 or last <= first):
        raise ValueError(f"rows start at a multiple of 4, and up is 1; {rows} with up {up} was given")
    step = 0
    if noise is not None:
        each = noise.ndim == 4 and noise.shape[0] > 1
        noise = noise.float().reshape(len(noise) if each else 1, out_h * out_w).contiguous()
        step = out_h * out_w if each else 0
    return _run(
        "convolution",
        x,
        weight,
        styles,
        scale,
        bias,
        noise,
        (last - first, out_w),
        (step, up, padding, first, last - first),
        noise_gain,
        gain,
        clamp,
        activation,
    )


def pointwise(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    gain: float = 1.0,
    clamp: float | None = None,
    activation: str = "lrelu",
) -> Tensor:
    """`convolution` with a 1×1 kernel."""
    size = (x.shape[2], x.shape[3])
    return _run(
        "pointwise", x, weight, styles, scale, bias, None, size, (0, 1, 0, 0, size[0]), 0.0, gain, clamp, activation
    )


def _run(
    name: str,
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    scale: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    size: tuple[int, int],
    counts: tuple[int, int, int, int, int],
    noise_gain: float,
    gain: float,
    clamp: float | None,
    activation: str,
) -> Tensor:
    made = _library()
    assert made is not None
    (n, inputs, height, width), outputs, total = x.shape, scale.shape[1], GAINS[activation] * gain
    x = x.contiguous(memory_format=torch.channels_last)
    styles, scale, bias = styles.float().contiguous(), (scale * total).contiguous(), (bias * total).float().contiguous()
    y = _buffers.channels_last(n, outputs, *size)
    panel = int(made.stylewidgets_panel())
    task = _Convolution(
        address(x, n, inputs, height, width, layout=torch.channels_last),
        address(weight, -(-outputs // panel), inputs, 9 if name == "convolution" else 1, panel),
        address(styles, n, inputs),
        address(scale, n, outputs),
        address(bias, outputs),
        None if noise is None else address(noise, n if counts[0] else 1, noise.shape[1]),
        y.data_ptr(),
        n,
        height,
        width,
        inputs,
        outputs,
        *counts,
        noise_gain * total,
        SLOPE if activation == "lrelu" else 1.0,
        math.inf if clamp is None else clamp * gain,
        torch.get_num_threads(),
    )
    if getattr(made, f"stylewidgets_{name}")(ctypes.byref(task)):
        raise MemoryError(f"no memory for the convolution of features {list(x.shape)}")
    return y
