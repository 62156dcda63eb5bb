"""What the kernels for a GPU do after a convolution, as they are given it (`triton_epilogue`)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ..bias_act import GAINS, SLOPE


class Epilogue(NamedTuple):
    """clamp(leaky ReLU(v·scale + noise·strength + bias)·gain, ±clamp) of features [N, C, H, W].

    Attributes:
        scale: [N, C], contiguous.
        bias: [C], contiguous.
        noise: [H, W] or [N, H, W], contiguous, or None.
        strength: of the noise, a tensor of one number, or None without noise.
        gain: all of it, √2 included.
        clamp: None for none.
        slope: of the leaky ReLU.
    """

    scale: Tensor
    bias: Tensor
    noise: Tensor | None = None
    strength: Tensor | None = None
    gain: float = 1.0
    clamp: float | None = None
    slope: float = SLOPE


def epilogue(
    scale: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    strength: Tensor | None,
    gain: float,
    clamp: float | None,
    n: int,
    c: int,
    h: int,
    w: int,
) -> Epilogue | None:
    """What `bias_act` with these arguments does to features [n, c, h, w]; None where the kernels cannot."""
    if scale.shape != (n, c) or bias.shape != (c,):
        return None
    if noise is not None:
        each = noise.ndim == 4 and n > 1 and noise.shape == (n, 1, h, w)
        if (
            strength is None
            or strength.numel() != 1
            or noise.shape[-2:] != (h, w)
            or not (each or noise.numel() == h * w)
        ):
            return None
        noise = noise.reshape(n, h, w).contiguous() if each else noise.reshape(h, w).contiguous()
    return Epilogue(
        scale.contiguous(),
        bias.contiguous(),
        noise,
        strength,
        GAINS["lrelu"] * gain,
        None if clamp is None else clamp * gain,
    )
