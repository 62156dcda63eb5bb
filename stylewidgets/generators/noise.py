"""The noise argument of generators that have noise pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .protocol import Noise

NOISE_MODES = ("const", "random", "none")


def split_noise(noise: Noise, counts: Sequence[int]) -> list[Noise]:
    """A noise argument for a whole generator → one per block, which has so many convolutions with noise."""
    if isinstance(noise, str):
        return [noise] * len(counts)
    if len(noise) != sum(counts):
        raise ValueError(
            f"noise is one tensor per convolution, {sum(counts)} here, or one of "
            f"{', '.join(NOISE_MODES)}; a list of {len(noise)} was given"
        )
    if not noise:
        return ["none"] * len(counts)
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return [noise[end - count : end] for end, count in zip(ends, counts, strict=True)]


def layer_noise(noise: Noise, convs: Sequence[Any], names: Sequence[str], n: int, used: bool) -> list[Tensor | None]:
    """The noise of a block → one tensor, or None, per convolution.

    Args:
        noise: a mode, or tensors [H, W], [1, 1, H, W] or [n, 1, H, W].
        convs: the modules, with ``size`` and, where noise is used, ``noise_const``.
        names: of the layers, for messages.
        n: pictures in the batch.
        used: whether these convolutions add noise.
    """
    if isinstance(noise, str):
        if noise not in NOISE_MODES:
            raise ValueError(f"noise is one of {', '.join(NOISE_MODES)}, or a list of tensors; {noise!r} was given")
        if noise == "none" or not used:
            return [None] * len(convs)
        if noise == "const":
            return [conv.noise_const for conv in convs]
        return [torch.randn(n, 1, *conv.size, device=conv.noise_const.device, dtype=torch.float32) for conv in convs]
    count = len(convs) if used else 0
    if len(noise) != count:
        raise ValueError(f"{names[0].split('.')[0]} takes {count} noise tensors; {len(noise)} were given")
    for conv, name, tensor in zip(convs, names, noise, strict=False):
        if tensor is not None and (
            tensor.shape[-2:] != conv.size
            or tensor.ndim not in (2, 4)
            or (tensor.ndim == 4 and (tensor.shape[1] != 1 or tensor.shape[0] not in (1, n)))
        ):
            raise ValueError(
                f"noise of {name} is {list(conv.size)}, or [1 or {n}, 1, {conv.size[0]}, {conv.size[1]}]; "
                f"{list(tensor.shape)} was given"
            )
    return list(noise) or [None] * len(convs)
